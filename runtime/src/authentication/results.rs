//! The Authentication-Results field (RFC 8601): what was found out about a message, for whoever reads it next.

use super::header::Field;
use postern_schema::spf::{self, SpfResult};
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
    format!("{NAME}: {}\r\n", value(hostname, results)).into_bytes()
}

/// Its value.
pub fn value(hostname: &str, results: &[MethodResult]) -> String {
    let mut out = hostname.to_owned();
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
    out
}

/// The Received-SPF field (RFC 7208 9.1), with its line end.
pub fn received_spf(hostname: &str, facts: &spf::Facts<'_>, found: &spf::Finding) -> Vec<u8> {
    let identity = if facts.sender.is_empty() { "helo" } else { "mailfrom" };
    let comment = if found.because.is_empty() { &found.domain } else { &found.because };
    let mut out = format!(
        "Received-SPF: {} ({hostname}: {})\r\n\treceiver={}; identity={identity}; client-ip={};\r\n\tenvelope-from={}; helo={};",
        found.result,
        plain(comment, b"()\\"),
        atom(hostname),
        atom(&facts.client.to_canonical().to_string()),
        atom(facts.sender),
        atom(facts.helo)
    );
    if matches!(found.result, SpfResult::TempError | SpfResult::PermError) {
        let _ = write!(out, "\r\n\tproblem={};", atom(&found.because));
    }
    out.push_str("\r\n");
    out.into_bytes()
}

/// A value of Received-SPF: bare where it is a dot-atom (RFC 5322 3.2.3), else quoted.
fn atom(text: &str) -> String {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
    if text.split('.').all(is_part) { text.to_owned() } else { format!("\"{}\"", plain(text, b"\"\\")) }
}

/// A value: bare where it may be (RFC 8601 2.2), else quoted.
fn value_of(value: &str) -> String {
    let is_bare = |b: u8| b.is_ascii_alphanumeric() || b"-._@+!#$%&'*/^`{|}~".contains(&b);
    if !value.is_empty() && value.bytes().all(is_bare) { value.to_owned() } else { format!("\"{}\"", plain(value, b"\"\\")) }
}

/// Text from elsewhere: nothing in it ends a line, a comment or a string, and it is not long.
pub fn plain(text: &str, special: &[u8]) -> String {
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
    fn received_spf_says_who_was_asked_about() {
        let found = |result, because: &str| spf::Finding {
            result,
            domain: "x.example".into(),
            because: because.into(),
            explanation: None,
            lookups: 0,
        };
        let facts = |client: &str, sender| spf::Facts {
            client: client.parse().unwrap(),
            helo: "[192.0.2.1]",
            sender,
            receiver: "mail.example.com",
            now: 0,
        };
        let field = |facts: spf::Facts<'_>, found: spf::Finding| {
            String::from_utf8(received_spf("mail.example.com", &facts, &found)).unwrap()
        };
        assert_eq!(
            field(facts("192.0.2.1", "a\"b@x.example"), found(SpfResult::Fail, "-all")),
            "Received-SPF: fail (mail.example.com: -all)\r\n\treceiver=mail.example.com; identity=mailfrom; client-ip=192.0.2.1;\
             \r\n\tenvelope-from=\"a?b@x.example\"; helo=\"[192.0.2.1]\";\r\n"
        );
        let broken = field(facts("2001:db8::1", ""), found(SpfResult::PermError, "two records\r\nX: y"));
        assert!(broken.contains("identity=helo; client-ip=\"2001:db8::1\";\r\n\tenvelope-from=\"\";"), "{broken}");
        assert!(broken.ends_with("problem=\"two records??X: y\";\r\n"), "{broken}");
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
