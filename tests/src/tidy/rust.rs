//! Just enough of Rust's lexical structure to tell code from comments and literals, and tests from the rest. Not a parser:
//! macros are taken for what they look like.

/// Rust text taken apart.
#[derive(Debug)]
pub struct Code {
    /// The text with comments and the content of literals blanked out, so that every offset and line stays.
    pub code: String,
    /// String and byte string literals.
    pub literals: Vec<Literal>,
    /// For each line from 1 (index 0 is unused), whether it belongs to an item under `#[cfg(test)]`.
    test_lines: Vec<bool>,
}

/// A string or byte string literal.
#[derive(Debug, PartialEq, Eq)]
pub struct Literal {
    /// The line that it begins on, from 1.
    pub line: usize,
    /// What stands between the quotes, escapes and all.
    pub content: String,
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function<'a> {
    /// Its name.
    pub name: &'a str,
    /// The line of `fn`, from 1.
    pub line: usize,
    /// Lines from `fn` to the closing brace.
    pub lines: usize,
}

impl Code {
    /// Takes a text apart. Never fails: text that is no Rust gives some code.
    pub fn read(text: &str) -> Code {
        let mut lexer = Lexer { text, at: 0, code: String::with_capacity(text.len()), literals: Vec::new() };
        lexer.run();
        let test_lines = test_lines(&lexer.code);
        Code { code: lexer.code, literals: lexer.literals, test_lines }
    }

    /// Whether the line, from 1, is test code.
    pub fn is_test(&self, line: usize) -> bool {
        self.test_lines.get(line).copied().unwrap_or(false)
    }

    /// The lines of code that are no tests, numbered from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().map(|(index, line)| (index + 1, line)).filter(|(line, _)| !self.is_test(*line))
    }

    /// Every function with a body, tests too.
    pub fn functions(&self) -> Vec<Function<'_>> {
        let mut functions = Vec::new();
        for (at, _) in words(&self.code).filter(|(_, word)| *word == "fn") {
            let Some((name_at, name)) = words(&self.code[at + 2..]).next() else { continue };
            // A function pointer type, `fn(u8)`, has no name.
            if !self.code[at + 2..at + 2 + name_at].trim().is_empty() {
                continue;
            }
            if let Some(body) = body(&self.code, at) {
                let line = line_of(&self.code, at);
                functions.push(Function { name, line, lines: line_of(&self.code, body.1) - line + 1 });
            }
        }
        functions
    }
}

/// The line of an offset, from 1.
pub fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Identifiers, keywords and numbers, with their offsets.
pub fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + code[at..].find(is_part)?;
        let end = code[start..].find(|c| !is_part(c)).map_or(code.len(), |length| start + length);
        at = end;
        Some((start, &code[start..end]))
    })
}

/// The braces of the item that begins at an offset: of its opening and its closing one. `None` for an item that ends in `;`.
fn body(code: &str, from: usize) -> Option<(usize, usize)> {
    let (mut brackets, mut braces, mut open) = (0_i32, 0_i32, None);
    for (index, c) in code[from..].char_indices() {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets -= 1,
            ';' if open.is_none() && brackets == 0 => return None,
            '{' => {
                if open.is_none() && brackets == 0 {
                    open = Some(from + index);
                }
                braces += 1;
            }
            '}' => {
                braces -= 1;
                if let (0, Some(open)) = (braces, open) {
                    return Some((open, from + index));
                }
            }
            _ => {}
        }
    }
    None
}

fn test_lines(code: &str) -> Vec<bool> {
    let mut lines = vec![false; code.lines().count() + 2];
    for (at, attribute) in code.match_indices("#[cfg(test)]") {
        let start = at + attribute.len();
        let end = body(code, start).map_or_else(|| code[start..].find(';').map_or(code.len(), |i| start + i), |body| body.1);
        lines[line_of(code, at)..=line_of(code, end)].fill(true);
    }
    lines
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    code: String,
    literals: Vec<Literal>,
}

