//! RTE016: the two local addresses of a route are of one family.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check("RTE016", "one-family", Severity::Error, &[], check, include_str!("one_family.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for route in &subject.draft.routes {
        let [first, second] = route.from_address.as_slice() else { continue };
        if first.value.is_ipv4() != second.value.is_ipv4() {
            continue;
        }
        let family = if first.value.is_ipv4() { "IPv4" } else { "IPv6" };
        let other = if first.value.is_ipv4() { "IPv6" } else { "IPv4" };
        findings.push(
            RULE.at(second.span, format!("Both addresses of the route are of {family}, and a connection has one"))
                .help(format!("Write an address of {other} here, or leave the property out"))
                .postfix(&["smtp_bind_address", "smtp_bind_address6"]),
        );
    }
}
