//! KDL text as tokens, without loss: every octet of the text lies in exactly one token. Nothing is an error here; what a
//! person wrote by mistake becomes a token too, as long as it would have been if it were right: `10.0.0.0/8` is one word, and
//! so is `smtp://relay:25`, although KDL would see a comment in it.
//!
//! The outline, the hints and the formatter read these.

use std::ops::Range;

/// A piece of text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it begins, in octets.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
}

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenKind {
    /// Blanks within a line; a byte order mark at the start.
    Space,
    /// One line end, of any of the kinds that KDL knows.
    Newline,
    /// `// …`, without the line end.
    LineComment,
    /// `/* … */`.
    BlockComment {
        /// Whether it ends before the text does.
        closed: bool,
    },
    /// `\` at the end of a line, with the blanks and the comment behind it and the line end.
    Continuation,
    /// `/-`.
    Slashdash,
    /// `{`.
    Open,
    /// `}`.
    Close,
    /// `;`.
    Semicolon,
    /// `=`.
    Equals,
    /// `( … )` in front of a value.
    Annotation,
    /// A bare word or a number.
    Word,
    /// `#true` and its like.
    Keyword,
    /// A string of any kind.
    Text(TextStyle, Ending),
    /// A character that may not stand in a site file.
    Illegal,
}

/// How a string is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TextStyle {
    /// `"…"`.
    Quoted,
    /// `"""` and a line end.
    Lines,
    /// `#"…"#`, with the number of `#`.
    Raw(u8),
    /// `#"""` and a line end, with the number of `#`.
    RawLines(u8),
    /// `r"…"` and `r#"…"#`, as KDL 1 had it.
    Old(u8),
}

/// How a string ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// With its closing quotes.
    Closed,
    /// With the line, or the text.
    Open,
}

impl Token {
    /// Its text.
    pub fn of<'a>(&self, text: &'a str) -> &'a str {
        &text[self.start as usize..self.end as usize]
    }

    /// Whether it stands for a value or a name.
    pub fn is_value(&self) -> bool {
        matches!(self.kind, TokenKind::Word | TokenKind::Keyword | TokenKind::Text(..))
    }

    /// Whether it separates and says nothing.
    pub fn is_blank(&self) -> bool {
        matches!(self.kind, TokenKind::Space | TokenKind::BlockComment { .. } | TokenKind::Continuation)
    }
}

/// Cuts a text of at most `u32::MAX` octets into tokens; stops with `None` at more than `limit` of them.
pub fn tokens(text: &str, limit: usize) -> Option<Vec<Token>> {
    let mut lexer = Lexer { text, bytes: text.as_bytes(), at: 0, exhausted: Vec::new() };
    let mut tokens = Vec::new();
    if text.starts_with('\u{feff}') {
        lexer.at = 3;
        tokens.push(Token { kind: TokenKind::Space, start: 0, end: 3 });
    }
    while lexer.at < text.len() {
        if tokens.len() >= limit {
            return None;
        }
        let start = lexer.at;
        let kind = lexer.token();
        tokens.push(Token { kind, start: start as u32, end: lexer.at as u32 });
    }
    Some(tokens)
}

/// Where in a word or string its text stands letter for letter; `None` where escapes stand in it, or it runs over lines.
pub fn verbatim(written: &str) -> Option<Range<usize>> {
    let hashes = written.len() - written.trim_start_matches('#').len();
    let Some(rest) = written[hashes..].strip_prefix('"') else {
        // A raw string of KDL 1 is no word.
        return (!written.starts_with("r#\"") && !written.starts_with("r\"")).then_some(0..written.len());
    };
    if rest.starts_with("\"\"") || hashes == 0 && rest.contains('\\') {
        return None;
    }
    let (start, quotes) = (hashes + 1, format!("\"{}", "#".repeat(hashes)));
    Some(start..start + rest.strip_suffix(&quotes).unwrap_or(rest).len())
}

