//! Canonicalisation for DKIM and ARC (RFC 6376 3.4). The body goes by in pieces and is never held: what is kept of it is a hash,
//! and a count of the line ends that may or may not belong to it.

use aws_lc_rs::digest::{Context, SHA256};

/// What is gathered before it is hashed.
const PIECE_OCTETS: usize = 8 << 10;

/// How much a message may change on its way without a signature breaking.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Canonicalization {
    /// Not at all, but for empty lines at the end (RFC 6376 3.4.3).
    Simple,
    /// Blanks may become more or fewer (RFC 6376 3.4.4).
    Relaxed,
}

/// A finished hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BodyDigest {
    /// The form that was hashed.
    pub canonicalization: Canonicalization,
    /// How many octets of it were wanted; `None`: all.
    pub length: Option<u64>,
    /// Whether there were so many.
    pub is_whole: bool,
    /// The SHA-256.
    pub hash: [u8; 32],
}

/// The SHA-256 of a canonical body.
pub struct BodyHash {
    canonicalization: Canonicalization,
    /// Only so many octets of the canonical body are hashed (`l=`, RFC 6376 3.5).
    length: Option<u64>,
    /// Octets of the canonical body so far.
    octets: u64,
    context: Context,
    gathered: Vec<u8>,
    /// A CR was seen that may begin a line end.
    cr: bool,
    /// Blanks were seen that count only if something follows on the same line.
    blank: bool,
    /// Line ends were seen that count only if something follows.
    line_ends: u64,
    has_content: bool,
}

impl BodyHash {
    /// The hash of nothing yet.
    pub fn new(canonicalization: Canonicalization) -> BodyHash {
        BodyHash {
            canonicalization,
            length: None,
            octets: 0,
            context: Context::new(&SHA256),
            gathered: Vec::with_capacity(PIECE_OCTETS),
            cr: false,
            blank: false,
            line_ends: 0,
            has_content: false,
        }
    }

    /// The same of only the first octets of the canonical body.
    pub fn of_length(canonicalization: Canonicalization, length: Option<u64>) -> BodyHash {
        BodyHash { length, ..BodyHash::new(canonicalization) }
    }

    /// Which kind it is.
    pub fn canonicalization(&self) -> Canonicalization {
        self.canonicalization
    }

    /// Takes the next octets of the body.
    pub fn update(&mut self, mut octets: &[u8]) {
        while let Some(&octet) = octets.first() {
            if std::mem::take(&mut self.cr) {
                if octet == b'\n' {
                    // Blanks at the end of a line are gone (RFC 6376 3.4.4).
                    self.blank = false;
                    self.line_ends += 1;
                    octets = &octets[1..];
                    continue;
                }
                self.content(b"\r");
            }
            let is_relaxed = self.canonicalization == Canonicalization::Relaxed;
            match octet {
                b'\r' => {
                    self.cr = true;
                    octets = &octets[1..];
                }
                b' ' | b'\t' if is_relaxed => {
                    self.blank = true;
                    octets = &octets[1..];
                }
                _ => {
                    let end =
                        if is_relaxed { memchr::memchr3(b'\r', b' ', b'\t', octets) } else { memchr::memchr(b'\r', octets) };
                    let (content, rest) = octets.split_at(end.unwrap_or(octets.len()));
                    self.content(content);
                    octets = rest;
                }
            }
        }
    }

    /// What certainly belongs to the body, with all that stood in front of it.
    fn content(&mut self, octets: &[u8]) {
        while self.line_ends > 0 {
            self.gather(b"\r\n");
            self.line_ends -= 1;
        }
        if std::mem::take(&mut self.blank) {
            self.gather(b" ");
        }
        self.gather(octets);
        self.has_content = true;
    }

    fn gather(&mut self, octets: &[u8]) {
        let wanted = self.length.map_or(u64::MAX, |length| length.saturating_sub(self.octets));
        self.octets = self.octets.saturating_add(octets.len() as u64);
        let octets = &octets[..octets.len().min(usize::try_from(wanted).unwrap_or(usize::MAX))];
        if self.gathered.len() + octets.len() > PIECE_OCTETS {
            self.context.update(&self.gathered);
            self.gathered.clear();
        }
        if octets.len() > PIECE_OCTETS { self.context.update(octets) } else { self.gathered.extend_from_slice(octets) }
    }

    /// The hash of the whole, or of what is wanted of it.
    pub fn finish(self) -> [u8; 32] {
        self.digest().hash
    }

