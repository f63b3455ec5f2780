//! `postern check`: everything that is wrong with a site, and whether its own tests pass.

use super::site::{self, Deny, SiteArguments};
use super::{Failure, Status, print, show_findings};
use crate::report::{Counts, Format, sort};
use clap::Args;

/// The arguments of `check`.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    site: SiteArguments,
    /// How findings are shown: for people on standard error, in any other form on standard output
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// Fail on what is otherwise let pass
    #[arg(long, value_enum)]
    deny: Option<Deny>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let compiled = arguments.site.compile()?;
    let view = site::view(&compiled, &arguments.site.path);
    if arguments.format == Format::Human {
        show_findings(&site::findings(arguments.format, &compiled.diagnostics, &view));
        let allowed = match compiled.allowed.len() {
            0 => String::new(),
            count => format!("; {count} allowed by the site"),
        };
        show_findings(&format!("{}: {}{allowed}\n", arguments.site.path.display(), Counts::of(&compiled.diagnostics)));
    } else {
        // What the site lets pass is for programs: each finding says so itself.
        let mut findings = compiled.diagnostics.clone();
        if matches!(arguments.format, Format::Json | Format::Sarif) {
            findings.extend(compiled.allowed.iter().cloned());
            sort(&mut findings);
        }
        print(&site::findings(arguments.format, &findings, &view))?;
    }
    Ok(site::judge(&compiled, arguments.deny))
}
