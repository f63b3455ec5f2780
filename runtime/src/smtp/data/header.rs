//! Looks at the field names of a message as it comes in: how many Received fields, and whether Date, Message-ID and From are
//! there, and what TLS-Required says. No other field is parsed, and the body is never looked at.

/// What the header block holds (RFC 5322 3.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HeaderFacts {
    /// How many Received fields: each is one hop (RFC 5321 6.3).
    pub received: u32,
    /// There is a Date field.
    pub date: bool,
    /// There is a Message-ID field.
    pub message_id: bool,
    /// There is a From field.
    pub from: bool,
    /// There is `TLS-Required: No` (RFC 8689 3).
    pub tls_optional: bool,
}

/// The longest name that we look for.
const NAME_MAX_OCTETS: usize = b"tls-required".len();

/// Where in the message the scan is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// At the beginning of a line.
    LineStart,
    /// In a field name: so many octets of it are known.
    Name(usize),
    /// In blanks between a name of so many octets and its colon (RFC 5322 4.5).
    AfterName(usize),
    /// In the value of TLS-Required: blanks, or so many octets of `no`, and then blanks.
    Wish(usize),
    /// Behind a colon, or in a folded line.
    Value,
    /// Behind the header block.
    Body,
}

/// The scanner: fed with the message, line by line, each in as many pieces as it came in.
#[derive(Debug)]
pub(super) struct HeaderScan {
    place: Place,
    name: [u8; NAME_MAX_OCTETS],
    facts: HeaderFacts,
}

impl HeaderScan {
    pub(super) fn new() -> HeaderScan {
        HeaderScan { place: Place::LineStart, name: [0; NAME_MAX_OCTETS], facts: HeaderFacts::default() }
    }

    pub(super) fn facts(&self) -> HeaderFacts {
        self.facts
    }

    /// Whether the header block has ended.
    pub(super) fn is_over(&self) -> bool {
        self.place == Place::Body
    }

    /// Takes a piece of a line, without its line end.
    pub(super) fn piece(&mut self, octets: &[u8]) {
        for &octet in octets {
            self.place = match (self.place, octet) {
                (Place::Value | Place::Body, _) => return,
                (Place::LineStart, b' ' | b'\t') => Place::Value,
                (Place::Name(length) | Place::AfterName(length), b':') => {
                    self.count(length);
                    if self.name.get(..length) == Some(b"tls-required") { Place::Wish(0) } else { Place::Value }
                }
                (Place::Wish(at @ (0 | 2)), b' ' | b'\t') => Place::Wish(at),
                (Place::Wish(0), b'n' | b'N') => Place::Wish(1),
                (Place::Wish(1), b'o' | b'O') => Place::Wish(2),
                (Place::Wish(_), _) => Place::Value,
                (Place::Name(length) | Place::AfterName(length), b' ' | b'\t') => Place::AfterName(length),
                (Place::LineStart, b'!'..=b'9' | b';'..=b'~') => self.push(0, octet),
                (Place::Name(length), b'!'..=b'9' | b';'..=b'~') => self.push(length, octet),
                // No field can begin so (RFC 5322 2.2): the body has begun without a blank line.
                _ => Place::Body,
            };
        }
    }

    /// The line is over.
    pub(super) fn end_line(&mut self) {
        self.facts.tls_optional |= self.place == Place::Wish(2);
        self.place = match self.place {
            Place::Value | Place::Wish(_) => Place::LineStart,
            // A blank line, or a line without a colon.
            _ => Place::Body,
        };
    }

    /// Keeps what a name can be told by; a longer one cannot be any that we look for.
    fn push(&mut self, length: usize, octet: u8) -> Place {
        if let Some(slot) = self.name.get_mut(length) {
            *slot = octet.to_ascii_lowercase();
        }
        Place::Name((length + 1).min(NAME_MAX_OCTETS + 1))
    }

    fn count(&mut self, length: usize) {
        match self.name.get(..length) {
            Some(b"received") => self.facts.received = self.facts.received.saturating_add(1),
            Some(b"date") => self.facts.date = true,
            Some(b"message-id") => self.facts.message_id = true,
            Some(b"from") => self.facts.from = true,
            _ => {}
        }
    }
}
