//! RLY002: a trusted network that is wider than what one person can vouch for.

use super::{is_loopback, is_private, is_within, open_relay, relay_ranges};
use crate::lower::draft::{NetworkDraft, Part};
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use ipnet::IpNet;

/// The rule.
pub static RULE: Rule =
    Rule::check("RLY002", "wide-relay-network", Severity::Warning, &[Part::Networks], check, include_str!("wide_network.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for (network, range) in relay_ranges(&subject.draft.networks) {
        let named_otherwise = open_relay::is_reported(range.value)
            || super::container_pool::is_pool(range.value)
            || is_within(range.value, super::link_local::BLOCKS)
            || is_within(range.value, super::shared_space::BLOCKS)
            || is_loopback(range.value);
        let Some(limit) = limit(network, range.value).filter(|limit| range.value.prefix_len() < *limit && !named_otherwise)
        else {
            continue;
        };
        let finding = RULE
            .at(range.span, format!("The network {:?} lets all of {} relay", network.name.value, range.value))
            .postfix(&["mynetworks", "mynetworks_style"]);
        findings.push(if network.reason.value.is_empty() {
            finding.help(format!("Narrow it to /{limit} or less, or say with reason= why everybody in it is trusted"))
        } else {
            finding.help(format!("Narrow it to /{limit} or less: nobody can vouch for so many public addresses"))
        });
    }
}

/// The shortest prefix that raises no question. A reason excuses any private network, and a public one the size of a large
/// organisation's.
fn limit(network: &NetworkDraft, range: IpNet) -> Option<u8> {
    let has_reason = !network.reason.value.trim().is_empty();
    match (range, is_private(range), has_reason) {
        (_, true, true) => None,
        (IpNet::V4(_), true, false) => Some(20),
        (IpNet::V4(_), false, false) => Some(24),
        (IpNet::V4(_), false, true) => Some(16),
        (IpNet::V6(_), _, false) => Some(48),
        (IpNet::V6(_), false, true) => Some(32),
    }
}
