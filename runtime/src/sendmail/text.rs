//! Text of a local program as lines of SMTP: ended by CRLF, without NUL, none longer than everybody takes.

/// Where an over-long line is broken, in octets; a blank begins the next (RFC 5321 4.5.3.1.6 allows 998).
const LINE_OCTETS: usize = 990;

/// The text with CRLF line ends, whichever it had. `dots`: a line of one dot ends it.
pub fn canonical(text: &[u8], dots: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 32);
    let mut lines = text.split(|octet| *octet == b'\n').peekable();
    while let Some(line) = lines.next() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if dots && line == b"." {
            break;
        }
        // What stands behind the last line end is a line only if it is something.
        if line.is_empty() && lines.peek().is_none() {
            break;
        }
        for part in line.split(|octet| *octet == b'\r') {
            push_line(part, &mut out);
        }
    }
    out
}

fn push_line(line: &[u8], out: &mut Vec<u8>) {
    let clean: Vec<u8> = line.iter().copied().filter(|octet| *octet != 0).collect();
    let mut rest = clean.as_slice();
    while rest.len() > LINE_OCTETS {
        // No character of UTF-8 is cut in two.
        let at = (LINE_OCTETS - 3..=LINE_OCTETS).rev().find(|at| rest[*at] & 0xc0 != 0x80).unwrap_or(LINE_OCTETS);
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(b"\r\n ");
        rest = &rest[at..];
    }
    out.extend_from_slice(rest);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_they_must() {
        assert_eq!(canonical(b"a\nb\r\nc\rd\0\n\ne", true), b"a\r\nb\r\nc\r\nd\r\n\r\ne\r\n");
        assert_eq!(canonical(b"", true), b"");
        assert_eq!(canonical(b"a\n.\nb\n", true), b"a\r\n");
        assert_eq!(canonical(b"a\n.\n..b\n", false), b"a\r\n.\r\n..b\r\n");
    }

    #[test]
    fn no_line_is_too_long_for_anybody() {
        let text = canonical(&"\u{e4}".repeat(2000).into_bytes(), true);
        let text = String::from_utf8(text).unwrap();
        assert!(text.split("\r\n").all(|line| line.len() <= 998));
        assert_eq!(text.replace("\r\n ", "").trim_end().chars().count(), 2000);
    }
}
