//! The header of a message: gathered while the message comes in, kept until its end, and read as fields. Nothing is changed in
//! it but that fields which claim to be ours are taken out.

use mail_auth::AuthenticatedMessage;
use postern_schema::name::{Domain, Mailbox};
use std::ops::Range;

/// The largest header that is looked at. A message with a larger one is refused: what must be signed or judged is held in memory.
pub const HEADER_LIMIT_OCTETS: usize = 1 << 20;

/// A whole header, with the empty line that ends it where there is one.
#[derive(Clone, Debug, Default)]
pub struct Header {
    octets: Vec<u8>,
    fields: Vec<Range<usize>>,
}

/// One field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field<'a> {
    /// What stands before the colon, without blanks behind it; empty for a line that is no field.
    pub name: &'a [u8],
    /// What stands behind it, with the line end.
    pub value: &'a [u8],
    /// All of it.
    pub octets: &'a [u8],
}

impl Header {
    /// Takes a header apart.
    pub fn new(octets: Vec<u8>) -> Header {
        let mut fields: Vec<Range<usize>> = Vec::new();
        let mut start = 0;
        for end in memchr::memmem::find_iter(&octets, b"\r\n").map(|at| at + 2).chain([octets.len()]) {
            let line = &octets[start..end];
            match (line, fields.last_mut()) {
                (b"" | b"\r\n", _) => {}
                ([b' ' | b'\t', ..], Some(field)) => field.end = end,
                _ => fields.push(start..end),
            }
            start = end;
        }
        Header { octets, fields }
    }

