//! Turns the octets behind DATA or BDAT into message content, and finds out what is wrong with it.
//!
//! The decoder never stops early: a message at fault is read to its end, so that the reply falls where the client expects it, but
//! nothing of it is kept. Which fault is told does not depend on how the octets were split on the way. Called by the server.

use super::header::{HeaderFacts, HeaderScan};
use postern_schema::reply::Reply;

/// The longest line of text that is taken, in octets without its CRLF. RFC 5321 4.5.3.1.6 obliges us to 998; some programs that
/// send mail write a whole paragraph as one line.
pub const TEXT_LINE_MAX_OCTETS: usize = 64 << 10;

/// The most that is set aside for a message before any of it is there, in octets.
const RESERVE_MAX_OCTETS: u64 = 64 << 10;

/// How content is delimited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    /// DATA: dots are stuffed, and a lone dot ends it (RFC 5321 4.5.2).
    Dots,
    /// BDAT: octets are counted, and dots mean nothing (RFC 3030 2).
    Counted,
    /// BDAT after BODY=BINARYMIME: the same, and below the header any octet may stand (RFC 3030 3). What such a decoder lets through is
    /// for [`super::TextForm`].
    Binary,
}

/// A whole, well-formed message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The content that was not taken from the session before ([`crate::smtp::server::Server::take_body`]), with CRLF line ends
    /// and no stuffed dots.
    pub body: Vec<u8>,
    /// Octets of the whole content.
    pub octets: u64,
    /// What its header block holds.
    pub header: HeaderFacts,
    /// It holds octets beyond ASCII, so passing it on needs 8BITMIME (RFC 6152).
    pub eight_bit: bool,
}

/// What the next octet stands behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// A CRLF, or the beginning.
    LineStart,
    /// A bare LF that was mended: what only CRLF can begin does not begin here.
    MendedStart,
    /// A dot behind such a bare LF, set aside.
    MendedDot,
    /// Text.
    InLine,
    /// A CR within or behind text.
    Cr,
    /// A dot that is the first octet of its line, set aside.
    Dot,
    /// Such a dot and a CR, both set aside.
    DotCr,
}

/// The decoder of one message.
#[derive(Debug)]
pub struct Decoder {
    framing: Framing,
    mends: bool,
    place: Place,
    limit_octets: u64,
    hops: u32,
    body: Vec<u8>,
    octets: u64,
    line_octets: usize,
    eight_bit: bool,
    bare_line_end: bool,
    line_too_long: bool,
    header: HeaderScan,
}

impl Decoder {
    /// A decoder for a message of at most `limit_octets`, with at most `hops` Received fields. `declared_octets` is what the
    /// client said of its size: no more than a hint.
    pub fn new(framing: Framing, limit_octets: u64, hops: u32, declared_octets: u64) -> Decoder {
        let reserve = declared_octets.min(limit_octets).min(RESERVE_MAX_OCTETS) as usize;
        Decoder {
            framing,
            mends: false,
            place: Place::LineStart,
            limit_octets,
            hops,
            body: Vec::with_capacity(reserve),
            octets: 0,
            line_octets: 0,
            eight_bit: false,
            bare_line_end: false,
            line_too_long: false,
            header: HeaderScan::new(),
        }
    }

    /// Mends a CR or LF that stands alone rather than find fault with it: LF becomes CRLF, and CR a blank. What ends the message
    /// is the same as ever, so that no two readers can differ about it.
    pub fn mending(mut self, mends: bool) -> Decoder {
        self.mends = mends;
        self
    }

