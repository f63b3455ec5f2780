//! A message that came with BODY=BINARYMIME (RFC 3030 3), as one that any host takes: its binary parts become base64, and nothing
//! else changes. It is done once, at the door, so that everything behind it knows lines of text alone, and a peer that takes no
//! binary needs no bounce.
//!
//! What a part says of itself decides: `Content-Transfer-Encoding: binary` (RFC 2045 6.2). Octets that are no text in a part that
//! claims to be text are a fault. Called by the transaction, for what a counted [`super::Decoder`] has let through.

use super::TEXT_LINE_MAX_OCTETS;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use postern_schema::reply::Reply;

/// The octets that make up one line of base64 (RFC 2045 6.8: 76 characters).
const BASE64_LINE_OCTETS: usize = 57;
/// The longest line that can be a delimiter: `--`, 70 characters of boundary, `--` (RFC 2046 5.1.1), and room for blanks.
const DELIMITER_MAX_OCTETS: usize = 256;
/// How deep parts are looked into; what lies deeper has to be text.
const DEPTH_MAX: usize = 32;
/// The largest header of one part, in octets.
const HEADER_MAX_OCTETS: usize = 1 << 20;

/// Where in the message the next line stands.
#[derive(Debug)]
enum Place {
    /// In the header of a message or part, gathered up to its blank line.
    Header { gathered: Vec<u8>, in_digest: bool },
    /// In text: a part, or what stands around parts.
    Text,
    /// In a binary part; so much of it makes no full line of base64 yet.
    Binary { pending: Vec<u8> },
}

/// A multipart entity that is open.
#[derive(Debug)]
struct Multipart {
    /// With the hyphens in front.
    delimiter: Vec<u8>,
    /// What has no type in it is a message (RFC 2046 5.1.5).
    is_digest: bool,
}

/// The converter of one message.
#[derive(Debug)]
pub struct TextForm {
    place: Place,
    open: Vec<Multipart>,
    /// The line at hand, as far as it came; only while it can still be a delimiter.
    line: Vec<u8>,
    /// The line at hand has begun before, and was passed on.
    is_continued: bool,
    /// A line end that belongs to the part unless a delimiter follows (RFC 2046 5.1.1).
    line_end: bool,
    line_octets: usize,
    fault: Option<Reply>,
    out: Vec<u8>,
}

impl Default for TextForm {
    fn default() -> TextForm {
        TextForm {
            place: Place::Header { gathered: Vec::new(), in_digest: false },
            open: Vec::new(),
            line: Vec::new(),
            is_continued: false,
            line_end: false,
            line_octets: 0,
            fault: None,
            out: Vec::new(),
        }
    }
}

impl TextForm {
    /// Takes a piece of the message, and gives what can be passed on by now.
    pub fn feed(&mut self, mut input: &[u8]) -> Vec<u8> {
        while !input.is_empty() {
            let end = memchr::memchr(b'\n', input).map_or(input.len(), |at| at + 1);
            let (piece, rest) = input.split_at(end);
            self.line.extend_from_slice(piece);
            input = rest;
            if self.line.ends_with(b"\r\n") {
                self.complete_line();
            } else if self.line.len() > DELIMITER_MAX_OCTETS && !matches!(self.place, Place::Header { .. }) {
                self.pass_on();
            } else if self.line.len() > HEADER_MAX_OCTETS {
                self.fail(Reply::HEADER_TOO_LARGE);
                self.line.clear();
            }
        }
        std::mem::take(&mut self.out)
    }

    /// The end of the message: the rest of it, which ends in a line end.
    ///
    /// # Errors
    /// The reply to a message that is no text where it says that it is.
    pub fn finish(mut self) -> Result<Vec<u8>, Reply> {
        let last = std::mem::take(&mut self.line);
        let is_whole = !self.is_continued;
        if !last.is_empty() && !(is_whole && self.end_of_part(&last)) {
            match &mut self.place {
                Place::Header { gathered, .. } => gathered.extend_from_slice(&last),
                Place::Text | Place::Binary { .. } => self.content(&last),
            }
        }
        self.end_header();
        // No delimiter follows, so the line end is content.
        self.content(b"");
        self.close_part();
        if self.line_octets > 0 {
            self.line_break();
        }
        self.fault.map_or(Ok(self.out), Err)
    }

    fn fail(&mut self, reply: Reply) {
        self.fault.get_or_insert(reply);
    }

