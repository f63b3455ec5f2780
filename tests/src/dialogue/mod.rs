//! Dialogues: conversations with a server as text files, and what plays them. The same file is played over TCP against the
//! daemon and against the pure protocol core, cut into pieces at every octet.
//!
//! ```text
//! # What this shows, in a sentence.
//! listener: mx                    headers first; who plays the file knows what they mean
//! client: 127.0.0.9
//!
//! S: 220                          a reply with this code, whatever its text
//! C: EHLO client.test             a line, sent with CRLF; lines in a row are sent in one write
//! S: 250 *PIPELINING*             a glob over the text of the reply, lines joined by \n
//! C- MAIL FROM:<a@example         octets, sent without a line end
//! C: .org>
//! S: 5                            any permanent reply
//! C: STARTTLS
//! S: 220 /^2\.0\.0 /              a regular expression, between slashes
//! TLS                             the handshake
//! C: NOOP \x00\{1000:x}           escapes: \r \n \t \0 \\ \xHH, and a text a thousand times
//! S: closes                       the end of the connection
//! ```
//!
//! A file may hold many: each begins with `== What it shows`, and what stands above the first of them is the beginning of each.

mod parse;
mod play;

pub use parse::{Dialogue, ParseError, Step, Wanted};
pub use play::{Conversation, Cut, Mismatch};

#[cfg(test)]
mod tests;
