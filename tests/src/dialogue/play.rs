//! Plays a dialogue against anything that converses.

use super::{Dialogue, Step, Wanted};
use crate::client::{Client, Reply};
use std::fmt;
use std::io;

/// A server seen from its client: the daemon behind a socket, or a protocol core in memory.
pub trait Conversation {
    /// The client sends these octets, in one piece.
    ///
    /// # Errors
    /// The server does not take them.
    fn send(&mut self, octets: &[u8]) -> io::Result<()>;

    /// The next reply, or `None` once the server has closed.
    ///
    /// # Errors
    /// There is neither.
    fn reply(&mut self) -> io::Result<Option<Reply>>;

    /// TLS begins now.
    ///
    /// # Errors
    /// It does not.
    fn start_tls(&mut self) -> io::Result<()>;
}

impl Conversation for Client {
    fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.try_send(octets)
    }

    fn reply(&mut self) -> io::Result<Option<Reply>> {
        self.try_reply()
    }

    fn start_tls(&mut self) -> io::Result<()> {
        self.tls();
        Ok(())
    }
}

/// How what the client sends is cut into pieces. What a server says must not depend on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// All that stands between two replies in one piece.
    Whole,
    /// Octet by octet.
    EveryOctet,
    /// Once, after so many octets of the whole dialogue.
    After(usize),
}

/// Where a conversation went another way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mismatch {
    /// The line of the dialogue.
    pub line: usize,
    /// What was due and what came.
    pub what: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl Dialogue {
    /// Plays it to its end.
    ///
    /// # Errors
    /// [`Mismatch`] at the first step that goes another way.
    pub fn play(&self, other: &mut dyn Conversation, cut: Cut) -> Result<(), Mismatch> {
        let mut pending: Vec<u8> = Vec::new();
        let mut sent = 0;
        for (line, step) in self.steps() {
            let mismatch = |what: String| Mismatch { line: *line, what };
            if let Step::Send(octets) = step {
                pending.extend_from_slice(octets);
                continue;
            }
            for piece in pieces(&pending, sent, cut) {
                // A server that closes early breaks the pipe; the step that expects something else will say so.
                let _ = other.send(piece);
            }
            sent += pending.len();
            pending.clear();
            match step {
                Step::Send(_) => {}
                Step::Tls => other.start_tls().map_err(|error| mismatch(format!("TLS was due; {error}")))?,
                Step::Closes => match other.reply() {
                    Ok(None) => {}
                    Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
                    Ok(Some(reply)) => return Err(mismatch(format!("the end was due; {reply}"))),
                    Err(error) => return Err(mismatch(format!("the end was due; {error}"))),
                },
                Step::Reply(wanted) => match other.reply() {
                    Ok(Some(reply)) if wanted.fits(&reply) => {}
                    Ok(Some(reply)) => return Err(mismatch(format!("{wanted} was due; {reply}"))),
                    Ok(None) => return Err(mismatch(format!("{wanted} was due; the server closed"))),
                    Err(error) => return Err(mismatch(format!("{wanted} was due; {error}"))),
                },
            }
        }
        for piece in pieces(&pending, sent, cut) {
            let _ = other.send(piece);
        }
        Ok(())
    }
}

/// The pieces of what is sent at once, when `before` octets were sent already.
fn pieces(octets: &[u8], before: usize, cut: Cut) -> Vec<&[u8]> {
    match cut {
        _ if octets.is_empty() => Vec::new(),
        Cut::EveryOctet => octets.chunks(1).collect(),
        Cut::After(at) if before < at && at < before + octets.len() => {
            let (head, tail) = octets.split_at(at - before);
            vec![head, tail]
        }
        Cut::Whole | Cut::After(_) => vec![octets],
    }
}

impl Wanted {
    /// Whether this is such a reply.
    pub fn fits(&self, reply: &Reply) -> bool {
        let text = self.text.as_ref().is_none_or(|regex| regex.is_match(&reply.text()));
        text && reply.code.to_string().starts_with(&self.code)
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.text {
            None => f.write_str(&self.code),
            Some(regex) => write!(f, "{} /{regex}/", self.code),
        }
    }
}
