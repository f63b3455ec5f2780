//! RTE003: a relay that is this very host.

use crate::lower::draft::{Part, RelayDraft};
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::name::HostName;
use std::net::IpAddr;

/// The rule.
pub static RULE: Rule = Rule::check(
    "RTE003",
    "relay-is-self",
    Severity::Error,
    &[Part::Host, Part::Listeners, Part::Relays],
    check,
    include_str!("relay_is_self.md"),
);

/// Another service may run on this host, such as a filter: only a port that the site itself listens on is a loop.
fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for relay in &subject.draft.relays {
        let listener = subject.draft.listeners.iter().find(|listener| {
            let bound = |address: IpAddr| listener.addresses.iter().any(|own| own.value == address || own.value.is_unspecified());
            listener.port.value == relay.port.value && is_here(subject, relay, &bound)
        });
        if let Some(listener) = listener {
            findings.push(
                RULE.at(relay.host.span, format!("The relay {:?} is this site itself: mail would come back", relay.name.value))
                    .also(listener.span, "it listens there")
                    .help("Write the host that the mail shall go to, or `via=\"direct\"` in the route")
                    .postfix(&["relayhost"]),
            );
        }
    }
}

fn is_here(subject: &Subject<'_>, relay: &RelayDraft, bound: &dyn Fn(IpAddr) -> bool) -> bool {
    let own = &subject.draft.host;
    match &relay.host.value {
        HostName::Domain(name) => *name == own.hostname.value || name.as_str() == "localhost",
        HostName::Literal(address) => {
            let is_own = own.addresses.iter().any(|own| own.value == *address);
            (address.is_loopback() && bound(*address)) || is_own
        }
    }
}
