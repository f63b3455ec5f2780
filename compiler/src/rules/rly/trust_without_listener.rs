//! RLY006: a network that may relay, and no listener where it could.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::ListenerKind;

/// The rule.
pub static RULE: Rule = Rule::check(
    "RLY006",
    "trust-without-listener",
    Severity::Warning,
    &[Part::Listeners],
    check,
    include_str!("trust_without_listener.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let draft = subject.draft;
    if draft.listeners.is_empty() || draft.listeners.iter().any(|listener| listener.kind.value == ListenerKind::Mx) {
        return;
    }
    for network in draft.networks.iter().filter(|network| network.relay.value) {
        let span = network.relay.span.unwrap_or(network.name.span);
        findings.push(
            RULE.at(
                span,
                format!("The network {:?} is trusted, and every listener demands a login all the same", network.name.value),
            )
            .help("Write `listen \"mx\"`, on an inner address= if it is for this network alone, or remove the network")
            .postfix(&["mynetworks", "smtpd_relay_restrictions"]),
        );
    }
}
