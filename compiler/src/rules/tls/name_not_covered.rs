//! TLS002: no certificate for the name that the host greets with.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check(
    "TLS002",
    "host-name-not-covered",
    Severity::Error,
    &[Part::Tls, Part::Host],
    check,
    include_str!("name_not_covered.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let certificates = &subject.draft.tls.certificates;
    let hostname = &subject.draft.host.hostname;
    let Some(first) = certificates.first() else { return };
    // What no chain is for, the daemon gets a certificate for.
    if subject.draft.tls.acme.is_some() {
        return;
    }
    if subject.draft.listeners.is_empty() || certificates.iter().any(|certificate| certificate.name.value == hostname.value) {
        return;
    }
    let finding = RULE
        .at(first.name.span, format!("No certificate is for {}, the name that the host greets with", hostname.value))
        .help(format!("Write `certificate \"{}\"` with a chain that is for that name", hostname.value))
        .postfix(&["smtpd_tls_cert_file", "myhostname"]);
    findings.push(match hostname.span {
        Some(span) => finding.also(span, "the name of the host"),
        None => finding,
    });
}
