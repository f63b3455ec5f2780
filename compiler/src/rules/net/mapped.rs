//! NET002: a range that no client is ever in.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use ipnet::{IpNet, Ipv4Net};

/// The rule.
pub static RULE: Rule = Rule::check("NET002", "mapped-range", Severity::Error, &[], check, include_str!("mapped.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let ranges = subject.draft.networks.iter().flat_map(|network| &network.ranges);
    for range in ranges {
        if let Some(plain) = unmapped(range.value) {
            findings.push(
                RULE.at(range.span, format!("{} holds no client: an IPv4 client is looked up by its IPv4 address", range.value))
                    .help(match plain.prefix_len() {
                        0 => "Remove it: it stands for every IPv4 address there is".to_owned(),
                        _ => format!("Write \"{plain}\""),
                    })
                    .postfix(&["mynetworks"]),
            );
        }
    }
}

/// The IPv4 range that an IPv4-mapped one means (RFC 4291 2.5.5.2).
fn unmapped(range: IpNet) -> Option<Ipv4Net> {
    let IpNet::V6(range) = range else { return None };
    Ipv4Net::new(range.network().to_ipv4_mapped()?, range.prefix_len().checked_sub(96)?).ok()
}
