//! TLS010: a self-signed certificate that nobody is shown.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("TLS010", "self-signed-unused", Severity::Warning, &[], check, include_str!("self_signed_unused.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let tls = &subject.draft.tls;
    if let (Some(span), Some(certificate)) = (tls.self_signed, tls.certificates.first()) {
        findings.push(
            RULE.at(span, "No self-signed certificate is made: the site names one")
                .also(certificate.span, "this is shown instead")
                .help("Remove `self-signed`"),
        );
    }
}
