//! Findings and the ways to show them.
//!
//! [`Diagnostic`] is plain data. A [`View`] knows the files and how their paths are shown; each format is one file that turns
//! findings and a view into text: [`terminal`] for people, [`short`] for editors, [`github`] for its annotations, [`json`] and
//! [`sarif`] for programs. None of them writes anywhere.

mod diagnostic;
mod excerpt;
pub mod github;
pub mod json;
mod rows;
pub mod sarif;
pub mod short;
pub mod terminal;
mod view;

pub use diagnostic::{Diagnostic, Label, Severity, sort};
pub use rows::{ROWS_SHOWN, RowFindings};
pub use view::{Place, View};

use std::fmt;

/// How findings are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Format {
    /// For people: the guilty lines with the reason under them
    Human,
    /// One JSON object a line
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
    /// `file:line:column: severity: message`, for editors
    Short,
}

/// Shows findings, in the order given.
pub fn render(format: Format, diagnostics: &[Diagnostic], view: &View<'_>, style: &terminal::Style) -> String {
    match format {
        Format::Human => terminal::render(diagnostics, view, style),
        Format::Json => json::render(diagnostics, view),
        Format::Sarif => sarif::render(diagnostics, view),
        Format::Github => github::render(diagnostics, view),
        Format::Short => short::render(diagnostics, view),
    }
}

/// How many findings of each severity.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Notes.
    pub notes: usize,
}

impl Counts {
    /// Counts them.
    pub fn of(diagnostics: &[Diagnostic]) -> Counts {
        let count = |severity| diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count();
        Counts { errors: count(Severity::Error), warnings: count(Severity::Warning), notes: count(Severity::Note) }
    }
}

impl fmt::Display for Counts {
    /// `2 errors, 1 warning`; `no errors` where there is nothing to count.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [(self.errors, "error"), (self.warnings, "warning"), (self.notes, "note")];
        let mut parts = kinds.iter().filter(|(count, _)| *count > 0).peekable();
        if parts.peek().is_none() {
            return f.write_str("no errors");
        }
        for (index, (count, word)) in parts.enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            let plural = if *count == 1 { "" } else { "s" };
            write!(f, "{comma}{count} {word}{plural}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
