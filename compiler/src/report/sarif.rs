//! Findings in SARIF 2.1.0 (OASIS), which code-scanning services read.
//!
//! `partialFingerprints` let such a service know a finding again after lines were added above it: they are made of the code,
//! the path and the text of the line, with a count for equal ones, and of no line number.

use super::short::one_line;
use super::{Diagnostic, View};
use crate::rules;
use crate::source::Span;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// One log with one run.
pub fn render(diagnostics: &[Diagnostic], view: &View<'_>) -> String {
    let mut codes: Vec<&str> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let mut seen = HashMap::new();
    let results: Vec<Value> = diagnostics.iter().map(|diagnostic| result(diagnostic, &codes, view, &mut seen)).collect();
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "postern",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(|code| rule(code)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

/// What the service shows beside a finding: the page of `postern rule`.
fn rule(code: &str) -> Value {
    match rules::find(code) {
        None => json!({ "id": code }),
        Some(rule) => json!({
            "id": code,
            "name": rule.name,
            "shortDescription": { "text": rule.title() },
            "help": { "text": rule.explain, "markdown": rule.explain },
            "defaultConfiguration": { "level": rule.severity.as_str() },
        }),
    }
}

fn result(diagnostic: &Diagnostic, codes: &[&str], view: &View<'_>, seen: &mut HashMap<String, usize>) -> Value {
    let text = match &diagnostic.help {
        Some(help) => format!("{}. {help}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    let related: Vec<Value> = diagnostic
        .secondary
        .iter()
        .map(|label| {
            let mut location = location(label.span, view);
            location["message"] = json!({ "text": label.text });
            location
        })
        .collect();
    let mut result = json!({
        "ruleId": diagnostic.code,
        "ruleIndex": codes.binary_search(&diagnostic.code).ok(),
        "level": diagnostic.severity.as_str(),
        "message": { "text": text },
        "locations": [location(diagnostic.primary, view)],
        "partialFingerprints": { "primaryLocationLineHash": fingerprint(diagnostic, view, seen) },
    });
    if let Some(reason) = &diagnostic.allowed {
        result["suppressions"] = json!([{ "kind": "inSource", "justification": reason }]);
    }
    if !related.is_empty() {
        result["relatedLocations"] = related.into();
    }
    result
}

fn location(span: Span, view: &View<'_>) -> Value {
    let place = view.place(span);
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(&place.path) },
        "region": {
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.end_line,
            "endColumn": place.end_column,
            "byteOffset": span.start,
            "byteLength": span.length,
        },
    }})
}

/// A path as a URI reference (RFC 3986 3.3): relative stays relative.
fn uri(path: &str) -> String {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=@".contains(&octet);
    path.bytes().map(|octet| if plain(octet) { char::from(octet).to_string() } else { format!("%{octet:02X}") }).collect()
}

fn fingerprint(diagnostic: &Diagnostic, view: &View<'_>, seen: &mut HashMap<String, usize>) -> String {
    let place = view.place(diagnostic.primary);
    let line = one_line(view.sources.source(diagnostic.primary.source).line_text(place.line).trim());
    let digest = Sha256::digest(format!("{}\n{}\n{line}", diagnostic.code, place.path));
    let name: String = digest[..8].iter().map(|octet| format!("{octet:02x}")).collect();
    let count = seen.entry(name.clone()).and_modify(|count| *count += 1).or_insert(1);
    format!("{name}:{count}")
}