impl Lexer<'_> {
    fn run(&mut self) {
        while let Some(c) = self.text[self.at..].chars().next() {
            let rest = &self.text[self.at..];
            if rest.starts_with("//") {
                self.blank(rest.find('\n').unwrap_or(rest.len()));
            } else if rest.starts_with("/*") {
                self.blank(block_comment(rest));
            } else if let Some((prefix, hashes)) = raw_string(rest).filter(|_| !self.in_word()) {
                let end = format!("\"{}", "#".repeat(hashes));
                let length = rest[prefix..].find(&end).map_or(rest.len() - prefix, |length| length);
                self.literal(prefix, length, end.len());
            } else if c == '"' {
                self.literal(1, quoted(&rest[1..]), 1);
            } else if c == '\'' {
                match char_literal(rest) {
                    Some(length) => self.blank(length),
                    None => self.keep(1),
                }
            } else {
                self.keep(c.len_utf8());
            }
        }
    }

    /// Whether what was kept last is part of a word, so that an `r` after it begins no raw string.
    fn in_word(&self) -> bool {
        self.code.ends_with(|c: char| c.is_alphanumeric() || c == '_')
    }

    fn keep(&mut self, octets: usize) {
        self.code.push_str(&self.text[self.at..self.at + octets]);
        self.at += octets;
    }

    fn blank(&mut self, octets: usize) {
        let text = &self.text[self.at..self.at + octets];
        self.code.extend(text.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }));
        self.at += octets;
    }

    fn literal(&mut self, prefix: usize, length: usize, suffix: usize) {
        let start = self.at + prefix;
        let content = self.text[start..start + length].to_owned();
        self.literals.push(Literal { line: line_of(self.text, self.at), content });
        self.keep(prefix);
        self.blank(length);
        self.keep(suffix.min(self.text.len() - self.at));
    }
}

/// The length of a block comment; they nest.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// The length of `r#"`, `br##"` and the like, and the number of hashes.
fn raw_string(text: &str) -> Option<(usize, usize)> {
    let marker = ["r", "br", "cr"].into_iter().find(|marker| text.starts_with(marker))?;
    let rest = &text[marker.len()..];
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    rest[hashes..].starts_with('"').then_some((marker.len() + hashes + 1, hashes))
}

/// The length of what stands before the closing quote.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (index, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return index,
            _ => {}
        }
    }
    text.len()
}

/// The length of a character literal; `None` for a lifetime.
fn char_literal(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().skip(1);
    let (_, first) = chars.next()?;
    if first == '\\' {
        // The escaped character may be a quote itself.
        chars.next()?;
        return chars.find(|(_, c)| *c == '\'').map(|(index, _)| index + 1);
    }
    chars.next().filter(|(_, c)| *c == '\'').map(|(index, _)| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_no_code() {
        let code = Code::read("a /* x /* y */ z */ b // c\n\"d \\\" e\" f '\\'' 'g' &'h str r#\"i \" j\"# b\"k\" r#fn '\"' l");
        let found: Vec<&str> = words(&code.code).map(|(_, word)| word).collect();
        assert_eq!(found, ["a", "b", "f", "h", "str", "r", "b", "r", "fn", "l"]);
        let literals: Vec<&str> = code.literals.iter().map(|literal| literal.content.as_str()).collect();
        assert_eq!(literals, ["d \\\" e", "i \" j", "k"]);
        assert!(code.literals.iter().all(|literal| literal.line == 2));
    }

    #[test]
    fn functions_are_measured_to_their_closing_brace() {
        let code = Code::read("trait T { fn a(x: [u8; 3]) -> u8; }\nfn b(f: fn(u8)) {\n    { \"}\" };\n}\nimpl X { fn c() {} }");
        let functions = code.functions();
        assert_eq!(functions, [Function { name: "b", line: 2, lines: 3 }, Function { name: "c", line: 5, lines: 1 }]);
    }

    #[test]
    fn test_modules_are_told_apart() {
        let code = Code::read("a\n#[cfg(test)]\nmod tests {\n    b\n}\nc\n#[cfg(test)]\nmod tests;\nd");
        let lines: Vec<usize> = code.lines().map(|(line, _)| line).collect();
        assert_eq!(lines, [1, 6, 9]);
    }
}
