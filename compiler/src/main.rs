//! The `postern` command. All of it is in [`postern::command`]; here stand the two things that only a program has: its
//! arguments, and what happens when it is wrong about itself.

use postern::command::{Status, run};
use std::panic::{PanicHookInfo, catch_unwind, set_hook};
use std::process::ExitCode;

fn main() -> ExitCode {
    set_hook(Box::new(apologise));
    catch_unwind(|| run(std::env::args_os())).unwrap_or(Status::Internal).into()
}

/// The place, and not the message: that one may hold a value of the site.
fn apologise(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(|at| format!(" ({}:{})", at.file(), at.line())).unwrap_or_default();
    eprintln!("postern: internal error{place}; please report it with the command line");
}
