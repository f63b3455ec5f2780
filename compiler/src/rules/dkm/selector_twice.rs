//! DKM004: two keys under one name.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use std::collections::HashMap;

/// The rule.
pub static RULE: Rule = Rule::check("DKM004", "selector-twice", Severity::Error, &[], check, include_str!("selector_twice.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for domain in subject.draft.domain_nodes() {
        let mut seen = HashMap::new();
        for signer in &domain.signers {
            let selector = &signer.selector;
            if let Some(first) = seen.insert(&selector.value, selector.span) {
                findings.push(
                    RULE.at(
                        selector.span,
                        format!("The selector {:?} of {} is taken", selector.value.as_str(), domain.name.value),
                    )
                    .also(first, "first here")
                    .help("Write another selector, such as one with the month: it must be new in DNS too"),
                );
            }
        }
    }
}