/// Whether KDL takes a character for a blank.
pub fn is_space(c: char) -> bool {
    matches!(c, '\t' | ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// Whether KDL ends a line at a character.
pub fn is_newline(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Control characters and those that turn the direction of writing: a reader would not see what the compiler sees.
pub fn is_illegal(c: char) -> bool {
    matches!(c,
        '\0'..='\u{8}' | '\u{e}'..='\u{1f}' | '\u{7f}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Longest type annotation that is taken for one.
const ANNOTATION_MAX_OCTETS: usize = 128;

struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// Closing quotes that do not occur any more: searched for once, not once for each string that lacks them.
    exhausted: Vec<String>,
}

impl Lexer<'_> {
    fn token(&mut self) -> TokenKind {
        match self.bytes[self.at] {
            b'{' => self.one(TokenKind::Open),
            b'}' => self.one(TokenKind::Close),
            b';' => self.one(TokenKind::Semicolon),
            b'=' => self.one(TokenKind::Equals),
            b'(' => self.annotation(),
            b'"' => self.quoted(),
            b'\\' => self.continuation(),
            b'/' => self.slash(),
            b'#' => self.hash(),
            b'r' if self.old_raw().is_some() => {
                let hashes = self.old_raw().unwrap_or_default();
                self.at += 1;
                self.raw(hashes, TextStyle::Old(hashes as u8))
            }
            _ => self.other(),
        }
    }

    fn one(&mut self, kind: TokenKind) -> TokenKind {
        self.at += 1;
        kind
    }

    fn char_at(&self, at: usize) -> Option<char> {
        self.text[at..].chars().next()
    }

    fn starts_with(&self, at: usize, what: &str) -> bool {
        self.bytes[at..].starts_with(what.as_bytes())
    }

    /// The octets of the line end at a place; 0 where there is none.
    fn newline_at(&self, at: usize) -> usize {
        match self.char_at(at) {
            Some('\r') if self.bytes.get(at + 1) == Some(&b'\n') => 2,
            Some(c) if is_newline(c) => c.len_utf8(),
            _ => 0,
        }
    }

    fn line_end(&self, from: usize) -> usize {
        self.text[from..].find(is_newline).map_or(self.text.len(), |length| from + length)
    }

    fn annotation(&mut self) -> TokenKind {
        let mut near = self.bytes[self.at..].iter().take(ANNOTATION_MAX_OCTETS);
        match near.position(|octet| matches!(octet, b')' | b' ' | b'"' | b'{' | b'}' | b';' | b'\n' | b'\r')) {
            Some(length) if self.bytes[self.at + length] == b')' => {
                self.at += length + 1;
                TokenKind::Annotation
            }
            _ => self.one(TokenKind::Word),
        }
    }

    fn continuation(&mut self) -> TokenKind {
        let mut at = self.at + 1;
        while let Some(c) = self.char_at(at).filter(|c| is_space(*c)) {
            at += c.len_utf8();
        }
        if self.starts_with(at, "//") {
            at = self.line_end(at);
        }
        let newline = self.newline_at(at);
        if newline == 0 && at < self.text.len() {
            return self.word();
        }
        self.at = at + newline;
        TokenKind::Continuation
    }

    fn slash(&mut self) -> TokenKind {
        match self.bytes.get(self.at + 1) {
            Some(b'/') => {
                self.at = self.line_end(self.at);
                TokenKind::LineComment
            }
            Some(b'*') => self.block_comment(),
            Some(b'-') => {
                self.at += 2;
                TokenKind::Slashdash
            }
            _ => self.word(),
        }
    }

    fn block_comment(&mut self) -> TokenKind {
        let mut depth = 0usize;
        while self.at < self.bytes.len() {
            if self.starts_with(self.at, "/*") {
                depth += 1;
                self.at += 2;
            } else if self.starts_with(self.at, "*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return TokenKind::BlockComment { closed: true };
                }
            } else {
                self.at += 1;
            }
        }
        TokenKind::BlockComment { closed: false }
    }

    fn hash(&mut self) -> TokenKind {
        let hashes = self.bytes[self.at..].iter().take_while(|byte| **byte == b'#').count();
        match self.bytes.get(self.at + hashes) {
            Some(b'"') if hashes <= 255 => self.raw(hashes, TextStyle::Raw(hashes as u8)),
            Some(byte) if hashes == 1 && (byte.is_ascii_alphabetic() || *byte == b'-') => {
                self.word();
                TokenKind::Keyword
            }
            _ => self.word(),
        }
    }

    /// The number of `#` of a raw string of KDL 1 that begins here.
    fn old_raw(&self) -> Option<usize> {
        let hashes = self.bytes[self.at + 1..].iter().take_while(|byte| **byte == b'#').count();
        (hashes <= 255 && self.bytes.get(self.at + 1 + hashes) == Some(&b'"')).then_some(hashes)
    }

    /// From the first `#` or `"` of a raw string to its end.
    fn raw(&mut self, hashes: usize, style: TextStyle) -> TokenKind {
        let open = self.at + hashes;
        if let TextStyle::Raw(count) = style
            && self.starts_with(open, "\"\"\"")
            && self.newline_at(open + 3) > 0
        {
            let end = self.closing(open + 3, format!("\"\"\"{}", "#".repeat(hashes)));
            self.at = end.unwrap_or_else(|| self.line_end(open));
            return TokenKind::Text(TextStyle::RawLines(count), if end.is_some() { Ending::Closed } else { Ending::Open });
        }
        let quotes = format!("\"{}", "#".repeat(hashes));
        let end = match style {
            // KDL 1 let its raw strings run over lines.
            TextStyle::Old(_) => self.closing(open + 1, quotes),
            _ => self.text[open + 1..self.line_end(open)].find(&quotes).map(|length| open + 1 + length + quotes.len()),
        };
        self.at = end.unwrap_or_else(|| self.open_end(open));
        TokenKind::Text(style, if end.is_some() { Ending::Closed } else { Ending::Open })
    }

    /// The place behind the next closing quotes of that form, in the whole rest of the text.
    fn closing(&mut self, from: usize, quotes: String) -> Option<usize> {
        if self.exhausted.contains(&quotes) {
            return None;
        }
        let found = self.text[from..].find(&quotes).map(|length| from + length + quotes.len());
        if found.is_none() {
            self.exhausted.push(quotes);
        }
        found
    }

    fn quoted(&mut self) -> TokenKind {
        let open = self.at;
        let (style, quotes) = match self.starts_with(open, "\"\"\"") {
            true => (TextStyle::Lines, "\"\"\""),
            false => (TextStyle::Quoted, "\""),
        };
        let over_lines =
            style == TextStyle::Lines && self.newline_at(open + 3) > 0 && !self.exhausted.iter().any(|known| known == quotes);
        let mut at = open + quotes.len();
        while let Some(c) = self.char_at(at) {
            if self.starts_with(at, quotes) {
                self.at = at + quotes.len();
                return TokenKind::Text(style, Ending::Closed);
            }
            if c == '\\' {
                at = self.after_escape(at + 1);
                continue;
            }
            if is_newline(c) && !over_lines {
                break;
            }
            at += c.len_utf8();
        }
        if over_lines {
            self.exhausted.push(quotes.to_owned());
        }
        self.at = self.open_end(open);
        TokenKind::Text(style, Ending::Open)
    }

    /// Where a string without closing quotes is taken to end: with its line, but not with the brace at the line's end, which
    /// belongs to the block that was meant.
    fn open_end(&self, open: usize) -> usize {
        let end = self.line_end(open);
        open + 1 + without_block_end(&self.text[open + 1..end]).len()
    }

    /// Behind an escape whose backslash is just before `at`: one character, or all blanks and line ends.
    fn after_escape(&self, at: usize) -> usize {
        match self.char_at(at) {
            Some(c) if is_space(c) || is_newline(c) => {
                let rest = &self.text[at..];
                at + rest.find(|c| !is_space(c) && !is_newline(c)).unwrap_or(rest.len())
            }
            Some(c) => at + c.len_utf8(),
            None => at,
        }
    }

    fn other(&mut self) -> TokenKind {
        let Some(c) = self.char_at(self.at) else { return TokenKind::Space };
        if is_space(c) {
            let rest = &self.text[self.at..];
            self.at += rest.find(|c| !is_space(c)).unwrap_or(rest.len());
            return TokenKind::Space;
        }
        let newline = self.newline_at(self.at);
        if newline > 0 {
            self.at += newline;
            return TokenKind::Newline;
        }
        if is_illegal(c) {
            self.at += c.len_utf8();
            return TokenKind::Illegal;
        }
        self.word()
    }

    /// A word, from its first character, which is taken in any case.
    fn word(&mut self) -> TokenKind {
        let start = self.at;
        self.at += self.char_at(start).map_or(1, char::len_utf8);
        while let Some(c) = self.char_at(self.at) {
            let ends = match c {
                '{' | '}' | '(' | ')' | ';' | '"' | '=' | '\\' => true,
                '/' if self.starts_with(self.at, "//") => {
                    if self.text[start..self.at].ends_with(':') && self.at - start > 1 {
                        self.url();
                        return TokenKind::Word;
                    }
                    true
                }
                '/' => self.starts_with(self.at, "/*"),
                c => is_space(c) || is_newline(c) || is_illegal(c),
            };
            if ends {
                break;
            }
            self.at += c.len_utf8();
        }
        TokenKind::Word
    }

    /// The rest of a URL, from its `//`: to the next blank, or to a brace or semicolon that a blank follows.
    fn url(&mut self) {
        let rest = &self.text[self.at..];
        let end = rest.find(|c| is_space(c) || is_newline(c) || is_illegal(c) || c == '"').unwrap_or(rest.len());
        self.at += without_block_end(&rest[..end]).len().max(2);
    }
}

/// A text without the blanks, semicolons and braces at its end, but with a `}` that belongs to a `{` in it, as in `/mail/{user}`.
fn without_block_end(text: &str) -> &str {
    let (mut opened, mut closed) = (text.matches('{').count(), text.matches('}').count());
    let is_end = |last: char| match last {
        '}' if opened >= closed => false,
        '}' => {
            closed -= 1;
            true
        }
        '{' => {
            opened -= 1;
            true
        }
        last => last == ';' || is_space(last),
    };
    text.trim_end_matches(is_end)
}
