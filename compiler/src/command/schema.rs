//! `postern schema`: the JSON Schema of the JSON twin of a site file, for editors and for programs that write sites.

use super::{Failure, Status, print};
use crate::syntax::schema;
use clap::Args;

/// The arguments of `schema`.
#[derive(Args, Debug)]
pub struct Arguments {}

pub(super) fn run(_: &Arguments) -> Result<Status, Failure> {
    print(&schema()).map(|()| Status::Fine)
}
