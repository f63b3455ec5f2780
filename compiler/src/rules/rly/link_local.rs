//! RLY004: a trusted network that every link has.

use super::{Trusted, meets, open_relay, spokesmen, trusted};
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use ipnet::IpNet;

/// The rule.
pub static RULE: Rule = Rule::check("RLY004", "link-local-relay", Severity::Error, &[], check, include_str!("link_local.md"));

/// Link-local addresses of both families (RFC 3927 2.1, RFC 4291 2.5.6).
const BLOCKS: &[&str] = &["169.254.0.0/16", "fe80::/10"];

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for Trusted { range, who, class, .. } in
        trusted(subject.draft).chain(spokesmen(subject.draft)).filter(|trusted| is_link_local(trusted.range.value))
    {
        let message = format!("{who} {}, which is on every link of the host", range.value);
        findings.push(
            RULE.at(range.span, message)
                .help("Remove the range, and name the global or private addresses of the hosts that you mean")
                .postfix(&["mynetworks", "mynetworks_style"])
                .opens(class),
        );
    }
}

/// Whether such addresses are in it, and it is not so wide that it is another mistake.
pub(super) fn is_link_local(range: IpNet) -> bool {
    meets(range, BLOCKS) && !open_relay::is_reported(range)
}
