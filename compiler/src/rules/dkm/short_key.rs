//! DKM006: an RSA key below what receivers ask for.

use super::rsa_keys;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check("DKM006", "short-key", Severity::Warning, &[], check, include_str!("short_key.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for (signer, bits) in rsa_keys(subject.draft, 1024..2048) {
        let message = format!("This RSA key has {bits} bits, and 2048 are asked for");
        findings.push(
            RULE.at(signer.public_key.span, message)
                .help("Make a new key: `postern key new`; then let `postern key rotate` take it into use"),
        );
    }
}
