//! Reply numbers are written in `schema/src/reply.rs` alone, DNS record texts in `schema/src/record.rs` alone.
//!
//! A number is taken for a reply number if RFC 5321 4.2.3 or an extension defines it and the line speaks of replies; a string,
//! if it begins like a reply line or holds an enhanced status.

use super::rust::words;
use super::{Allowed, Finding, Tree};
use regex::Regex;

/// Codes of RFC 5321 4.2.3 and of the extensions that mail uses.
const CODES: &[&str] = &[
    "211", "214", "220", "221", "235", "250", "251", "252", "334", "354", "421", "432", "450", "451", "452", "454", "455", "500",
    "501", "502", "503", "504", "521", "523", "530", "534", "535", "538", "550", "551", "552", "553", "554", "555", "556", "557",
];

/// Every reply number that is written elsewhere.
pub fn numbers(tree: &Tree, allowed: &Allowed) -> Vec<Finding> {
    let line_start = Regex::new(r"(?:^|\\n)[2-5][0-5][0-9](?:[ -]|\\r|$)").unwrap();
    let status = Regex::new(r"(?:^|[^0-9A-Za-z.])[245]\.[0-9]{1,3}\.[0-9]{1,3}(?:[^0-9.]|$)").unwrap();
    // The section of an RFC looks like a status.
    let citation = Regex::new(r"RFC [0-9]+(?: [0-9.]+)?").unwrap();
    let speaks = Regex::new(r"(?i)code|reply|replies|status|response|^\s*[0-9 |]+=>").unwrap();
    let mut findings = Vec::new();
    let mut found = |path: &str, line, text: &str| {
        let what = format!("{text}: reply numbers are written in schema/src/reply.rs alone");
        findings.push((format!("{path} {text}"), Finding::new(path, line, what)));
    };
    for file in tree.rust("").filter(|file| !file.is_test() && file.path != "schema/src/reply.rs") {
        let code = file.code();
        for literal in code.literals.iter().filter(|literal| !code.is_test(literal.line)) {
            let content = citation.replace_all(&literal.content, "");
            if line_start.is_match(&content) || status.is_match(&content) {
                found(&file.path, literal.line, &literal.content);
            }
        }
        for (number, line) in code.lines().filter(|(_, line)| speaks.is_match(line)) {
            for (_, word) in words(line).filter(|(_, word)| CODES.contains(word)) {
                found(&file.path, number, word);
            }
        }
    }
    allowed.filter("reply", findings)
}

/// The texts by which DNS records of mail are known. Domains and prefixes are names, not record texts.
const RECORD_TEXTS: &[&str] = &["v=spf1", "v=DKIM1", "v=DMARC1", "v=STSv1", "v=TLSRPTv1", "v=BIMI1"];

/// Every DNS record text that is written elsewhere.
pub fn record_texts(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust("").filter(|file| !file.is_test() && !file.path.starts_with("schema/src/record")) {
        let code = file.code();
        for literal in code.literals.iter().filter(|literal| !code.is_test(literal.line)) {
            // Prose may speak of a record; a literal that begins like one is one.
            if RECORD_TEXTS.iter().any(|text| literal.content.starts_with(text)) {
                let what = format!("{:?}: record texts are written in schema/src/record.rs alone", literal.content);
                findings.push(Finding::new(&file.path, literal.line, what));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_found_and_other_numbers_are_not() {
        let lines = [
            "//! x",
            "let a = Duration::from_secs(250);",
            "const LIMIT_OCTETS: usize = 550;",
            "let b = \"127.0.0.1 is 4.4.4.4, and 2.0.0.1\";",
            "out.extend(b\"250 Ok\\r\\n\");",
            "if reply.code.number() == 354 {}",
            "    421 | 521 => Close,",
            "    Curve::P521 => 521,",
            "let c = format!(\"{x} 5.7.1 denied\");",
            "/// 550 in a comment",
            "let http = \"in 2504 days\";",
            "let d = \"postmaster (RFC 5321 4.5.1)\";",
        ];
        let tree = Tree::of(&[("runtime/src/a.rs", &lines.join("\n")), ("schema/src/reply.rs", "fixed(250, \"250 Ok\")")]);
        let found: Vec<usize> = numbers(&tree, &Allowed::default()).iter().map(|finding| finding.line).collect();
        assert_eq!(found, [5, 9, 6, 7, 7]);
    }

    #[test]
    fn record_texts_are_found() {
        let text = "let a = \"v=spf1 -all\";\nlet b = \"a parked domain says `v=spf1 -all`\";\n#[cfg(test)]\nmod tests { const B: &str = \"v=DMARC1\"; }";
        let tree = Tree::of(&[("compiler/src/a.rs", text), ("schema/src/record.rs", text), ("schema/src/record/txt.rs", text)]);
        assert_eq!(record_texts(&tree).len(), 1);
    }
}
