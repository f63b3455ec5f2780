//! TLS007: a certificate with a signature that can be forged.

use super::{parsed, which};
use crate::certificate::Signature;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("TLS007", "broken-signature", Severity::Error, &[], check, include_str!("broken_signature.md"));

/// The signature of a root is never checked: it signed itself.
fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for (node, index, certificate) in parsed(subject.draft).filter(|(_, index, c)| *index == 0 || !c.is_self_issued()) {
        if let Signature::Broken(digest) = certificate.signature {
            findings.push(
                RULE.at(
                    node.chain.span,
                    format!("The signature of {} is over {digest}, and no TLS library takes it any more", which(index)),
                )
                .help("Have the key certified again")
                .postfix(&["smtpd_tls_cert_file"]),
            );
        }
    }
}
