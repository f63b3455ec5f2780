//! NET004: a network of a protocol that no listener speaks.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use ipnet::IpNet;
use postern_schema::site::ListenerKind;

/// The rule.
pub static RULE: Rule =
    Rule::check("NET004", "dead-family", Severity::Warning, &[Part::Listeners], check, include_str!("dead_family.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for network in &subject.draft.networks {
        // Trust counts where no login is demanded; exemptions count wherever strangers come.
        let hears = |kind: ListenerKind| if network.relay.value { kind == ListenerKind::Mx } else { !kind.is_for_peers() };
        let heard = subject.draft.listeners.iter().filter(|listener| hears(listener.kind.value));
        let mut addresses = heard.flat_map(|listener| &listener.addresses);
        let (has_v4, has_v6) = (addresses.clone().any(|a| a.value.is_ipv4()), addresses.any(|a| a.value.is_ipv6()));
        if !has_v4 && !has_v6 {
            continue;
        }
        for range in &network.ranges {
            let (served, family) = match range.value {
                IpNet::V4(_) => (has_v4, "IPv4"),
                IpNet::V6(_) => (has_v6, "IPv6"),
            };
            if !served {
                let message =
                    format!("No client is ever in {}: no listener that would trust it has an {family} address", range.value);
                findings.push(
                    RULE.at(range.span, message)
                        .help(format!("Remove the range, or let a listener have an {family} address"))
                        .postfix(&["inet_protocols", "mynetworks"]),
                );
            }
        }
    }
}
