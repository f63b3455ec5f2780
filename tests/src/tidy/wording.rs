//! How texts are written: RFC references in the one form that can be searched for, and nothing in the tree that is true only of
//! the machine or the moment that it was written on.

use super::{Finding, Tree};
use regex::{Regex, RegexSet};

/// This file spells what it forbids.
const SELF: &str = "tests/src/tidy/wording.rs";

/// Files of others, or made by tools.
const NOT_OURS: &[&str] = &["Cargo.lock", "LICENSE", "tests/cases/sarif/sarif-schema-2.1.0.json"];

/// Every reference that is not of the form `RFC 5321 4.1.1.3`.
pub fn rfc_references(tree: &Tree) -> Vec<Finding> {
    let wrong = RegexSet::new([
        r"§",
        // In lower case it may be a name of the field: `message/rfc822`.
        r"(?:^|[^/A-Za-z])RFC[-_]?[0-9]{3,5}\b",
        r"\b(?:rfc|Rfc) [0-9]",
        r"(?i)\brfc ?[0-9]+[,;:]? *\(?(?:section|sec\.|sect\.|chapter|appendix |s\.)",
        r"(?i)\b(?:section|chapter) [0-9][0-9.]* (?:of|in) (?:the )?rfc",
        r"RFC [0-9]+/[0-9]",
        r"RFC 0[0-9]",
    ])
    .unwrap();
    matches(tree, &wrong, "write it as `RFC 5321 4.1.1.3`")
}

/// Every path of one machine, and every number of a tracker: neither means anything to a reader elsewhere.
pub fn no_workshop(tree: &Tree) -> Vec<Finding> {
    let wrong = RegexSet::new([r"(?:^|[^A-Za-z0-9_.~/-])/(?:work|root|home|Users)/", r"(?i)\bissue #?[0-9]"]).unwrap();
    matches(tree, &wrong, "it is true only of one machine or one moment")
}

fn matches(tree: &Tree, wrong: &RegexSet, advice: &str) -> Vec<Finding> {
    let expressions: Vec<Regex> = wrong.patterns().iter().map(|pattern| Regex::new(pattern).unwrap()).collect();
    let mut findings = Vec::new();
    let is_ours = |path: &str| path != SELF && !NOT_OURS.iter().any(|name| path.starts_with(name));
    for file in tree.files().iter().filter(|file| is_ours(&file.path)) {
        for (index, line) in file.text.lines().enumerate() {
            for found in wrong.matches(line).iter().filter_map(|which| expressions[which].find(line)) {
                let what = format!("{:?}: {advice}", found.as_str().trim());
                findings.push(Finding::new(&file.path, index + 1, what));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_have_one_form() {
        for good in [
            "// RFC 5321 4.1.1.3: so it is.",
            "(RFC 3463) and RFC 2920 3.1, RFC 3207 4.2",
            "https://www.rfc-editor.org/rfc/rfc5321#section-4.1",
            "in section 4 of the manual",
            "Content-Type: message/rfc822, and rfc822;a@example.com",
        ] {
            assert_eq!(rfc_references(&Tree::of(&[("a.md", good)])), [], "{good}");
        }
        for bad in
            ["RFC5321", "rfc 5321", "RFC 5321 §4.1", "RFC 5321, section 4", "RFC 5321 section 4", "section 4.1 of RFC 5321"]
        {
            assert!(!rfc_references(&Tree::of(&[("a.rs", bad)])).is_empty(), "{bad}");
        }
    }

    #[test]
    fn the_workshop_is_swept() {
        for good in ["a session of SMTP", "the compiled model", "no issue at all", "src/home/x"] {
            assert_eq!(no_workshop(&Tree::of(&[("a.md", good)])), [], "{good}");
        }
        for bad in ["in /root/x", "see issue 12", "/home/me/x", "`/work/x`"] {
            assert!(!no_workshop(&Tree::of(&[("a.kdl", bad)])).is_empty(), "{bad}");
        }
    }
}
