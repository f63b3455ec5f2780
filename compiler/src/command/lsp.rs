//! `postern lsp`: the language server, which an editor starts. It reads and writes messages on its standard streams, and ends
//! when the editor says so: well if it was told to shut down before, and with a failure otherwise, as the protocol has it.

use super::{Failure, Status};
use crate::lsp::{Goodbye, serve};
use clap::Args;
use std::io;

/// The arguments of `lsp`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Accepted, since editors pass it: there is no other way to talk
    #[arg(long, hide = true)]
    stdio: bool,
}

pub(super) fn run(_: &Arguments) -> Result<Status, Failure> {
    match serve(io::BufReader::new(io::stdin()), io::stdout()) {
        Ok(Goodbye::Orderly) => Ok(Status::Fine),
        Ok(Goodbye::Abrupt) => Ok(Status::Refused),
        Err(error) => Err(Failure::refused(format!("the language server cannot start: {error}"))),
    }
}