    /// All of it.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The fields, from the top.
    pub fn fields(&self) -> impl DoubleEndedIterator<Item = Field<'_>> {
        self.fields.iter().map(|range| {
            let octets = &self.octets[range.clone()];
            let (name, value) = match memchr::memchr(b':', octets) {
                Some(colon) => (octets[..colon].trim_ascii_end(), &octets[colon + 1..]),
                None => (&b""[..], octets),
            };
            Field { name, value, octets }
        })
    }

    /// The domains of the From field, each once, in order. One that is none is left out.
    pub fn from_domains(&self) -> Vec<Domain> {
        let mut domains = Vec::new();
        let parsed = AuthenticatedMessage::parse(&self.octets);
        for address in parsed.iter().flat_map(|message| message.froms()) {
            if let Some(Ok(domain)) = address.rsplit_once('@').map(|(_, domain)| Domain::parse(domain))
                && !domains.contains(&domain)
            {
                domains.push(domain);
            }
        }
        domains
    }

    /// How many From fields there are (RFC 5322 3.6: one).
    pub fn from_fields(&self) -> usize {
        self.fields().filter(|field| field.name.eq_ignore_ascii_case(b"from")).count()
    }

    /// Every address in the From fields, in order; `None` for one that is none.
    pub fn from_mailboxes(&self) -> Vec<Option<Mailbox>> {
        let parsed = AuthenticatedMessage::parse(&self.octets);
        parsed.iter().flat_map(|message| message.froms()).map(|address| Mailbox::parse(address).ok()).collect()
    }

    /// Whether there is a field of that name.
    pub fn has(&self, name: &str) -> bool {
        self.fields().any(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// The header with whole fields behind its own. A line that is no field ends the header, so they stand before it; and text
    /// that has no header gets one.
    pub fn with(&self, fields: &[u8]) -> Header {
        if fields.is_empty() {
            return self.clone();
        }
        let named: Vec<bool> = self.fields().map(|field| !field.name.is_empty()).collect();
        let count = named.iter().position(|is_named| !is_named).unwrap_or(named.len());
        let end = count.checked_sub(1).map_or(0, |last| self.fields[last].end);
        let rest = &self.octets[end..];
        let is_text = count < named.len();
        Header::new([&self.octets[..end], fields, if is_text { b"\r\n" } else { b"" }, rest].concat())
    }

    /// The header without fields that the test picks.
    pub fn without(&self, is_unwanted: impl Fn(&Field<'_>) -> bool) -> Header {
        let unwanted: Vec<bool> = self.fields().map(|field| is_unwanted(&field)).collect();
        if !unwanted.contains(&true) {
            return self.clone();
        }
        let end = self.fields.last().map_or(0, |range| range.end);
        let kept = self.fields.iter().zip(unwanted).filter(|(_, unwanted)| !unwanted);
        let mut octets: Vec<u8> = kept.flat_map(|(range, _)| &self.octets[range.clone()]).copied().collect();
        octets.extend_from_slice(&self.octets[end..]);
        Header::new(octets)
    }
}

/// Finds the end of the header in a message that comes in pieces.
#[derive(Debug, Default)]
pub struct HeaderGatherer {
    octets: Vec<u8>,
}

/// The header is larger than [`HEADER_LIMIT_OCTETS`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeaderTooLarge;

impl HeaderGatherer {
    /// Takes a piece. Once the empty line is there: the header, and the part of the piece that is body.
    ///
    /// # Errors
    /// [`HeaderTooLarge`].
    pub fn feed<'a>(&mut self, piece: &'a [u8]) -> Result<Option<(Header, &'a [u8])>, HeaderTooLarge> {
        let known = self.octets.len();
        // More than the limit is not taken in, however large the piece.
        let taken = &piece[..piece.len().min(HEADER_LIMIT_OCTETS + 4 - known.min(HEADER_LIMIT_OCTETS))];
        self.octets.extend_from_slice(taken);
        let end = if self.octets.starts_with(b"\r\n") {
            Some(2)
        } else {
            let from = known.saturating_sub(3);
            memchr::memmem::find(&self.octets[from..], b"\r\n\r\n").map(|at| from + at + 4)
        };
        match end {
            Some(end) => {
                self.octets.truncate(end);
                let header = Header::new(std::mem::take(&mut self.octets));
                Ok(Some((header, &piece[end - known..])))
            }
            None if self.octets.len() > HEADER_LIMIT_OCTETS => Err(HeaderTooLarge),
            None => Ok(None),
        }
    }

    /// The header of a message without a body.
    pub fn finish(self) -> Header {
        Header::new(self.octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_and_what_is_none() {
        let header = Header::new(b"From: a@example.com\r\nSubject : b\r\n c\r\nrubbish\r\n\r\n".to_vec());
        let fields: Vec<(&[u8], &[u8])> = header.fields().map(|field| (field.name, field.value)).collect();
        let expected: [(&[u8], &[u8]); 3] =
            [(b"From", b" a@example.com\r\n"), (b"Subject", b" b\r\n c\r\n"), (b"", b"rubbish\r\n")];
        assert_eq!(fields, expected);
        let kept = header.without(|field| field.name == b"Subject");
        assert_eq!(kept.octets(), b"From: a@example.com\r\nrubbish\r\n\r\n");
    }

    #[test]
    fn the_domains_of_from() {
        let domains = |text: &str| {
            let header = Header::new(text.as_bytes().to_vec());
            header.from_domains().iter().map(Domain::to_string).collect::<Vec<_>>()
        };
        assert_eq!(domains("From: \"a@b.example\" <x@Example.COM>\r\n\r\n"), ["example.com"]);
        assert_eq!(
            domains("To: x@example.com\r\nFrom:\r\n x@a.example,\r\n y@b.example, z@a.example\r\n"),
            ["a.example", "b.example"]
        );
        assert_eq!(domains("From: nobody\r\n\r\n"), Vec::<String>::new());
    }

    #[test]
    fn a_header_without_end_is_too_large() {
        let mut gatherer = HeaderGatherer::default();
        let line = [b'a'; 4096];
        let mut fed = 0;
        while gatherer.feed(&line).is_ok() {
            fed += line.len();
        }
        assert!(fed <= HEADER_LIMIT_OCTETS);
    }

    proptest! {
        #[test]
        fn however_it_is_cut_the_header_ends_in_one_place(text in "[a:\r\n]{0,60}", cut in 0usize..60) {
            let octets = text.as_bytes();
            let (head, tail) = octets.split_at(cut.min(octets.len()));
            let whole = HeaderGatherer::default().feed(octets).unwrap().map(|(header, body)| (header.octets, body.len()));
            let mut gatherer = HeaderGatherer::default();
            let cut = match gatherer.feed(head).unwrap() {
                Some((header, body)) => Some((header.octets, body.len() + tail.len())),
                None => gatherer.feed(tail).unwrap().map(|(header, body)| (header.octets, body.len())),
            };
            prop_assert_eq!(whole, cut);
        }
    }
}