    /// A line is too long for a delimiter: it is content, but for a CR at its end, which may begin a line end.
    fn pass_on(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        if line.last() == Some(&b'\r') {
            line.pop();
            self.line.push(b'\r');
        }
        self.content(&line);
        self.is_continued = true;
    }

    fn complete_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let text = &line[..line.len() - 2];
        let is_whole = !std::mem::take(&mut self.is_continued);
        if is_whole && self.end_of_part(text) {
            return;
        }
        match &mut self.place {
            Place::Header { gathered, .. } => {
                gathered.extend_from_slice(&line);
                if text.is_empty() {
                    self.end_header();
                } else if gathered.len() > HEADER_MAX_OCTETS {
                    gathered.clear();
                    self.fail(Reply::HEADER_TOO_LARGE);
                }
            }
            Place::Text | Place::Binary { .. } => {
                self.content(text);
                self.line_end = true;
            }
        }
    }

    /// Octets of a part, after the line end that turned out to be one of it.
    fn content(&mut self, octets: &[u8]) {
        if std::mem::take(&mut self.line_end) {
            match &mut self.place {
                Place::Binary { pending } => pending.extend_from_slice(b"\r\n"),
                _ => self.line_break(),
            }
        }
        if let Place::Binary { pending } = &mut self.place {
            pending.extend_from_slice(octets);
            let whole = pending.len() - pending.len() % BASE64_LINE_OCTETS;
            for line in pending[..whole].chunks(BASE64_LINE_OCTETS) {
                self.out.extend_from_slice(STANDARD.encode(line).as_bytes());
                self.out.extend_from_slice(b"\r\n");
            }
            pending.drain(..whole);
        } else {
            self.text(octets);
        }
    }

    fn text(&mut self, octets: &[u8]) {
        self.line_octets += octets.len();
        if memchr::memchr3(b'\r', b'\n', 0, octets).is_some() {
            self.fail(Reply::BARE_LINE_END_IN_MESSAGE);
        } else if self.line_octets > TEXT_LINE_MAX_OCTETS {
            self.fail(Reply::TEXT_LINE_TOO_LONG);
        } else {
            self.out.extend_from_slice(octets);
        }
    }

    fn line_break(&mut self) {
        self.out.extend_from_slice(b"\r\n");
        self.line_octets = 0;
    }

    /// Takes a line as a delimiter, if it is one: it ends every part inside of its own.
    fn end_of_part(&mut self, line: &[u8]) -> bool {
        let is_last = |multipart: &Multipart| {
            let rest = line.strip_prefix(&*multipart.delimiter)?;
            match rest.trim_ascii_end() {
                b"" => Some(false),
                b"--" => Some(true),
                _ => None,
            }
        };
        let found = self.open.iter().enumerate().rev().find_map(|(depth, open)| is_last(open).map(|last| (depth, last)));
        let Some((depth, is_last)) = found else { return false };
        self.end_header();
        self.close_part();
        self.open.truncate(depth + usize::from(!is_last));
        if std::mem::take(&mut self.line_end) || self.line_octets > 0 {
            self.line_break();
        }
        self.text(line);
        self.line_break();
        self.place = match self.open.last() {
            Some(open) if !is_last => Place::Header { gathered: Vec::new(), in_digest: open.is_digest },
            _ => Place::Text,
        };
        true
    }

    /// Writes what a binary part has left, which ends in a line end of its own.
    fn close_part(&mut self) {
        if let Place::Binary { pending } = &self.place {
            if !pending.is_empty() {
                self.out.extend_from_slice(STANDARD.encode(pending).as_bytes());
                self.out.extend_from_slice(b"\r\n");
            }
            self.line_end = false;
            self.place = Place::Text;
        }
    }

    /// Reads the header that was gathered, if one was, and passes it on as it has to be from now on.
    fn end_header(&mut self) {
        let Place::Header { gathered, in_digest } = &mut self.place else { return };
        let (header, in_digest) = (std::mem::take(gathered), *in_digest);
        let entity = Entity::read(&header, in_digest);
        let encoding = match (entity.is_binary, &entity.kind) {
            (false, _) => None,
            // Entities that hold others are what those are (RFC 2045 6.4).
            (true, Kind::Leaf) => Some("base64"),
            (true, Kind::Multipart { .. } | Kind::Message) => Some("8bit"),
        };
        for field in fields(&header) {
            match encoding {
                Some(encoding) if value_of(field, b"content-transfer-encoding").is_some() => {
                    self.out.extend_from_slice(format!("Content-Transfer-Encoding: {encoding}\r\n").as_bytes());
                }
                _ => self.header_text(field),
            }
        }
        self.place = match entity.kind {
            Kind::Leaf if entity.is_binary => Place::Binary { pending: Vec::new() },
            Kind::Message if self.open.len() < DEPTH_MAX => Place::Header { gathered: Vec::new(), in_digest: false },
            Kind::Multipart { delimiter, is_digest } if self.open.len() < DEPTH_MAX => {
                self.open.push(Multipart { delimiter, is_digest });
                Place::Text
            }
            Kind::Leaf | Kind::Message | Kind::Multipart { .. } => Place::Text,
        };
    }

    fn header_text(&mut self, field: &[u8]) {
        for line in field.split_inclusive(|octet| *octet == b'\n') {
            match line.strip_suffix(b"\r\n") {
                Some(text) => {
                    self.text(text);
                    self.line_break();
                }
                None => self.text(line),
            }
        }
    }
}

