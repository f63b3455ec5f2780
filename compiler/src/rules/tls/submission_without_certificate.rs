//! TLS001: a listener that needs TLS, on a site without a certificate.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check(
    "TLS001",
    "submission-without-certificate",
    Severity::Error,
    &[Part::Tls, Part::Listeners],
    check,
    include_str!("submission_without_certificate.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let tls = &subject.draft.tls;
    if tls.has_certificate() {
        return;
    }
    // One mistake, however many listeners it shuts.
    let mut listeners = subject.draft.submission_listeners();
    if let Some(first) = listeners.next() {
        let message = format!("Nobody can log in on {:?}: it needs TLS, and the site has no certificate", first.name.value);
        let finding = RULE
            .at(first.name.span, message)
            .help("Write `tls { certificate \"mail.example.com\" chain=\"tls/mail.pem\" key-secret=\"tls-mail\" }`, or `self-signed` to try out")
            .postfix(&["smtpd_tls_cert_file", "smtpd_tls_security_level", "smtpd_tls_auth_only"]);
        findings.push(listeners.fold(finding, |finding, other| finding.also(other.name.span, "this one too")));
    }
    if let Some(web) = subject.draft.web.first() {
        let message = format!("Nobody can read from {:?}: it is HTTPS, and the site has no certificate", web.name.value);
        findings.push(
            RULE.at(web.name.span, message)
                .help("Write a `certificate` in `tls` for each name that it answers for, such as `mta-sts.example.com`"),
        );
    }
}
