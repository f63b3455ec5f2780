//! DKM005: an RSA key that verifiers refuse (RFC 8301 3.2).

use super::rsa_keys;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check("DKM005", "refused-key", Severity::Error, &[], check, include_str!("refused_key.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for (signer, bits) in rsa_keys(subject.draft, 0..1024) {
        let message = format!("This RSA key has {bits} bits: verifiers refuse fewer than 1024");
        findings.push(RULE.at(signer.public_key.span, message).help("Make a new key: `postern key new`"));
    }
}
