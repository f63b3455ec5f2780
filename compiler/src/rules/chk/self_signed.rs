//! CHK012: a certificate that nobody can verify.

use super::{is_chosen, receiving};
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use crate::source::Span;
use postern_schema::site::ListenerKind;

/// The rule.
pub static RULE: Rule = Rule::check(
    "CHK012",
    "unverifiable-certificate",
    Severity::Warning,
    &[Part::Tls, Part::Listeners, Part::Domains, Part::Host],
    check,
    include_str!("self_signed.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if !is_chosen(RULE.code, &subject.checkers) || receiving(subject.draft).next().is_none() {
        return;
    }
    let draft = subject.draft;
    let is_mx = draft.listeners.iter().any(|listener| listener.kind.value == ListenerKind::Mx);
    if let Some(span) = self_signed(subject).filter(|_| is_mx) {
        findings.push(
            RULE.at(
                span,
                format!("The certificate of {} is self-signed: no authority vouches for it", draft.host.hostname.value),
            )
            .help("Write `acme` in `tls`, or `certificate` with a chain that a public authority has signed")
            .postfix(&["smtpd_tls_chain_files", "smtpd_tls_cert_file"]),
        );
    }
}

/// The line that makes other hosts see a self-signed certificate.
fn self_signed(subject: &Subject<'_>) -> Option<Span> {
    let (tls, host) = (&subject.draft.tls, &subject.draft.host.hostname.value);
    if tls.certificates.is_empty() {
        return tls.self_signed.filter(|_| tls.acme.is_none());
    }
    let of_host = tls.certificates.iter().find(|certificate| certificate.name.value == *host)?;
    of_host.parsed.first().filter(|parsed| parsed.is_self_issued()).map(|_| of_host.chain.span)
}
