//! RLY003: a trusted network that container engines give out.

use super::{Trusted, meets, spokesmen, trusted};
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use ipnet::IpNet;
use std::net::IpAddr;

/// The rule.
pub static RULE: Rule =
    Rule::check("RLY003", "container-pool-relay", Severity::Warning, &[], check, include_str!("container_pool.md"));

/// Docker's default address pools (`172.17.0.0/16` to `172.31.0.0/16`), and Podman's default network.
const POOLS: &[&str] = &["172.16.0.0/12", "10.88.0.0/16"];

/// A subnet that somebody has chosen for some containers is this small.
const CHOSEN_PREFIX: u8 = 21;
/// A range that holds more than a pool is the network of a company, and somebody's business.
const WIDEST_PREFIX: u8 = 12;

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for Trusted { range, who, .. } in trusted(subject.draft).chain(spokesmen(subject.draft)) {
        let message = if is_pool(range.value) {
            format!("{who} {}, which container engines give out", range.value)
        } else if is_bridge(range.value) {
            format!("{who} {}, the bridge of a container engine: whoever it passes on comes from there", range.value.addr())
        } else {
            continue;
        };
        findings.push(
            RULE.at(range.span, message)
                .help(
                    "Name the one subnet of the containers that send mail (fix it with `ipam` or `--subnet`), or let them log in",
                )
                .postfix(&["mynetworks"]),
        );
    }
}

/// Whether the range is a pool, a good part of one, or several. One subnet in a pool, chosen by hand, is not.
pub(super) fn is_pool(range: IpNet) -> bool {
    matches!(range, IpNet::V4(_)) && (WIDEST_PREFIX..CHOSEN_PREFIX).contains(&range.prefix_len()) && meets(range, POOLS)
}

/// Whether it is the host's own address on one of the networks that engines make by themselves: the first of a /16 in a pool.
fn is_bridge(range: IpNet) -> bool {
    let is_first = |address: IpAddr| matches!(address, IpAddr::V4(address) if address.octets()[2..] == [0, 1]);
    range.prefix_len() == range.max_prefix_len() && is_first(range.addr()) && meets(range, POOLS)
}
