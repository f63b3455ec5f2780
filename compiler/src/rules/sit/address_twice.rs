//! SIT004: one public address twice.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use std::collections::HashMap;

/// The rule.
pub static RULE: Rule =
    Rule::check("SIT004", "host-address-twice", Severity::Warning, &[], check, include_str!("address_twice.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut seen = HashMap::new();
    for address in &subject.draft.host.addresses {
        if let Some(first) = seen.insert(address.value, address.span) {
            findings.push(
                RULE.at(address.span, format!("{} is listed twice", address.value))
                    .also(first, "first listed here")
                    .help("Remove it, or write the address that was meant"),
            );
        }
    }
}
