//! `postern up`: a site tried out on this machine. It is compiled with its listeners on loopback, and served by the `posternd`
//! that lies beside this program, until somebody says stop. Everything that is written lies below the state folder.

mod daemon;
mod welcome;

use super::site::{self, SiteArguments};
use super::{Failure, Status, print};
use crate::compile::CompileOptions;
use crate::emit::publish;
use crate::lower::LoopbackPorts;
use crate::report::Counts;
use clap::Args;
use daemon::{Daemon, Event};
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The arguments of `up`.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    site: SiteArguments,
    /// The folder of the snapshot, the queue and the mail; a second run finds them again
    #[arg(long, value_name = "DIR", default_value = ".postern")]
    state: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let options = CompileOptions { loopback: Some(LoopbackPorts::default()), ..CompileOptions::default() };
    let compiled = arguments.site.compile_with(options)?;
    site::show_warnings(&arguments.site.path, &compiled);
    // A failed test of the site is worth knowing, and no reason not to try it out.
    let Some(model) = &compiled.model else {
        let counts = Counts::of(&compiled.diagnostics);
        return Err(Failure::invalid(format!("{} does not compile: {counts}", arguments.site.path.display())));
    };
    // Mail of other people may come to lie here.
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&arguments.state);
    made.map_err(|error| Failure::refused(format!("{}: {error}", arguments.state.display())))?;
    let snapshots = arguments.state.join("site");
    // No DNS records: those of a site on loopback are nobody's to publish.
    publish::publish(model, &compiled.sources.digests(), &[], &snapshots)?;

    let credentials = arguments.site.path.parent().unwrap_or(Path::new("")).join("credentials");
    let mut daemon = Daemon::start(&snapshots, &arguments.state, &credentials)?;
    let mut asked_to_stop = false;
    loop {
        match daemon.next()? {
            Event::Ready(ready) => print(&welcome::text(&ready, model))?,
            Event::Stop if asked_to_stop => daemon.kill(),
            Event::Stop => {
                asked_to_stop = true;
                daemon.stop();
            }
            Event::Exited(status) => return Ok(status),
        }
    }
}
