//! RTE010: two relays that are one.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("RTE010", "same-relay", Severity::Warning, &[Part::Relays], check, include_str!("same_relay.md"));

/// One host with two logins is two relays: two accounts.
fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let relays = &subject.draft.relays;
    for (index, relay) in relays.iter().enumerate() {
        let login = relay.login.as_ref().map(|login| &login.user.value);
        let first = relays[..index].iter().find(|first| {
            first.host.value == relay.host.value
                && first.port.value == relay.port.value
                && first.login.as_ref().map(|login| &login.user.value) == login
        });
        if let Some(first) = first {
            findings.push(
                RULE.at(
                    relay.host.span,
                    format!("The relays {:?} and {:?} are one host, port and login", first.name.value, relay.name.value),
                )
                .also(first.host.span, "the first")
                .help("Keep one of the two, or write the host that was meant: one that fails takes both down")
                .postfix(&["relayhost", "smtp_fallback_relay"]),
            );
        }
    }
}