/// What a header says of the body below it.
struct Entity {
    kind: Kind,
    is_binary: bool,
}

enum Kind {
    Leaf,
    Message,
    Multipart { delimiter: Vec<u8>, is_digest: bool },
}

impl Entity {
    fn read(header: &[u8], in_digest: bool) -> Entity {
        let find = |name: &[u8]| fields(header).find_map(|field| value_of(field, name));
        let encoding = find(b"content-transfer-encoding").unwrap_or_default();
        let kind = match find(b"content-type") {
            None if in_digest => Kind::Message,
            None => Kind::Leaf,
            Some(value) => Kind::read(&value),
        };
        Entity { kind, is_binary: encoding.trim().eq_ignore_ascii_case("binary") }
    }
}

impl Kind {
    /// Reads the value of Content-Type (RFC 2045 5.1).
    fn read(value: &str) -> Kind {
        let (media, parameters) = value.split_once(';').unwrap_or((value, ""));
        let media = media.trim().to_ascii_lowercase();
        match (&*media, media.strip_prefix("multipart/"), boundary(parameters)) {
            ("message/rfc822" | "message/global", ..) => Kind::Message,
            (_, Some(subtype), Some(boundary)) => {
                Kind::Multipart { delimiter: format!("--{boundary}").into_bytes(), is_digest: subtype == "digest" }
            }
            _ => Kind::Leaf,
        }
    }
}

/// The boundary among the parameters of Content-Type, each a token or a quoted string.
fn boundary(mut parameters: &str) -> Option<String> {
    loop {
        let (name, rest) = parameters.split_once('=')?;
        let rest = rest.trim_start();
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let end = rest.find(|c: char| c == ';' || c.is_ascii_whitespace()).unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        if name.trim_matches([' ', '\t', ';', '\r', '\n']).eq_ignore_ascii_case("boundary") {
            let is_one = (1..=70).contains(&value.len());
            return Some(value.trim_end().to_owned()).filter(|value| is_one && !value.is_empty());
        }
        parameters = rest;
    }
}

/// A quoted string behind its first quote, and what follows it.
fn unquoted(quoted: &str) -> Option<(String, &str)> {
    let (mut value, mut characters) = (String::new(), quoted.char_indices());
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => value.push(character),
        }
    }
    None
}

/// The fields of a header, each with its continuation lines (RFC 5322 2.2.3); the blank line is one too.
fn fields(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = header;
    std::iter::from_fn(move || {
        let mut end = 0;
        while end < rest.len() {
            end += memchr::memchr(b'\n', &rest[end..]).map_or(rest.len() - end, |at| at + 1);
            if !matches!(rest.get(end), Some(b' ' | b'\t')) {
                break;
            }
        }
        let (field, after) = rest.split_at(end);
        rest = after;
        (!field.is_empty()).then_some(field)
    })
}

/// The value of a field, if it has that name, which is in small letters.
fn value_of(field: &[u8], name: &[u8]) -> Option<String> {
    let colon = memchr::memchr(b':', field)?;
    let is_it = field[..colon].trim_ascii_end().eq_ignore_ascii_case(name);
    is_it.then(|| String::from_utf8_lossy(&field[colon + 1..]).replace(['\r', '\n'], ""))
}

#[cfg(test)]
mod tests;