    /// The same, with what was hashed.
    pub fn digest(mut self) -> BodyDigest {
        // Blanks are dropped at the end of a line, and what has no line end is none: others read it so too.
        if self.cr {
            self.content(b"\r");
        } else if self.blank {
            self.content(b"");
        }
        // One line end at the end, however many there were. A body without content is empty (RFC 6376 3.4.4), or for `simple` a
        // line end (RFC 6376 3.4.3).
        if self.has_content || self.canonicalization == Canonicalization::Simple {
            self.gather(b"\r\n");
        }
        self.context.update(&self.gathered);
        let mut hash = [0; 32];
        hash.copy_from_slice(self.context.finish().as_ref());
        // A signature over more than there is covers another body (RFC 6376 3.5).
        let is_whole = self.length.is_none_or(|length| length <= self.octets);
        BodyDigest { canonicalization: self.canonicalization, length: self.length, is_whole, hash }
    }
}

/// Appends a field in relaxed form, without its line end (RFC 6376 3.4.2). `value` is what stands behind the colon.
pub fn relax_field(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend(name.iter().map(u8::to_ascii_lowercase));
    out.push(b':');
    let is_blank = |octet: &u8| matches!(octet, b' ' | b'\t' | b'\r' | b'\n');
    let words = value.split(is_blank).filter(|word| !word.is_empty());
    for (place, word) in words.enumerate() {
        if place > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::digest::digest;
    use proptest::prelude::*;

    fn hash(canonicalization: Canonicalization, pieces: &[&[u8]]) -> [u8; 32] {
        let mut body = BodyHash::new(canonicalization);
        pieces.iter().for_each(|piece| body.update(piece));
        body.finish()
    }

    fn is(canonicalization: Canonicalization, body: &str, canonical: &str) {
        let found = hash(canonicalization, &[body.as_bytes()]);
        assert_eq!(&found, digest(&SHA256, canonical.as_bytes()).as_ref(), "{canonicalization:?} {body:?}");
    }

    #[test]
    fn every_shape_of_a_body() {
        use Canonicalization::{Relaxed, Simple};
        for (body, simple, relaxed) in [
            ("", "\r\n", ""),
            ("\r\n", "\r\n", ""),
            ("\r\n\r\n", "\r\n", ""),
            (" \t\r\n", " \t\r\n", ""),
            ("a", "a\r\n", "a\r\n"),
            ("a\r\n \t", "a\r\n \t\r\n", "a\r\n \r\n"),
            ("a\r\n", "a\r\n", "a\r\n"),
            ("a\r\n\r\n\r\n", "a\r\n", "a\r\n"),
            ("a\r\n \r\n\t\r\n", "a\r\n \r\n\t\r\n", "a\r\n"),
            (" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"),
            ("a\r\n\r\nb", "a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n"),
            ("a\rb\r\n", "a\rb\r\n", "a\rb\r\n"),
            ("a \r", "a \r\r\n", "a \r\r\n"),
            ("a\nb \n", "a\nb \n\r\n", "a\nb \n\r\n"),
        ] {
            is(Simple, body, simple);
            is(Relaxed, body, relaxed);
        }
    }

    #[test]
    fn a_length_counts_octets_of_the_canonical_body() {
        let body = b"a  b \r\nc\r\n\r\n";
        for (length, canonical, is_whole) in
            [(0, "", true), (2, "a ", true), (5, "a b\r\n", true), (8, "a b\r\nc\r\n", true), (9, "a b\r\nc\r\n", false)]
        {
            let mut hash = BodyHash::of_length(Canonicalization::Relaxed, Some(length));
            hash.update(body);
            let found = hash.digest();
            assert_eq!(&found.hash, digest(&SHA256, canonical.as_bytes()).as_ref(), "{length}");
            assert_eq!((found.length, found.is_whole), (Some(length), is_whole), "{length}");
        }
    }

    #[test]
    fn fields_relax_as_the_rfc_shows() {
        let mut out = Vec::new();
        relax_field(b"A", b" X\r\n", &mut out);
        relax_field(b"B", b" Y\t\r\n\tZ  \r\n", &mut out);
        assert_eq!(out, b"a:Xb:Y Z");
    }

    proptest! {
        #[test]
        fn pieces_hash_as_the_whole(body in "[ab \t\r\n]{0,200}", cut in 0usize..200) {
            let body = body.as_bytes();
            let (head, tail) = body.split_at(cut.min(body.len()));
            for kind in [Canonicalization::Simple, Canonicalization::Relaxed] {
                prop_assert_eq!(hash(kind, &[head, tail]), hash(kind, &[body]));
            }
        }
    }
}
