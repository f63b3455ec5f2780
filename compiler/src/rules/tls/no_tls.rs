//! TLS003: a host that offers no TLS to other hosts.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::ListenerKind;

/// The rule.
pub static RULE: Rule =
    Rule::check("TLS003", "mx-without-tls", Severity::Warning, &[Part::Tls, Part::Listeners], check, include_str!("no_tls.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let tls = &subject.draft.tls;
    let has_certificate = tls.has_certificate();
    // With a listener that needs TLS the site does not compile, and that is said already.
    if has_certificate || subject.draft.submission_listeners().next().is_some() {
        return;
    }
    let listener = subject.draft.listeners.iter().find(|listener| listener.kind.value == ListenerKind::Mx);
    if let Some(listener) = listener.filter(|listener| !listener.addresses.iter().all(|address| address.value.is_loopback())) {
        findings.push(
            RULE.at(
                listener.name.span,
                format!("The listener {:?} offers no TLS: the site has no certificate", listener.name.value),
            )
            .help(
                "Write `tls { certificate … }`, or `tls { self-signed; }`: other hosts do not verify it, and use it all the same",
            )
            .postfix(&["smtpd_tls_security_level", "smtpd_tls_cert_file"]),
        );
    }
}