    /// Takes input. `None`: all of it was content. `Some(n)`: the end marker was found, and `n` octets are used up with it; only
    /// [`Framing::Dots`] has one.
    pub fn feed(&mut self, input: &[u8]) -> Option<usize> {
        let mut at = 0;
        // What lies between here and `at` is content that was not copied yet: copying is done in runs, not in lines.
        let mut kept = 0;
        while at < input.len() {
            if self.is_beyond_lines() {
                self.place = Place::LineStart;
                break;
            }
            match self.place {
                Place::LineStart if input[at] == b'.' && self.framing == Framing::Dots => {
                    self.keep(&input[kept..at]);
                    at += 1;
                    kept = at;
                    self.place = Place::Dot;
                }
                Place::MendedStart if input[at] == b'.' && self.framing == Framing::Dots => {
                    self.keep(&input[kept..at]);
                    at += 1;
                    kept = at;
                    self.place = Place::MendedDot;
                }
                // Doubled by the rules of the wire, or a text of its own: alone on its line it ends nothing.
                Place::MendedDot => {
                    if input[at] != b'.' {
                        self.keep(b".");
                    }
                    self.place = Place::InLine;
                }
                Place::LineStart | Place::MendedStart | Place::InLine => {
                    let stop = memchr::memchr3(b'\r', b'\n', 0, &input[at..]).map_or(input.len(), |offset| at + offset);
                    self.text(&input[at..stop]);
                    at = stop;
                    self.place = Place::InLine;
                    if let Some(&octet) = input.get(at) {
                        at += 1;
                        if octet != 0 && self.mends {
                            // Set aside until it is known what it stands for.
                            self.keep(&input[kept..at - 1]);
                            kept = at;
                            if octet == b'\r' {
                                self.place = Place::Cr;
                            } else {
                                self.keep(b"\r\n");
                                self.end_line();
                                self.place = Place::MendedStart;
                            }
                        } else if octet == b'\r' {
                            self.place = Place::Cr;
                        } else {
                            self.bare_line_end = true;
                        }
                    }
                }
                Place::Cr if input[at] == b'\n' => {
                    at += 1;
                    if self.mends {
                        self.keep(b"\r\n");
                        kept = at;
                    }
                    self.end_line();
                }
                Place::Dot if input[at] == b'\r' => {
                    at += 1;
                    kept = at;
                    self.place = Place::DotCr;
                }
                // A stuffed dot: what follows it is the line.
                Place::Dot => self.place = Place::InLine,
                Place::DotCr if input[at] == b'\n' => return Some(at + 1),
                Place::Cr if self.mends => {
                    self.keep(b" ");
                    self.place = Place::InLine;
                }
                Place::DotCr if self.mends => {
                    // A stuffed dot, a CR that is none of a line end, and text.
                    self.keep(b" ");
                    self.place = Place::InLine;
                }
                Place::Cr | Place::DotCr => {
                    self.bare_line_end = true;
                    self.place = Place::InLine;
                }
            }
        }
        self.keep(&input[kept..]);
        None
    }

    /// Octets that came so far.
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// Octets that are held here, and that [`Decoder::take_body`] would give.
    pub fn body_octets(&self) -> usize {
        self.body.len()
    }

    /// Takes the content that came so far.
    pub fn take_body(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.body)
    }

    /// What is wrong with the message so far. The order is fixed, so that no accident of timing picks the fault.
    pub fn fault(&self) -> Option<Reply> {
        if self.octets > self.limit_octets {
            Some(Reply::TOO_BIG)
        } else if self.bare_line_end {
            Some(Reply::BARE_LINE_END_IN_MESSAGE)
        } else if self.line_too_long {
            Some(Reply::TEXT_LINE_TOO_LONG)
        } else if self.header.facts().received > self.hops {
            Some(Reply::TOO_MANY_HOPS)
        } else {
            None
        }
    }

    /// The message, once it is there in full. Content that came by BDAT and ends within a line gets the missing CRLF.
    ///
    /// # Errors
    /// The reply to a message at fault.
    pub fn finish(mut self) -> Result<Message, Reply> {
        match self.place {
            Place::InLine => self.keep(b"\r\n"),
            Place::Cr if self.mends => self.keep(b"\r\n"),
            Place::Cr => self.bare_line_end = true,
            Place::LineStart | Place::MendedStart | Place::MendedDot | Place::Dot | Place::DotCr => {}
        }
        match self.fault() {
            Some(reply) => Err(reply),
            None => Ok(Message { body: self.body, octets: self.octets, header: self.header.facts(), eight_bit: self.eight_bit }),
        }
    }

    /// Whether any octet may stand here.
    fn is_beyond_lines(&self) -> bool {
        self.framing == Framing::Binary && self.header.is_over()
    }

    fn text(&mut self, text: &[u8]) {
        self.line_octets += text.len();
        self.line_too_long |= self.line_octets > TEXT_LINE_MAX_OCTETS;
        self.header.piece(text);
    }

    fn end_line(&mut self) {
        self.line_octets = 0;
        self.header.end_line();
        self.place = Place::LineStart;
    }

    fn keep(&mut self, content: &[u8]) {
        self.octets = self.octets.saturating_add(content.len() as u64);
        if self.octets > self.limit_octets || self.bare_line_end || self.line_too_long {
            self.body = Vec::new();
        } else {
            self.eight_bit |= !content.is_ascii();
            self.body.extend_from_slice(content);
        }
    }
}
