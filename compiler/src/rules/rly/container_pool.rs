//! RLY003: a trusted network that container engines give out.

use super::relay_ranges;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use ipnet::IpNet;

/// The rule.
pub static RULE: Rule =
    Rule::check("RLY003", "container-pool-relay", Severity::Warning, &[], check, include_str!("container_pool.md"));

/// Docker's default address pools (`172.17.0.0/16` to `172.31.0.0/16`), and Podman's default network.
const DOCKER: &str = "172.16.0.0/12";
const PODMAN: &str = "10.88.0.0/16";

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for (network, range) in relay_ranges(&subject.draft.networks).filter(|(_, range)| is_pool(range.value)) {
        let message = format!("The network {:?} trusts {}, which container engines give out", network.name.value, range.value);
        findings.push(
            RULE.at(range.span, message)
                .help(
                    "Name the one subnet of the containers that send mail (fix it with `ipam` or `--subnet`), or let them log in",
                )
                .postfix(&["mynetworks"]),
        );
    }
}

/// Whether the range is a whole pool, or several. One subnet in a pool, chosen by hand, is not.
pub(super) fn is_pool(range: IpNet) -> bool {
    let within = |pool: &str| pool.parse::<IpNet>().is_ok_and(|pool| pool.contains(&range));
    range.prefix_len() <= 16 && (within(DOCKER) || within(PODMAN))
}
