//! A site file becomes a [`Model`], or a list of what is wrong with it: [`compile`]. Every command begins here.
//!
//! No network, no clock, no secret: what comes out depends on the files of the site and the options alone.

use crate::certificate::Date;
use crate::lower::draft::SiteDraft;
use crate::lower::{LoopbackPorts, lower};
use crate::model::Model;
use crate::progress::Progress;
use crate::report::{Diagnostic, Severity, sort};
use crate::rules::chk::Checker;
use crate::rules::{self, Subject};
use crate::sitetest::{self, SiteTest};
use crate::source::Sources;
use crate::syntax::{LoadError, LoadOptions, Loaded, Node, load, load_text, twin};
use std::path::Path;

/// What may differ between two runs over the same files.
#[derive(Clone, Default, Debug)]
pub struct CompileOptions {
    /// The profile that is in force.
    pub profile: Option<String>,
    /// Lets an `include` leave the folder of the site file.
    pub allow_outside: bool,
    /// Moves every listener to high ports of 127.0.0.1, and every Maildir below the state folder: for trying a site out.
    pub loopback: Option<LoopbackPorts>,
    /// The day that certificates must be valid on; `None`: they are not compared with any, since the clock is never read.
    pub today: Option<Date>,
    /// Whose rules are kept besides those that the site names.
    pub checkers: Vec<Checker>,
    /// Is told what the run is at.
    pub progress: Progress,
}

/// Everything that is known of a site after one run.
#[derive(Debug)]
pub struct Compiled {
    /// Its files.
    pub sources: Sources,
    /// Its nodes, with includes, constants and the profile in force put in place.
    pub nodes: Vec<Node>,
    /// The site with places; `None` where it could not be read at all.
    pub draft: Option<SiteDraft>,
    /// The site itself; `None` where an error denies it. Failed tests do not: they are for the caller to weigh.
    pub model: Option<Model>,
    /// Its tests, as they ran; empty where there is no model.
    pub tests: Vec<SiteTest>,
    /// What is wrong, in source order. A failed test is an error with the code `TST001`.
    pub diagnostics: Vec<Diagnostic>,
    /// What an `allow` of the site lets pass, in source order.
    pub allowed: Vec<Diagnostic>,
}

impl Compiled {
    /// Whether a test of the site failed.
    pub fn has_failed_tests(&self) -> bool {
        self.tests.iter().any(|test| !test.passed)
    }

    /// The JSON twin of the site; `defaults` is what `$defaults` holds.
    pub fn twin(&self, defaults: serde_json::Value) -> String {
        // A table is read again by whoever reads the twin: it is none of the files that the twin stands for.
        let end = self.draft.as_ref().map_or(self.sources.next_id(), |draft| draft.first_table);
        twin(&self.nodes, &self.sources, end, defaults)
    }

    /// How many findings are this bad.
    pub fn count(&self, severity: Severity) -> usize {
        self.diagnostics.iter().filter(|finding| finding.severity == severity).count()
    }
}

/// Compiles the site in a file.
///
/// # Errors
/// [`LoadError`] where the site file itself cannot be read.
pub fn compile(path: &Path, options: &CompileOptions) -> Result<Compiled, LoadError> {
    let loading =
        LoadOptions { profile: options.profile.clone(), allow_outside: options.allow_outside, ..LoadOptions::default() };
    Ok(compile_loaded(load(path, &loading)?, options))
}

/// Compiles the site in a text, as if it stood in a file of that name in the current folder.
pub fn compile_text(name: &str, text: &str, options: &CompileOptions) -> Compiled {
    let loading =
        LoadOptions { profile: options.profile.clone(), allow_outside: options.allow_outside, ..LoadOptions::default() };
    compile_loaded(load_text(name, text, &loading), options)
}

/// Compiles a site that was read.
pub fn compile_loaded(loaded: Loaded, options: &CompileOptions) -> Compiled {
    if loaded.nodes.is_empty() && loaded.has_errors() {
        // Text that is no KDL: there is nothing to look at, and all else would be said of an empty site.
        let Loaded { sources, nodes, diagnostics, .. } = loaded;
        return Compiled { sources, nodes, draft: None, model: None, tests: Vec::new(), diagnostics, allowed: Vec::new() };
    }
    let mut loaded = loaded;
    let (draft, findings) = lower(&mut loaded, &options.progress);
    let Loaded { sources, mut diagnostics, nodes, .. } = loaded;
    diagnostics.extend(findings);
    let mut model = draft.to_model(&sources);
    options.progress.stage(|| format!("checking {} addresses", model.addresses.len()));
    let subject = Subject::new(&draft, &model, options.today).and_checkers(&options.checkers);
    diagnostics.extend(rules::check(&subject));
    let (mut diagnostics, mut allowed) = rules::sift(&nodes, diagnostics, &subject);
    sort(&mut allowed);
    if diagnostics.iter().any(|finding| finding.severity == Severity::Error) {
        sort(&mut diagnostics);
        return Compiled { sources, nodes, draft: Some(draft), model: None, tests: Vec::new(), diagnostics, allowed };
    }
    let tests = sitetest::run(&draft.tests, &model, &sources, &mut diagnostics);
    sort(&mut diagnostics);
    if let Some(ports) = options.loopback {
        ports.apply(&mut model.site);
    }
    Compiled { sources, nodes, draft: Some(draft), model: Some(model), tests, diagnostics, allowed }
}

#[cfg(test)]
mod layout;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod random;
#[cfg(test)]
mod tests;
