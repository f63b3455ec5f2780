//! TLS006: a key that can be broken.

use super::{parsed, which};
use crate::certificate::Key;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check("TLS006", "weak-key", Severity::Error, &[], check, include_str!("weak_key.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for (node, index, certificate) in parsed(subject.draft) {
        let is_weak = match certificate.key {
            Key::Rsa(bits) => bits < 2048,
            Key::Curve(bits) => bits < 255,
            Key::Other => false,
        };
        if is_weak {
            findings.push(
                RULE.at(node.chain.span, format!("The key of {} is too short: {}", which(index), certificate.key))
                    .help("Make a new key, P-256 or RSA of 3072 bits, and have it certified")
                    .postfix(&["smtpd_tls_cert_file"]),
            );
        }
    }
}
