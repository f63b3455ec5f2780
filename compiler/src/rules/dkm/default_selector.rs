//! DKM010: a name that cannot be rotated.

use super::keys;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("DKM010", "default-selector", Severity::Note, &[], check, include_str!("default_selector.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for signer in keys(subject.draft).filter(|signer| signer.selector.value.as_str() == "default") {
        let message = "A key under the name `default` cannot be replaced by another of that name";
        findings.push(RULE.at(signer.selector.span, message).help("Write a selector with the year, such as \"2026a\""));
    }
}
