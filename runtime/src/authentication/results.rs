//! The Authentication-Results field (RFC 8601): what was found out about a message, for whoever reads it next.

use super::header::Field;
use std::fmt::Write;

/// The name of the field.
const NAME: &str = "Authentication-Results";

/// One method and what it said, in the words of RFC 8601 2.7.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MethodResult {
    /// `spf`, `dkim`, `dmarc`, `arc`, `iprev`.
    pub method: &'static str,
    /// The result.
    pub result: Box<str>,
    /// Why, for people; empty: nothing to add.
    pub comment: Box<str>,
    /// Properties, such as `smtp.mailfrom`, with their values.
    pub properties: Vec<(&'static str, Box<str>)>,
}

/// The field, with its line end.
pub fn field(hostname: &str, results: &[MethodResult]) -> Vec<u8> {
    let mut out = format!("{NAME}: {hostname}");
    if results.is_empty() {
        out.push_str("; none");
    }
    for MethodResult { method, result, comment, properties } in results {
        // Writing to a string does not fail.
        let _ = write!(out, ";\r\n\t{method}={result}");
        if !comment.is_empty() {
            let _ = write!(out, " ({})", plain(comment, b"()\\"));
        }
        for (name, value) in properties {
            let _ = write!(out, " {name}={}", value_of(value));
        }
    }
    out.push_str("\r\n");
    out.into_bytes()
}

/// A value: bare where it may be (RFC 8601 2.2), else quoted.
fn value_of(value: &str) -> String {
    let is_bare = |b: u8| b.is_ascii_alphanumeric() || b"-._@+!#$%&'*/^`{|}~".contains(&b);
    if !value.is_empty() && value.bytes().all(is_bare) { value.to_owned() } else { format!("\"{}\"", plain(value, b"\"\\")) }
}

/// Text from elsewhere: nothing in it ends a line, a comment or a string, and it is not long.
fn plain(text: &str, special: &[u8]) -> String {
    let is_fine = |c: &char| *c == ' ' || (c.is_ascii_graphic() && !special.contains(&(*c as u8)));
    text.chars().take(200).map(|c| if is_fine(&c) { c } else { '?' }).collect()
}

/// Whether a field is one of results that claims to be written by that host (RFC 8601 5). Nobody but we may write one.
pub fn claims_to_be_ours(field: &Field<'_>, hostname: &str) -> bool {
    field.name.eq_ignore_ascii_case(NAME.as_bytes()) && identifier(field.value).eq_ignore_ascii_case(hostname.as_bytes())
}

/// The authserv-id: the first word behind blanks and comments, quoted or not.
fn identifier(value: &[u8]) -> Vec<u8> {
    let mut depth = 0usize;
    let mut octets = value.iter().copied();
    let mut word = Vec::new();
    let mut is_quoted = false;
    while let Some(octet) = octets.next() {
        match octet {
            b'\\' if depth > 0 || is_quoted => {
                let next = octets.next();
                word.extend(next.filter(|_| depth == 0));
            }
            b'"' if depth == 0 && is_quoted => break,
            b'"' if depth == 0 && word.is_empty() => is_quoted = true,
            _ if is_quoted => word.push(octet),
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            b' ' | b'\t' | b'\r' | b'\n' | b';' | b'/' if !word.is_empty() => break,
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b';' => break,
            _ => word.push(octet),
        }
        if depth > 0 && !word.is_empty() {
            break;
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_holds_every_result() {
        let results = [
            MethodResult {
                method: "spf",
                result: "fail".into(),
                comment: "say (what)\r\nX: y".into(),
                properties: vec![("smtp.mailfrom", "a b@x.example".into())],
            },
            MethodResult { method: "dkim", result: "none".into(), comment: "".into(), properties: vec![] },
        ];
        assert_eq!(
            String::from_utf8(field("mail.example.com", &results)).unwrap(),
            "Authentication-Results: mail.example.com;\r\n\tspf=fail (say ?what???X: y) smtp.mailfrom=\"a b@x.example\";\
             \r\n\tdkim=none\r\n"
        );
        assert_eq!(field("mail.example.com", &[]), b"Authentication-Results: mail.example.com; none\r\n");
    }

    #[test]
    fn forged_results_are_told_by_their_identifier() {
        let is_ours = |value: &str| {
            let field = Field { name: b"authentication-RESULTS", value: value.as_bytes(), octets: b"" };
            claims_to_be_ours(&field, "mail.example.com")
        };
        for forged in [
            " mail.example.com; spf=pass",
            "MAIL.example.COM",
            " (a \\) (nested) comment)\r\n\tmail.example.com 1; dkim=pass",
            " \"mail.example.com\"; none",
            " mail.example.com(comment); none",
            "mail.example.com/1",
        ] {
            assert!(is_ours(forged), "{forged}");
        }
        for other in
            [" mx.example.com; spf=pass", "", ";mail.example.com", "(mail.example.com) x", "mail.example.com.evil.example"]
        {
            assert!(!is_ours(other), "{other}");
        }
        assert!(!claims_to_be_ours(&Field { name: b"X", value: b"mail.example.com", octets: b"" }, "mail.example.com"));
    }
}
