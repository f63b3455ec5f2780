//! LST003: a listener on the port of another kind.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::ListenerKind;

/// The rule.
pub static RULE: Rule =
    Rule::check("LST003", "port-of-another-kind", Severity::Warning, &[], check, include_str!("unusual_port.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    // Peers have been told the port, whichever it is.
    for listener in subject.draft.listeners.iter().filter(|listener| !listener.kind.value.is_for_peers()) {
        let kind = listener.kind.value;
        let other = ListenerKind::ALL.into_iter().find(|other| *other != kind && other.default_port() == listener.port.value);
        if let Some(other) = other {
            let why = match (kind, other) {
                (ListenerKind::Mx, _) => "users cannot log in on it",
                (_, ListenerKind::Mx) => "other hosts cannot deliver to it",
                _ => "programs and listener each wait for the other to begin TLS",
            };
            findings.push(
                RULE.at(
                    listener.port.span.unwrap_or(listener.name.span),
                    format!(
                        "Port {} is where {other} is expected, and {:?} is of kind {kind}: {why}",
                        listener.port.value, listener.name.value
                    ),
                )
                .help(format!("Write port={}, or kind=\"{other}\"", kind.default_port()))
                .postfix(&["master.cf", "smtpd_tls_wrappermode"]),
            );
        }
    }
}
