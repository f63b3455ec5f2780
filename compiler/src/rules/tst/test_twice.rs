//! TST002: two tests of one name.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use std::collections::HashMap;

/// The rule.
pub static RULE: Rule = Rule::check("TST002", "test-twice", Severity::Warning, &[], check, include_str!("test_twice.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut seen = HashMap::new();
    for test in &subject.draft.tests {
        if let Some(first) = seen.insert(&test.name.value, test.name.span) {
            findings.push(
                RULE.at(test.name.span, format!("Two tests are called {:?}", test.name.value))
                    .also(first, "the first")
                    .help("Rename one of the two: a report names a test by this alone"),
            );
        }
    }
}
