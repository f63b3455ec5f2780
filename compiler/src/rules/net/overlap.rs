//! NET001: one range in two places.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use crate::source::Span;
use ipnet::IpNet;
use std::collections::HashMap;

/// The rule.
pub static RULE: Rule = Rule::check("NET001", "range-twice", Severity::Warning, &[], check, include_str!("overlap.md"));

/// The narrower of two ranges decides, so a nested one has a meaning unless it says the same as the range around it; of two
/// equal ones the second never does.
fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<IpNet, (Span, &str)> = HashMap::new();
    for network in &subject.draft.networks {
        let mut own: Vec<_> = Vec::new();
        for range in &network.ranges {
            let name = &*network.name.value;
            if let Some((first, other)) = seen.get(&range.value) {
                let message = match *other == name {
                    true => format!("The network {name:?} lists {} twice", range.value),
                    false => format!("{} is in network {other:?} already, so it does nothing in {name:?}", range.value),
                };
                findings.push(RULE.at(range.span, message).also(*first, "first given here").help("Remove one of the two"));
                continue;
            }
            seen.insert(range.value, (range.span, name));
            own.push(range);
        }
        for range in &own {
            if let Some(around) = own.iter().find(|other| other.value != range.value && other.value.contains(&range.value)) {
                let message =
                    format!("{} lies within {}, which the network {:?} lists too", range.value, around.value, network.name.value);
                findings.push(RULE.at(range.span, message).also(around.span, "the wider range").help("Remove one of the two"));
            }
        }
    }
}
