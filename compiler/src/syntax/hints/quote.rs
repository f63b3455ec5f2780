//! Quotes: single and typographic ones, those that are not closed, escapes that are none, strings in the form of KDL 1.

use super::{Hint, quoted};
use crate::syntax::Value;
use crate::syntax::read::{Ending, TextStyle, is_illegal, is_newline, is_space};

/// Pairs that people write instead of `"`.
const PAIRS: [(char, char); 8] =
    [('\'', '\''), ('`', '`'), ('‘', '’'), ('’', '’'), ('“', '”'), ('”', '”'), ('„', '“'), ('«', '»')];

/// A word in quotes that are none to KDL: they would be part of the value.
pub(super) fn single(word: &str) -> Option<Hint> {
    let first = word.chars().next()?;
    let closing: Vec<char> = PAIRS.iter().filter(|(open, _)| *open == first).map(|(_, close)| *close).collect();
    if closing.is_empty() {
        return None;
    }
    let inner = word[first.len_utf8()..].trim_end_matches(closing.as_slice());
    Some(Hint {
        code: "KDL017",
        message: format!("{first} is no quote in KDL, and would be part of the value"),
        instead: quoted(inner),
        meaning: Value::String(inner.to_owned()),
    })
}

/// What is wrong with a string, if anything is that can be told from it alone.
pub(super) fn text(written: &str, style: TextStyle, ending: Ending) -> Option<Hint> {
    match (style, ending) {
        (TextStyle::Old(hashes), Ending::Closed) => {
            let content = content(written, 1 + usize::from(hashes), 1);
            let message = "This is a raw string of KDL 1".to_owned();
            Some(Hint { code: "KDL022", message, instead: quoted(content), meaning: Value::String(content.to_owned()) })
        }
        (_, Ending::Open) => Some(unclosed(written)),
        (TextStyle::Lines, Ending::Closed) if !written[3..].starts_with(is_newline) => {
            let content = content(written, 0, 3);
            let message = "Behind three quotes a line must end".to_owned();
            Some(Hint { code: "KDL035", message, instead: quoted(content), meaning: Value::String(content.to_owned()) })
        }
        (TextStyle::Lines | TextStyle::RawLines(_), Ending::Closed) if !is_aligned(written) => Some(lopsided(written)),
        (TextStyle::Quoted | TextStyle::Lines, Ending::Closed) => escape(written).or_else(|| illegal(written)),
        _ => illegal(written),
    }
}

/// Whether every line of a text between three quotes begins with the blanks that stand before the closing ones, and nothing
/// else stands there.
fn is_aligned(written: &str) -> bool {
    let body = written.trim_matches('#').trim_start_matches('"');
    let body = body.strip_suffix("\"\"\"").unwrap_or(body);
    let (lines, prefix) = body.rsplit_once(is_newline).unwrap_or((body, ""));
    // An escape may join lines; then only the parser can tell.
    let joined = written.contains('\\') && !written.starts_with('#');
    joined
        || (prefix.chars().all(is_space)
            && lines.split(is_newline).all(|line| line.starts_with(prefix) || line.chars().all(is_space)))
}

fn lopsided(written: &str) -> Hint {
    let body = written.trim_matches('#').trim_matches('"');
    let content: Vec<&str> = body.split(is_newline).map(str::trim).collect();
    let content = content.join("\n").trim().to_owned();
    Hint {
        code: "KDL035",
        message: "The lines of this text begin with other blanks than its closing quotes".to_owned(),
        instead: super::escaped(&content),
        meaning: Value::String(content),
    }
}

/// What stands between the quotes, without what is before them.
fn content(written: &str, before: usize, quotes: usize) -> &str {
    let hashes = written.len() - written.trim_end_matches('#').len();
    written.get(before + quotes..written.len() - hashes - quotes).unwrap_or_default()
}

fn unclosed(written: &str) -> Hint {
    let content = written.trim_start_matches('r').trim_start_matches('#').trim_start_matches('"').trim_end();
    // `#"x"`: what is missing is the sign behind the quote that is there.
    let is_raw = written.starts_with(['r', '#']);
    let content = content.strip_suffix('"').filter(|_| is_raw).unwrap_or(content);
    Hint {
        code: "KDL024",
        message: "This string has no closing quote".to_owned(),
        instead: quoted(content),
        meaning: Value::String(content.to_owned()),
    }
}

/// The first escape that KDL does not know, as in a pattern in plain quotes.
fn escape(written: &str) -> Option<Hint> {
    let mut unknown = None;
    let mut meant = String::new();
    let mut rest = written.trim_matches('"');
    while let Some(at) = rest.find('\\') {
        meant.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let Some(c) = after.chars().next() else { break };
        let length = escape_length(after, c);
        match length {
            Some(length) => meant.push_str(&unescaped(&after[..length])),
            None => {
                unknown = unknown.or(Some(c));
                meant.push('\\');
                meant.push(c);
            }
        }
        rest = &after[length.unwrap_or(c.len_utf8())..];
    }
    meant.push_str(rest);
    let c = unknown?;
    let message = format!("`\\{}` is no escape; in a pattern, write it between #\" and \"#", c.escape_debug());
    Some(Hint { code: "KDL026", message, instead: quoted(&meant), meaning: Value::String(meant) })
}

/// The length of the escape that begins with `c`, without its backslash.
fn escape_length(after: &str, c: char) -> Option<usize> {
    match c {
        '\\' | '"' | 'n' | 'r' | 't' | 'b' | 'f' | 's' => Some(1),
        'u' => {
            let (digits, _) = after.strip_prefix("u{")?.split_once('}')?;
            let fits = (1..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            let code = u32::from_str_radix(digits, 16).ok().filter(|_| fits)?;
            char::from_u32(code).map(|_| digits.len() + 3)
        }
        c if is_space(c) || is_newline(c) => Some(after.find(|c| !is_space(c) && !is_newline(c)).unwrap_or(after.len())),
        _ => None,
    }
}

fn unescaped(escape: &str) -> String {
    match escape.as_bytes()[0] {
        b'n' => "\n".to_owned(),
        b'r' => "\r".to_owned(),
        b't' => "\t".to_owned(),
        b'b' => "\u{8}".to_owned(),
        b'f' => "\u{c}".to_owned(),
        b's' => " ".to_owned(),
        b'\\' | b'"' => escape.to_owned(),
        b'u' => {
            let code = escape.get(2..escape.len() - 1).and_then(|digits| u32::from_str_radix(digits, 16).ok());
            code.and_then(char::from_u32).map_or_else(String::new, String::from)
        }
        _ => String::new(),
    }
}

/// A control character, or one that turns the direction of writing.
fn illegal(written: &str) -> Option<Hint> {
    let bad = written.chars().find(|c| is_illegal(*c))?;
    let clean: String = written.trim_matches(['"', '#']).chars().filter(|c| !is_illegal(*c)).collect();
    Some(Hint {
        code: "KDL033",
        message: format!("The character U+{:04X} may not stand in a site, since a reader would not see it", u32::from(bad)),
        instead: quoted(&clean),
        meaning: Value::String(clean),
    })
}
