//! The asking side of the control socket; blocking, for the command line.

use super::{Answer, Request, socket_path};
use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long the daemon may take: a reload of a large snapshot reads all of it.
const PATIENCE: Duration = Duration::from_secs(120);

/// The daemon gave no answer.
#[derive(Debug)]
pub struct AskError {
    state: PathBuf,
    error: io::Error,
}

impl AskError {
    /// Whether nobody is there, rather than somebody who does not answer.
    pub fn is_absence(&self) -> bool {
        matches!(self.error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
    }
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AskError { state, error } = self;
        match self.is_absence() {
            true => write!(f, "no daemon answers in {}; start one, or name its state folder with --state DIR", state.display()),
            false => write!(f, "the daemon in {} does not answer: {error}", state.display()),
        }
    }
}

impl std::error::Error for AskError {}

/// Asks the daemon whose state folder this is.
///
/// # Errors
/// [`AskError`] if nobody answers, or not in words that we know.
pub fn ask(state: &Path, request: &Request) -> Result<Answer, AskError> {
    exchange(state, request).map_err(|error| AskError { state: state.to_path_buf(), error })
}

fn exchange(state: &Path, request: &Request) -> io::Result<Answer> {
    let (_folder, path) = socket_path(state)?;
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{}\n", serde_json::to_string(request)?).as_bytes())?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    if line.is_empty() {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it hung up"));
    }
    Ok(serde_json::from_str(&line)?)
}
