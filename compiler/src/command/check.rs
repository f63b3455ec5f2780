//! `postern check`: everything that is wrong with a site, and whether its own tests pass.

use super::site::{self, Deny, SiteArguments};
use super::{Failure, Status, print, show_findings};
use crate::report::{Counts, Format};
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
    let shown = site::findings(arguments.format, &compiled.diagnostics, &view);
    if arguments.format == Format::Human {
        show_findings(&shown);
        show_findings(&format!("{}: {}\n", arguments.site.path.display(), Counts::of(&compiled.diagnostics)));
    } else {
        print(&shown)?;
    }
    Ok(site::judge(&compiled, arguments.deny))
}
