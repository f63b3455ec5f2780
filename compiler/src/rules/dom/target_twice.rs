//! DOM013: an alias that lists one address twice.

use crate::lower::draft::AddressForm;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use std::collections::{HashMap, HashSet};

/// The rule.
pub static RULE: Rule = Rule::check("DOM013", "target-twice", Severity::Warning, &[], check, include_str!("target_twice.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut reported = HashSet::new();
    for address in subject.draft.domains.iter().flat_map(|domain| &domain.addresses) {
        let AddressForm::Alias(targets) = &address.form else { continue };
        // Most aliases have one target: nothing is allocated for them.
        if targets.len() < 2 {
            continue;
        }
        let mut seen = HashMap::new();
        for target in targets {
            if let Some(first) = seen.insert(target.value.folded(), target.span)
                && reported.insert(target.span)
            {
                findings.push(
                    RULE.at(target.span, format!("{} is a target of this alias already", target.value))
                        .also(first, "first listed here")
                        .help("Remove it, or write the address that was meant: each address gets one copy"),
                );
            }
        }
    }
}
