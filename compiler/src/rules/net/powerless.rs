//! NET003: a network that is trusted with nothing.

use crate::lower::draft::{NetworkDraft, Part};
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use ipnet::IpNet;

/// The rule.
pub static RULE: Rule =
    Rule::check("NET003", "powerless-network", Severity::Warning, &[Part::Networks], check, include_str!("powerless.md"));

/// A network without rights is no mistake where it takes an address out of a wider one that may relay.
fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let networks = &subject.draft.networks;
    let relay_ranges = || networks.iter().filter(|network| network.relay.value).flat_map(|network| &network.ranges);
    let is_exception = |range: IpNet| relay_ranges().any(|wide| wide.value != range && wide.value.contains(&range));
    let is_powerless =
        |network: &&NetworkDraft| !network.relay.value && !network.mends_line_ends.value && network.exempt.is_empty();
    for network in networks.iter().filter(is_powerless) {
        if network.ranges.iter().any(|range| is_exception(range.value)) {
            continue;
        }
        let span = network.relay.span.unwrap_or(network.name.span);
        findings.push(
            RULE.at(span, format!("The network {:?} is trusted with nothing", network.name.value))
                .help("Write relay=#true if its members may send to anywhere without a login, `exempt` if they are spared checks, or remove it")
                .postfix(&["mynetworks"]),
        );
    }
}
