//! sendmail(1): how programs of this host hand in mail, whether the daemon runs or not.
//!
//! ```text
//! sendmail -> drop/tmp-NAME -> drop/mail-NAME -> the daemon's queue, or a notice to the sender
//! ```
//!
//! The program asks nobody and needs no rights: it writes one file into the drop folder, where everybody may put files and nobody
//! sees those of others. The daemon looks there and takes what it finds for what a stranger on this host has written.
//!
//! | module | concern |
//! |---|---|
//! | [`arguments`] | the command line that other MTAs have taught everybody |
//! | [`recipients`] | `-t`: addresses in the header |
//! | [`text`] | lines as SMTP wants them |
//! | [`slip`] | the file: its form, its name, the folder's mode |
//! | [`dialogue`] | `-bs`: SMTP on standard input |
//! | [`pickup`] | the daemon's side |

pub mod arguments;
pub mod dialogue;
pub mod pickup;
pub mod recipients;
pub mod slip;
pub mod text;

use arguments::{Arguments, Mode};
use slip::Slip;
use std::io::{self, Read};
use std::path::Path;

/// What sysexits(3) calls its statuses.
pub mod exit {
    /// The command was used wrongly.
    pub const USAGE: u8 = 64;
    /// The message is no good.
    pub const DATA: u8 = 65;
    /// A file cannot be made.
    pub const CANT_CREATE: u8 = 73;
    /// Input or output failed.
    pub const IO: u8 = 74;
}

/// The largest message that is handed in; the site may want less.
const MESSAGE_LIMIT_OCTETS: u64 = 1 << 30;

/// Why nothing was handed in: the exit status, and what is said.
#[derive(Debug)]
pub struct Failure(pub u8, pub String);

impl Failure {
    fn io(error: &io::Error) -> Failure {
        Failure(exit::IO, error.to_string())
    }
}

/// What is left for the caller to do, once nothing failed.
#[derive(Debug, PartialEq, Eq)]
pub enum Done {
    /// Nothing.
    Submitted,
    /// List the queue (`-bp`).
    ListQueue,
    /// Say what newaliases does here (`-bi`).
    NewAliases,
}

/// Runs sendmail with these arguments, without the program's name. `state` is the daemon's folder.
///
/// # Errors
/// [`Failure`]; nothing was handed in.
pub fn run(arguments: &[String], state: &Path, input: &mut dyn Read) -> Result<Done, Failure> {
    let arguments = arguments::parse(arguments).map_err(|why| Failure(exit::USAGE, why))?;
    match arguments.mode {
        Mode::ListQueue => Ok(Done::ListQueue),
        Mode::NewAliases => Ok(Done::NewAliases),
        Mode::Dialogue => dialogue::run(state, input).map(|()| Done::Submitted),
        Mode::Deliver => deliver(arguments, state, input).map(|()| Done::Submitted),
    }
}

fn deliver(arguments: Arguments, state: &Path, input: &mut dyn Read) -> Result<(), Failure> {
    let mut given = Vec::new();
    input.take(MESSAGE_LIMIT_OCTETS + 1).read_to_end(&mut given).map_err(|error| Failure::io(&error))?;
    if given.len() as u64 > MESSAGE_LIMIT_OCTETS {
        return Err(Failure(exit::DATA, format!("the message has more than {MESSAGE_LIMIT_OCTETS} octets")));
    }
    let message = text::canonical(&given, !arguments.ignore_dots);
    let mut to = arguments.recipients;
    let message = if arguments.from_header {
        let (found, message) = recipients::take(&message);
        to.extend(found);
        message
    } else {
        message
    };
    if to.is_empty() {
        return Err(Failure(
            exit::USAGE,
            "nobody to send it to: name recipients, or use -t and name them in the header".to_owned(),
        ));
    }
    let Arguments { from, full_name, notify, envelope_id, whole, .. } = arguments;
    Slip { from, full_name, to, notify, envelope_id, whole }.write(state, &message)
}
