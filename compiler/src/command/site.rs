//! The site file that most commands begin with: its arguments, compiling it, and showing what is wrong.

use super::progress::ProgressLine;
use super::{Failure, Status, show_findings};
use crate::certificate::Date;
use crate::compile::{CompileOptions, Compiled, compile};
use crate::model::Model;
use crate::report::{self, Counts, Diagnostic, Format, Severity, View, terminal::Style};
use crate::rules::chk::Checker;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// A site file and how it is read.
#[derive(Args, Debug)]
pub struct SiteArguments {
    /// The site file
    #[arg(value_name = "SITE")]
    pub path: PathBuf,
    /// The profile that is in force
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// The day that certificates must be valid on, as 2026-11-21; without it they are compared with none
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub today: Option<Date>,
    /// Keep the rules of this checker too, as `require` in `site` does
    #[arg(long = "checker", value_name = "NAME", value_enum)]
    pub checkers: Vec<Checker>,
}

fn date(text: &str) -> Result<Date, String> {
    Date::parse(text).ok_or_else(|| "a day is written as 2026-11-21".to_owned())
}

/// What is not let pass, beyond errors.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Deny {
    /// Every warning
    Warnings,
}

impl SiteArguments {
    /// Reads and compiles the site. Findings are in the result, and are not shown.
    pub fn compile(&self) -> Result<Compiled, Failure> {
        self.compile_with(CompileOptions::default())
    }

    /// The same with other options; profile, day and checkers are those of the arguments.
    pub fn compile_with(&self, options: CompileOptions) -> Result<Compiled, Failure> {
        let line = ProgressLine::start();
        let (profile, today, checkers) = (self.profile.clone(), self.today, self.checkers.clone());
        Ok(compile(&self.path, &CompileOptions { profile, today, checkers, progress: line.progress(), ..options })?)
    }

    /// Reads and compiles the site, and shows its errors; what only warns was said by `check` and `build`.
    pub fn model(&self) -> Result<(Compiled, Model), Failure> {
        let mut compiled = self.compile()?;
        match compiled.model.take() {
            Some(model) => Ok((compiled, model)),
            None => Err(refuse(&self.path, &compiled)),
        }
    }
}

/// Shows the warnings and errors of a site; notes are for `check`.
pub fn show_warnings(path: &Path, compiled: &Compiled) {
    let warnings: Vec<Diagnostic> =
        compiled.diagnostics.iter().filter(|finding| finding.severity >= Severity::Warning).cloned().collect();
    show_findings(&findings(Format::Human, &warnings, &view(compiled, path)));
}

/// Shows the errors of a site that does not compile.
pub fn refuse(path: &Path, compiled: &Compiled) -> Failure {
    let errors: Vec<Diagnostic> =
        compiled.diagnostics.iter().filter(|finding| finding.severity == Severity::Error).cloned().collect();
    show_findings(&findings(Format::Human, &errors, &view(compiled, path)));
    Failure::invalid(format!("{} does not compile: {}", path.display(), Counts::of(&errors)))
}

/// The files of a site as they look from the current folder.
pub fn view<'a>(compiled: &'a Compiled, path: &Path) -> View<'a> {
    // Without a current folder, paths are shown as they were named.
    let here = std::env::current_dir().unwrap_or_default();
    View::new(&compiled.sources, path, &here)
}

/// Findings in a format.
pub fn findings(format: Format, diagnostics: &[Diagnostic], view: &View<'_>) -> String {
    report::render(format, diagnostics, view, &Style::of_stderr())
}

/// What findings mean for the exit status. A failed test of the site is an error of its own kind: the site compiles.
pub fn judge(compiled: &Compiled, deny: Option<Deny>) -> Status {
    let counts = Counts::of(&compiled.diagnostics);
    if compiled.model.is_none() {
        Status::Invalid
    } else if compiled.has_failed_tests() || (deny == Some(Deny::Warnings) && counts.warnings > 0) {
        Status::Refused
    } else {
        Status::Fine
    }
}
