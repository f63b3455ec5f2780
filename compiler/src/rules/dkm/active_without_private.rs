//! DKM013: a key that is to sign, and whose private half nobody names.

use super::keys;
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::SigningState;

/// The rule.
pub static RULE: Rule = Rule::check(
    "DKM013",
    "active-without-private-key",
    Severity::Error,
    &[Part::Domains],
    check,
    include_str!("active_without_private.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for signer in keys(subject.draft).filter(|signer| signer.state.value == SigningState::Active && signer.key.is_none()) {
        let selector = signer.selector.value.as_str();
        findings.push(
            RULE.at(signer.state.span, format!("The key {selector:?} is to sign, and nothing says where its private half is"))
                .help("Write key-secret= and the name of a credential, or state=\"publish\" if somebody else signs with it"),
        );
    }
}
