//! Splits a stream into command lines (RFC 5321 2.3.8), within limits.
//!
//! Only CRLF ends a line. Nothing is copied: a line is named by its length, and stays in the input until it was handled. The
//! server calls this for commands and SASL responses; message content has its own decoder in [`super::data`].

use bytes::{Buf, BytesMut};

/// The longest command line, in octets with its CRLF. RFC 5321 4.5.3.1.4 wants 512, and extensions add to that.
pub const COMMAND_LINE_MAX_OCTETS: usize = 4096;
/// The longest AUTH line or SASL response, in octets with its CRLF (RFC 4954 4).
pub const AUTH_LINE_MAX_OCTETS: usize = 12288;

/// What stands at the beginning of the input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line {
    /// Not yet a whole line.
    Incomplete,
    /// A line of so many octets, its CRLF among them.
    Complete(usize),
    /// More octets than the limit without an end. The line is dropped up to the next CRLF, now or as it comes in.
    TooLong,
    /// A CR or LF that is no part of a CRLF, or a NUL. The line is dropped up to the next CRLF, as above: nothing after the
    /// stray octet is ever taken for a command.
    BareLineEnd,
}

/// Finds lines, and remembers between two looks what it has seen.
#[derive(Debug, Default)]
pub struct LineReader {
    /// So many octets at the beginning of the input hold neither CR, LF nor NUL.
    scanned: usize,
    /// Inside a line that was refused.
    skipping: bool,
}

impl LineReader {
    /// Looks at the beginning of `input`. The caller removes a complete line before the next call.
    pub fn next(&mut self, input: &mut BytesMut, limit_octets: usize) -> Line {
        if self.skipping && !self.skip(input) {
            return Line::Incomplete;
        }
        let window = &input[..input.len().min(limit_octets)];
        let scanned = self.scanned.min(window.len());
        let Some(at) = memchr::memchr3(b'\r', b'\n', 0, &window[scanned..]).map(|offset| scanned + offset) else {
            self.scanned = window.len();
            return if window.len() == limit_octets { self.refuse(Line::TooLong) } else { Line::Incomplete };
        };
        if input[at] != b'\r' {
            return self.refuse(Line::BareLineEnd);
        }
        if at + 2 > limit_octets {
            return self.refuse(Line::TooLong);
        }
        match input.get(at + 1) {
            None => {
                self.scanned = at;
                Line::Incomplete
            }
            Some(b'\n') => {
                self.scanned = 0;
                Line::Complete(at + 2)
            }
            Some(_) => self.refuse(Line::BareLineEnd),
        }
    }

    fn refuse(&mut self, fault: Line) -> Line {
        self.scanned = 0;
        self.skipping = true;
        fault
    }

    /// Drops input up to and with the next CRLF; `false` if that has not come yet.
    fn skip(&mut self, input: &mut BytesMut) -> bool {
        let mut from = 0;
        while let Some(at) = memchr::memchr(b'\n', &input[from..]).map(|offset| from + offset) {
            if at > 0 && input[at - 1] == b'\r' {
                input.advance(at + 1);
                self.skipping = false;
                return true;
            }
            from = at + 1;
        }
        // A CR at the very end may be the first half of the CRLF.
        let kept = usize::from(input.ends_with(b"\r"));
        input.advance(input.len() - kept);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads every line of `text`, arriving in pieces of `step` octets.
    fn lines(text: &[u8], step: usize) -> Vec<Result<Vec<u8>, Line>> {
        let (mut reader, mut input, mut found) = (LineReader::default(), BytesMut::new(), Vec::new());
        for piece in text.chunks(step) {
            input.extend_from_slice(piece);
            loop {
                match reader.next(&mut input, 8) {
                    Line::Incomplete => break,
                    Line::Complete(octets) => found.push(Ok(input.split_to(octets).to_vec())),
                    fault => found.push(Err(fault)),
                }
            }
            assert!(input.len() < 8);
        }
        found
    }

    #[test]
    fn only_crlf_ends_a_line_rfc_5321_2_3_8() {
        let good = |text: &str| Ok(text.as_bytes().to_vec());
        for (text, expected) in [
            ("NOOP\r\n\r\n", vec![good("NOOP\r\n"), good("\r\n")]),
            ("a\nb\r\nc\r\n", vec![Err(Line::BareLineEnd), good("c\r\n")]),
            ("a\rb\r\nc\r\n", vec![Err(Line::BareLineEnd), good("c\r\n")]),
            ("\r\r\nc\r\n", vec![Err(Line::BareLineEnd), good("c\r\n")]),
            ("\n\r\nc\r\n", vec![Err(Line::BareLineEnd), good("c\r\n")]),
            ("a\0\n\r\r\nc\r\n", vec![Err(Line::BareLineEnd), good("c\r\n")]),
            ("123456\r\nc\r\n", vec![good("123456\r\n"), good("c\r\n")]),
            ("1234567\r\nc\r\n", vec![Err(Line::TooLong), good("c\r\n")]),
            ("12345678901\n2\0\r3\r\nc\r\n", vec![Err(Line::TooLong), good("c\r\n")]),
            ("1234567\n\r\nc\r\n", vec![Err(Line::BareLineEnd), good("c\r\n")]),
            ("half", vec![]),
        ] {
            for step in 1..=text.len() {
                assert_eq!(lines(text.as_bytes(), step), expected, "{text:?} in pieces of {step}");
            }
        }
    }
}
