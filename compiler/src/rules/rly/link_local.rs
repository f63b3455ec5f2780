//! RLY004: a trusted network that every link has.

use super::{class_of, is_within, relay_ranges};
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check("RLY004", "link-local-relay", Severity::Error, &[], check, include_str!("link_local.md"));

/// Link-local addresses of both families (RFC 3927 2.1, RFC 4291 2.5.6).
pub(super) const BLOCKS: &[&str] = &["169.254.0.0/16", "fe80::/10"];

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for (network, range) in relay_ranges(&subject.draft.networks).filter(|(_, range)| is_within(range.value, BLOCKS)) {
        let message = format!("The network {:?} trusts {}, which is on every link of the host", network.name.value, range.value);
        findings.push(
            RULE.at(range.span, message)
                .help("Remove the range, and name the global or private addresses of the hosts that you mean")
                .postfix(&["mynetworks", "mynetworks_style"])
                .opens(class_of(network)),
        );
    }
}
