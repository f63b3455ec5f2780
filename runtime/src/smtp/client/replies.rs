//! Reads a peer's replies (RFC 5321 4.2.1), one line after the other, within limits.
//!
//! A line may end with LF alone: some old servers do that, and a reply has no second reading.

use bytes::{Buf, BytesMut};
use postern_schema::reply::{Reply, ReplyCode};
use std::fmt;

/// The longest line, in octets; RFC 5321 4.5.3.1.5 allows 512.
const LINE_MAX_OCTETS: usize = 4096;
/// The most lines of one reply.
const LINES_MAX: usize = 512;
/// The longest reply, in octets.
const REPLY_MAX_OCTETS: usize = 64 << 10;

/// What is no reply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Babble {
    /// A line that does not begin as a reply does.
    NotAReply(String),
    /// Lines of one reply with different codes.
    CodesDiffer(ReplyCode, ReplyCode),
    /// Over one of the limits.
    TooLong,
}

impl fmt::Display for Babble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Babble::NotAReply(line) => write!(f, "The peer speaks no SMTP: {line}"),
            Babble::CodesDiffer(first, other) => write!(f, "The peer mixes replies {first} and {other}"),
            Babble::TooLong => f.write_str("The peer's reply is too long"),
        }
    }
}

/// A reply that is coming in.
#[derive(Debug, Default)]
pub(super) struct ReplyReader {
    code: Option<ReplyCode>,
    text: String,
    lines: usize,
}

impl ReplyReader {
    /// The next whole reply at the beginning of `input`; `None`: it is not all there yet.
    pub(super) fn next(&mut self, input: &mut BytesMut) -> Result<Option<Reply>, Babble> {
        loop {
            let window = &input[..input.len().min(LINE_MAX_OCTETS)];
            let Some(end) = memchr::memchr(b'\n', window) else {
                return if window.len() == LINE_MAX_OCTETS { Err(Babble::TooLong) } else { Ok(None) };
            };
            let last = self.take_line(&window[..end])?;
            input.advance(end + 1);
            if let Some(code) = last {
                let reply = Reply::from_peer(code, &self.text);
                *self = ReplyReader::default();
                return Ok(Some(reply));
            }
        }
    }

    /// Takes a line; the code, if it is the last one.
    fn take_line(&mut self, line: &[u8]) -> Result<Option<ReplyCode>, Babble> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let not_a_reply = || Babble::NotAReply(line[..line.len().min(40)].escape_ascii().to_string());
        let (digits, rest) = line.split_at_checked(3).ok_or_else(not_a_reply)?;
        let code = ReplyCode::parse(digits).ok_or_else(not_a_reply)?;
        let (is_last, text) = match rest {
            [] => (true, rest),
            [b' ', text @ ..] => (true, text),
            [b'-', text @ ..] => (false, text),
            _ => return Err(not_a_reply()),
        };
        match self.code {
            Some(first) if first != code => return Err(Babble::CodesDiffer(first, code)),
            _ => self.code = Some(code),
        }
        if self.lines > 0 {
            self.text.push('\n');
        }
        self.lines += 1;
        // Nothing but text may reach a log or a bounce.
        let text = String::from_utf8_lossy(text);
        self.text.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }));
        if self.lines > LINES_MAX || self.text.len() > REPLY_MAX_OCTETS {
            return Err(Babble::TooLong);
        }
        Ok(is_last.then_some(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Vec<String>, Babble> {
        let read_in = |step: usize| {
            let (mut reader, mut input, mut found) = (ReplyReader::default(), BytesMut::new(), Vec::new());
            for piece in text.as_bytes().chunks(step) {
                input.extend_from_slice(piece);
                while let Some(reply) = reader.next(&mut input)? {
                    found.push(format!("{} {}", reply.code, reply.text.replace('\n', "|")));
                }
            }
            Ok(found)
        };
        let whole = read_in(text.len());
        assert_eq!(read_in(1), whole);
        whole
    }

    #[test]
    fn replies_of_one_and_more_lines_rfc_5321_4_2_1() {
        let text = "250-a\r\n250-\r\n250 b\r\n354\r\n220 c\n550 5.1.1 \td\r\n250-e\r\n";
        assert_eq!(read(text).unwrap(), ["250 a||b", "354 ", "220 c", "550 d"]);
    }

    #[test]
    fn what_is_no_reply() {
        for text in ["hello\r\n", "\r\n", "25\r\n", "150 a\r\n", "250a\r\n", "250_a\r\n", "SSH-2.0-x\r\n", "\u{16}\u{3}\u{1}\n"] {
            assert!(matches!(read(text), Err(Babble::NotAReply(_))), "{text:?}");
        }
        assert!(matches!(read("250-a\r\n251 b\r\n"), Err(Babble::CodesDiffer(..))));
    }

    #[test]
    fn replies_are_bounded() {
        assert_eq!(read(&"x".repeat(4096)), Err(Babble::TooLong));
        assert_eq!(read(&"250-a\r\n".repeat(513)), Err(Babble::TooLong));
        assert_eq!(read(&format!("250-{}\r\n", "a".repeat(4000)).repeat(17)), Err(Babble::TooLong));
        assert!(read(&format!("{}250 a\r\n", "250-a\r\n".repeat(511))).is_ok());
    }

    proptest! {
        #[test]
        fn no_octets_panic(pieces in proptest::collection::vec("(250[ -]|354 |\r\n|\n|[ -~é\0]{0,3})", 0..40)) {
            let _ = read(&(pieces.concat() + "\n"));
        }
    }
}
