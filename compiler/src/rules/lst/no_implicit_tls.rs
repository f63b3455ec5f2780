//! LST006: users are offered the older of two ways alone.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::ListenerKind;

/// The rule.
pub static RULE: Rule =
    Rule::check("LST006", "no-implicit-tls", Severity::Note, &[Part::Listeners], check, include_str!("no_implicit_tls.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let listeners = &subject.draft.listeners;
    if listeners.iter().any(|listener| listener.kind.value == ListenerKind::Submissions) {
        return;
    }
    if let Some(submission) = subject.draft.submission_listeners().next() {
        findings.push(
            RULE.at(submission.name.span, "Users can log in by STARTTLS alone")
                .help("Write `listen \"submissions\"` too: TLS from the first byte cannot be stripped")
                .postfix(&["smtpd_tls_wrappermode", "master.cf"]),
        );
    }
}
