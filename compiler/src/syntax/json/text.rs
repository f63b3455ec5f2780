//! JSON text (RFC 8259) as values that know their places, which `serde_json` does not give.

use crate::report::Diagnostic;
use crate::source::{SourceId, Span, Spanned};

/// Deepest nesting: twice that of blocks, since a block may be an array of objects.
const DEPTH_LIMIT: usize = 2 * crate::syntax::read::DEPTH_LIMIT;

/// A value of JSON.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    String(String),
    Array(Vec<Spanned<Json>>),
    Object(Vec<(Spanned<String>, Spanned<Json>)>),
}

/// Reads one value and nothing behind it. The first mistake ends it: what follows could mean anything.
pub(super) fn parse(source: SourceId, text: &str) -> Result<Spanned<Json>, Box<Diagnostic>> {
    let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let mut reader = Reader { source, text, at: start, depth: 0 };
    let value = reader.value()?;
    reader.blanks();
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.wrong("Here the text should end", "Remove what follows the last brace")),
    }
}

struct Reader<'a> {
    source: SourceId,
    text: &'a str,
    at: usize,
    depth: usize,
}

type Read<T> = Result<T, Box<Diagnostic>>;

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, octet: u8) -> bool {
        let found = self.peek() == Some(octet);
        self.at += usize::from(found);
        found
    }

    fn span(&self, start: usize) -> Span {
        Span { source: self.source, start: start as u32, length: (self.at - start) as u32 }
    }

    /// A finding at the character here.
    fn wrong(&self, message: &str, help: &str) -> Box<Diagnostic> {
        let length = self.text[self.at..].chars().next().map_or(0, char::len_utf8) as u32;
        let span = Span { source: self.source, start: self.at as u32, length };
        Box::new(Diagnostic::error("JSN001", span, message).help(help))
    }

    fn value(&mut self) -> Read<Spanned<Json>> {
        self.blanks();
        let start = self.at;
        let value = match self.peek() {
            Some(b'{') => self.nested(Reader::object)?,
            Some(b'[') => self.nested(Reader::array)?,
            Some(b'"') => Json::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') if self.word("true") => Json::Bool(true),
            Some(b'f') if self.word("false") => Json::Bool(false),
            Some(b'n') if self.word("null") => Json::Null,
            Some(b'/') => return Err(self.wrong("JSON has no comments", "Remove the comment, or write the site in KDL")),
            Some(b'\'') => return Err(self.wrong("JSON has no single quotes", "Write \"…\"")),
            Some(b']' | b'}') => return Err(self.wrong("A value is missing here", "Remove the comma before it")),
            Some(_) => {
                return Err(self.wrong("This is no JSON value", "Write a string in quotes, a number, true, false, {…} or […]"));
            }
            None => return Err(self.wrong("The text ends where a value should stand", "Write the value, and close what is open")),
        };
        Ok(Spanned::new(value, self.span(start)))
    }

    fn nested(&mut self, read: fn(&mut Self) -> Read<Json>) -> Read<Json> {
        if self.depth >= DEPTH_LIMIT {
            return Err(self.wrong("The values are nested too deep", "Write a flatter site: no part of one needs so many braces"));
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.text[self.at..].starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn array(&mut self) -> Read<Json> {
        let mut values = Vec::new();
        self.blanks();
        if self.take(b']') {
            return Ok(Json::Array(values));
        }
        loop {
            values.push(self.value()?);
            self.blanks();
            if self.take(b']') {
                return Ok(Json::Array(values));
            }
            if !self.take(b',') {
                return Err(self.wrong("Here a comma or ] is missing", "Write `,` between the values of an array"));
            }
        }
    }

    fn object(&mut self) -> Read<Json> {
        let mut members: Vec<(Spanned<String>, Spanned<Json>)> = Vec::new();
        self.blanks();
        if self.take(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.blanks();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(
                    self.wrong("Here the name of a member is missing", "Write a name in quotes; a last comma is not allowed")
                );
            }
            let name = self.string()?;
            let name = Spanned::new(name, self.span(start));
            self.blanks();
            if !self.take(b':') {
                return Err(self.wrong("Here a colon is missing", "Write `:` between name and value"));
            }
            members.push((name, self.value()?));
            self.blanks();
            if self.take(b'}') {
                return Ok(Json::Object(members));
            }
            if !self.take(b',') {
                return Err(self.wrong("Here a comma or } is missing", "Write `,` between the members of an object"));
            }
        }
    }

    fn number(&mut self) -> Read<Json> {
        let start = self.at;
        let digits = |reader: &mut Self| {
            let from = reader.at;
            while matches!(reader.peek(), Some(b'0'..=b'9')) {
                reader.at += 1;
            }
            reader.at - from
        };
        self.take(b'-');
        let zero = self.peek() == Some(b'0');
        let whole = digits(self);
        let mut fits = whole > 0 && (!zero || whole == 1);
        let mut is_float = false;
        if self.take(b'.') {
            is_float = true;
            fits &= digits(self) > 0;
        }
        if self.take(b'e') || self.take(b'E') {
            is_float = true;
            let _ = self.take(b'+') || self.take(b'-');
            fits &= digits(self) > 0;
        }
        let written = &self.text[start..self.at];
        let value = match is_float {
            false => written.parse().ok().map(Json::Integer),
            true => written.parse().ok().filter(|number: &f64| number.is_finite()).map(Json::Float),
        };
        match value.filter(|_| fits) {
            Some(value) => Ok(value),
            None => {
                let finding = Diagnostic::error("JSN001", self.span(start), format!("`{written}` is no number of JSON"));
                Err(Box::new(finding.help("Write digits without a leading zero, or put it in quotes")))
            }
        }
    }

    fn string(&mut self) -> Read<String> {
        let start = self.at;
        self.at += 1;
        let mut content = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.find(|c: char| c == '"' || c == '\\' || c < ' ').unwrap_or(rest.len());
            content.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(content);
                }
                Some(b'\\') => content.push(self.escape()?),
                _ => {
                    let span = Span { source: self.source, start: start as u32, length: 1 };
                    let finding = Diagnostic::error("JSN001", span, "This string has no closing quote on its line");
                    return Err(Box::new(finding.help("Write `\"` where it ends, and \\n for a line end in it")));
                }
            }
        }
    }

    fn escape(&mut self) -> Read<char> {
        let start = self.at;
        self.at += 1;
        let c = match self.peek() {
            Some(b'"') => Some('"'),
            Some(b'\\') => Some('\\'),
            Some(b'/') => Some('/'),
            Some(b'b') => Some('\u{8}'),
            Some(b'f') => Some('\u{c}'),
            Some(b'n') => Some('\n'),
            Some(b'r') => Some('\r'),
            Some(b't') => Some('\t'),
            Some(b'u') => {
                self.at += 1;
                return self.unicode().ok_or_else(|| {
                    self.at = start;
                    self.wrong("This escape is no character", "Write \\u and four hexadecimal digits, in pairs beyond U+FFFF")
                });
            }
            _ => None,
        };
        self.at += 1;
        c.ok_or_else(|| {
            self.at = start;
            self.wrong("This backslash begins no escape", "Write `\\\\` for a backslash")
        })
    }

    /// Behind `\u`: four digits, or two times four for a character beyond U+FFFF (RFC 8259 7).
    fn unicode(&mut self) -> Option<char> {
        let high = self.four_digits()?;
        if !(0xd800..0xdc00).contains(&high) {
            return char::from_u32(high);
        }
        if !self.word("\\u") {
            return None;
        }
        let low = self.four_digits().filter(|low| (0xdc00..0xe000).contains(low))?;
        char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        let value = digits.bytes().all(|octet| octet.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())??;
        self.at += 4;
        Some(value)
    }
}
