//! RLY002: a trusted network that is wider than what one person can vouch for.

use super::{Trusted, is_loopback, is_private, is_within, link_local, open_relay, trusted};
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use ipnet::IpNet;

/// The rule.
pub static RULE: Rule =
    Rule::check("RLY002", "wide-relay-network", Severity::Warning, &[Part::Networks], check, include_str!("wide_network.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for Trusted { range, who, reason, .. } in trusted(subject.draft) {
        let named_otherwise = open_relay::is_reported(range.value)
            || super::container_pool::is_pool(range.value)
            || link_local::is_link_local(range.value)
            || is_within(range.value, super::shared_space::BLOCKS)
            || is_loopback(range.value);
        let Some(limit) = limit(reason, range.value).filter(|limit| range.value.prefix_len() < *limit && !named_otherwise) else {
            continue;
        };
        let finding = RULE
            .at(range.span, format!("{who} all of {}: everybody in it may relay", range.value))
            .postfix(&["mynetworks", "mynetworks_style"]);
        findings.push(if reason.is_empty() && who.starts_with("The listener") {
            finding.help(format!("Narrow it to /{limit} or less: a filter has an address of its own"))
        } else if reason.is_empty() {
            finding.help(format!("Narrow it to /{limit} or less, or say with reason= why everybody in it is trusted"))
        } else {
            finding.help(format!("Narrow it to /{limit} or less: nobody can vouch for so many public addresses"))
        });
    }
}

/// The shortest prefix that raises no question. A reason excuses any private network, and a public one the size of a large
/// organisation's.
fn limit(reason: &str, range: IpNet) -> Option<u8> {
    match (range, is_private(range), !reason.is_empty()) {
        (_, true, true) => None,
        (IpNet::V4(_), true, false) => Some(20),
        (IpNet::V4(_), false, false) => Some(24),
        (IpNet::V4(_), false, true) => Some(16),
        (IpNet::V6(_), _, false) => Some(48),
        (IpNet::V6(_), false, true) => Some(32),
    }
}
