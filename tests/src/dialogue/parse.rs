//! From the text of a `.dialogue` file to its steps.

use regex::Regex;
use std::fmt;

/// A conversation.
#[derive(Clone, Debug)]
pub struct Dialogue {
    headers: Vec<(String, String)>,
    steps: Vec<(usize, Step)>,
}

/// One step of a conversation.
#[derive(Clone, Debug)]
pub enum Step {
    /// The client sends these octets.
    Send(Vec<u8>),
    /// The server replies.
    Reply(Wanted),
    /// The server closes.
    Closes,
    /// TLS begins.
    Tls,
}

/// What a reply must look like.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The first digits of the code: one to three.
    pub code: String,
    /// What the whole text must match.
    pub text: Option<Regex>,
}

/// A file that is no dialogue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub why: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl Dialogue {
    /// Reads a file of one dialogue or many, each with its title; that of the only one is empty.
    ///
    /// # Errors
    /// As for [`Dialogue::parse`].
    pub fn parse_all(text: &str) -> Result<Vec<(String, Dialogue)>, ParseError> {
        let lines: Vec<&str> = text.lines().collect();
        let starts: Vec<usize> = (0..lines.len()).filter(|&index| lines[index].starts_with("== ")).collect();
        let Some(&first) = starts.first() else { return Ok(vec![(String::new(), Dialogue::parse(text)?)]) };
        let ends = starts.iter().copied().skip(1).chain([lines.len()]);
        let section = |(start, end): (usize, usize)| {
            // Empty lines in place of the other dialogues, so that numbers of lines are those of the file.
            let gap = "\n".repeat(start - first + 1);
            let own = [&lines[..first].join("\n"), "\n", &gap, &lines[start + 1..end].join("\n")].concat();
            Ok((lines[start][3..].trim().to_owned(), Dialogue::parse(&own)?))
        };
        starts.iter().copied().zip(ends).map(section).collect()
    }

    /// Reads a dialogue.
    ///
    /// # Errors
    /// [`ParseError`] for the first line that means nothing.
    pub fn parse(text: &str) -> Result<Dialogue, ParseError> {
        let mut dialogue = Dialogue { headers: Vec::new(), steps: Vec::new() };
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let at = |why: String| ParseError { line: number, why };
            let step = match line.split_at_checked(2) {
                _ if line.is_empty() || line.starts_with('#') => continue,
                _ if line == "TLS" => Step::Tls,
                Some(("C:", rest)) => Step::Send([unescape(after_blank(rest)).map_err(at)?, b"\r\n".to_vec()].concat()),
                Some(("C-", rest)) => Step::Send(unescape(after_blank(rest)).map_err(at)?),
                Some(("S:", rest)) if rest.trim() == "closes" => Step::Closes,
                Some(("S:", rest)) => Step::Reply(wanted(rest.trim()).map_err(at)?),
                _ if dialogue.steps.is_empty() => match line.split_once(':') {
                    Some((name, value)) => {
                        dialogue.headers.push((name.trim().to_owned(), value.trim().to_owned()));
                        continue;
                    }
                    None => return Err(at("neither a header nor a step".to_owned())),
                },
                _ => return Err(at("no step: begin with `C: `, `C- `, `S: `, `TLS` or `#`".to_owned())),
            };
            dialogue.steps.push((number, step));
        }
        if dialogue.steps.is_empty() {
            return Err(ParseError { line: 1, why: "it has no steps".to_owned() });
        }
        Ok(dialogue)
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// The steps, each with its line.
    pub fn steps(&self) -> &[(usize, Step)] {
        &self.steps
    }

    /// How many octets the client sends in all.
    pub fn sent_octets(&self) -> usize {
        self.steps.iter().map(|(_, step)| if let Step::Send(octets) = step { octets.len() } else { 0 }).sum()
    }
}

fn after_blank(text: &str) -> &str {
    text.strip_prefix(' ').unwrap_or(text)
}

fn wanted(text: &str) -> Result<Wanted, String> {
    let (code, pattern) = text.split_once(' ').unwrap_or((text, ""));
    if code.is_empty() || code.len() > 3 || !code.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("{code:?} is no code: write one to three digits, or `closes`"));
    }
    let expression = match pattern.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
        _ if pattern.is_empty() => return Ok(Wanted { code: code.to_owned(), text: None }),
        Some(expression) => expression.to_owned(),
        None => glob(pattern),
    };
    let regex = Regex::new(&expression).map_err(|error| error.to_string())?;
    Ok(Wanted { code: code.to_owned(), text: Some(regex) })
}

/// `*` is any text, line ends too, `?` one character.
fn glob(pattern: &str) -> String {
    let mut expression = "(?s)^".to_owned();
    for c in pattern.chars() {
        match c {
            '*' => expression.push_str(".*"),
            '?' => expression.push('.'),
            c => expression.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    expression.push('$');
    expression
}

fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let escape = &rest[at + 1..];
        let mut length = 1;
        match escape.as_bytes().first() {
            Some(b'r') => out.push(b'\r'),
            Some(b'n') => out.push(b'\n'),
            Some(b't') => out.push(b'\t'),
            Some(b'0') => out.push(0),
            Some(b'\\') => out.push(b'\\'),
            Some(b'x') => {
                let digits = escape.get(1..3).ok_or("two digits belong after \\x")?;
                out.push(u8::from_str_radix(digits, 16).map_err(|_| format!("\\x{digits} is no octet"))?);
                length = 3;
            }
            Some(b'{') => {
                let end = escape.find('}').ok_or("\\{ has no }")?;
                let (times, text) = escape[1..end].split_once(':').ok_or("write \\{1000:x}")?;
                let times: usize = times.parse().map_err(|_| format!("{times:?} is no number"))?;
                out.extend_from_slice(text.repeat(times).as_bytes());
                length = end + 1;
            }
            _ => return Err("a backslash stands before r n t 0 \\ x or {".to_owned()),
        }
        rest = &escape[length..];
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}
