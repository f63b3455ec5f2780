//! Macro strings (RFC 7208 7): parsed once, expanded with what is known of the sender.

use super::Facts;
use std::net::IpAddr;

/// A macro string, well formed.
#[derive(Clone, Debug)]
pub(super) struct MacroString(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Plain(Box<str>),
    Macro { letter: u8, is_escaped: bool, count: Option<usize>, is_reversed: bool, delimiters: Box<str> },
}

/// What the letters stand for.
pub(super) struct Expansion<'a> {
    pub facts: &'a Facts<'a>,
    pub local: &'a str,
    pub origin: &'a str,
    /// The domain whose record is being read.
    pub domain: &'a str,
    /// `%{p}`.
    pub validated: &'a str,
}

impl MacroString {
    /// The value of a modifier.
    pub fn parse(text: &str) -> Option<MacroString> {
        read(text, false).filter(|_| !text.contains(' '))
    }

    /// A domain-spec: it ends in a macro, or in a label that could be a top-level one (RFC 7208 7.1).
    pub fn parse_domain(text: &str) -> Option<MacroString> {
        let parsed = MacroString::parse(text)?;
        let is_macro_last = matches!(parsed.0.last()?, Part::Macro { .. });
        let top = text.strip_suffix('.').unwrap_or(text).rsplit_once('.').map(|(_, top)| top);
        let is_top = |top: &str| {
            top.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !(top.is_empty() || top.starts_with('-') || top.ends_with('-'))
                && !top.bytes().all(|b| b.is_ascii_digit())
        };
        (is_macro_last || top.is_some_and(is_top)).then_some(parsed)
    }

    /// The text of an explanation: spaces may stand in it, and the letters `c`, `r` and `t`.
    pub fn parse_explanation(text: &str) -> Option<MacroString> {
        read(text, true)
    }

    /// Whether `%{p}` is in it, which must be looked up.
    pub fn uses_validated_name(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Macro { letter: b'p', .. }))
    }

    /// The text that results.
    pub fn expand(&self, with: &Expansion<'_>) -> String {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Plain(text) => out.push_str(text),
                Part::Macro { letter, is_escaped, count, is_reversed, delimiters } => {
                    let value = with.value(*letter);
                    let mut parts: Vec<&str> = value.split(|c: char| delimiters.contains(c)).collect();
                    if *is_reversed {
                        parts.reverse();
                    }
                    let kept = parts[parts.len() - count.unwrap_or(parts.len()).min(parts.len())..].join(".");
                    if *is_escaped { escape(&kept, &mut out) } else { out.push_str(&kept) }
                }
            }
        }
        out
    }
}

fn read(text: &str, is_explanation: bool) -> Option<MacroString> {
    let is_literal = |text: &str| text.bytes().all(|b| matches!(b, b' '..=b'~'));
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((plain, after)) = rest.split_once('%') {
        if !is_literal(plain) {
            return None;
        }
        push(&mut parts, plain, after);
        rest = match after.split_at_checked(1)? {
            ("%", rest) => push(&mut parts, "%", rest),
            ("_", rest) => push(&mut parts, " ", rest),
            ("-", rest) => push(&mut parts, "%20", rest),
            ("{", rest) => {
                let (body, rest) = rest.split_once('}')?;
                parts.push(macro_of(body, is_explanation)?);
                rest
            }
            _ => return None,
        };
    }
    push(&mut parts, rest, "");
    is_literal(rest).then_some(MacroString(parts))
}

fn push<'a>(parts: &mut Vec<Part>, text: &str, rest: &'a str) -> &'a str {
    if !text.is_empty() {
        parts.push(Part::Plain(text.into()));
    }
    rest
}

/// `d2r-`: a letter, how many parts from the right, whether in reverse, and what divides them.
fn macro_of(body: &str, is_explanation: bool) -> Option<Part> {
    let (letter, rest) = body.split_at_checked(1)?;
    let letter = letter.as_bytes()[0];
    let known: &[u8] = if is_explanation { b"slodiphvcrt" } else { b"slodiphv" };
    if !known.contains(&letter.to_ascii_lowercase()) {
        return None;
    }
    let (digits, rest) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
    let count = match digits {
        "" => None,
        // RFC 7208 7.1: never zero. A number that is no usize keeps every part there is.
        digits if digits.bytes().all(|b| b == b'0') => return None,
        digits => Some(digits.parse().unwrap_or(usize::MAX)),
    };
    let (is_reversed, delimiters) = match rest.strip_prefix(['r', 'R']) {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    if !delimiters.bytes().all(|b| b".-+,/_=".contains(&b)) {
        return None;
    }
    let delimiters = if delimiters.is_empty() { "." } else { delimiters };
    Some(Part::Macro {
        letter: letter.to_ascii_lowercase(),
        is_escaped: letter.is_ascii_uppercase(),
        count,
        is_reversed,
        delimiters: delimiters.into(),
    })
}

impl Expansion<'_> {
    fn value(&self, letter: u8) -> String {
        let facts = self.facts;
        match letter {
            b's' => format!("{}@{}", self.local, self.origin),
            b'l' => self.local.to_owned(),
            b'o' => self.origin.to_owned(),
            b'd' => self.domain.to_owned(),
            b'i' => match facts.client {
                IpAddr::V4(address) => address.to_string(),
                IpAddr::V6(address) => {
                    let nibbles = address.octets().into_iter().flat_map(|octet| [octet >> 4, octet & 15]);
                    nibbles.map(|nibble| format!("{nibble:X}")).collect::<Vec<_>>().join(".")
                }
            },
            b'p' => self.validated.to_owned(),
            b'h' => facts.helo.to_owned(),
            b'v' => if facts.client.is_ipv4() { "in-addr" } else { "ip6" }.to_owned(),
            b'c' => facts.client.to_string(),
            b'r' => facts.receiver.to_owned(),
            _ => facts.now.to_string(),
        }
    }
}

/// RFC 7208 7.3: an upper-case letter asks for URL escaping of what RFC 3986 2.3 does not leave alone.
fn escape(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}
