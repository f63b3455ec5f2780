//! Turns message content into the octets behind DATA (RFC 5321 4.5.2). Called by the client.

/// The encoder of one message.
///
/// Content may come in pieces of any size. A dot that begins a line is doubled. A CR or LF alone is sent as CRLF: it may not be
/// sent as it is (RFC 5321 2.3.8), and a peer that took it for a line end could be made to see a second message.
#[derive(Debug, Default)]
pub struct Encoder {
    place: Place,
}

/// What the next octet stands behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Place {
    /// A line end, or the beginning.
    #[default]
    LineStart,
    /// Text.
    InLine,
    /// A CR, which is not written yet.
    Cr,
}

impl Encoder {
    /// Appends the wire form of the next piece of content to `out`.
    pub fn encode(&mut self, content: &[u8], out: &mut Vec<u8>) {
        let mut at = 0;
        // What lies between here and `at` goes out as it is.
        let mut kept = 0;
        while at < content.len() {
            match self.place {
                Place::Cr => {
                    out.extend_from_slice(b"\r\n");
                    at += usize::from(content[at] == b'\n');
                    kept = at;
                    self.place = Place::LineStart;
                }
                Place::LineStart if content[at] == b'.' => {
                    out.extend_from_slice(&content[kept..at]);
                    out.push(b'.');
                    kept = at;
                    self.place = Place::InLine;
                }
                Place::LineStart | Place::InLine => {
                    at = memchr::memchr2(b'\r', b'\n', &content[at..]).map_or(content.len(), |offset| at + offset);
                    self.place = Place::InLine;
                    if content[at..].starts_with(b"\r\n") {
                        at += 2;
                        self.place = Place::LineStart;
                    } else if let Some(&octet) = content.get(at) {
                        out.extend_from_slice(&content[kept..at]);
                        at += 1;
                        kept = at;
                        self.place = Place::Cr;
                        if octet == b'\n' {
                            out.extend_from_slice(b"\r\n");
                            self.place = Place::LineStart;
                        }
                    }
                }
            }
        }
        out.extend_from_slice(&content[kept..]);
    }

    /// Appends the end: the line end that content may lack, and the lone dot.
    pub fn finish(self, out: &mut Vec<u8>) {
        if self.place != Place::LineStart {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
    }
}
