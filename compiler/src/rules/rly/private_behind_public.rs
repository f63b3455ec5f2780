//! RLY009: private addresses may relay, and the listener is a public one.

use super::{is_loopback, is_within, trusted_network};
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::ListenerKind;

/// The rule.
pub static RULE: Rule = Rule::check(
    "RLY009",
    "private-network-on-public-listener",
    Severity::Note,
    &[Part::Networks, Part::Listeners],
    check,
    include_str!("private_behind_public.md"),
);

/// RFC 1918 3, RFC 4193 3.
const BLOCKS: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let draft = subject.draft;
    let shared = draft.listeners.iter().find(|listener| {
        listener.kind.value == ListenerKind::Mx && listener.addresses.iter().any(|address| address.value.is_unspecified())
    });
    // Without a public address it is no host that strangers reach.
    let Some(listener) = shared.filter(|_| !draft.host.addresses.is_empty()) else { return };
    // A reason says that somebody has looked at what stands in between.
    for range in
        draft.networks.iter().flat_map(trusted_network).filter(|trusted| trusted.reason.is_empty()).map(|trusted| trusted.range)
    {
        let is_named_otherwise = super::container_pool::is_pool(range.value) || is_loopback(range.value);
        if !is_within(range.value, &BLOCKS) || is_named_otherwise {
            continue;
        }
        let message = format!(
            "{} may relay on the listener that strangers use: whatever hides their addresses behind one of these opens the relay",
            range.value
        );
        findings.push(
            RULE.at(range.span, message)
                .also(listener.name.span, "strangers come in here")
                .help("Give the network a listener of its own, with address=, or say with reason= that no gateway or proxy passes strangers on")
                .postfix(&["mynetworks", "inet_interfaces"]),
        );
    }
}
