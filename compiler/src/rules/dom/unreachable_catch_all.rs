//! DOM015: a catch-all behind a pattern that takes everything.

use super::pattern_without_effect::takes_everything;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule =
    Rule::check("DOM015", "unreachable-catch-all", Severity::Warning, &[], check, include_str!("unreachable_catch_all.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut reported = HashSet::new();
    for domain in &subject.draft.domains {
        let Some(target) = &domain.catch_all else { continue };
        let before = domain.patterns.iter().find(|pattern| takes_everything(pattern.pattern.expression()));
        if let Some(pattern) = before.filter(|_| reported.insert(target.span)) {
            findings.push(
                RULE.at(target.span, "No address reaches the catch-all")
                    .also(pattern.expression, "this pattern takes every address that is not declared")
                    .help("Remove one of the two")
                    .postfix(&["luser_relay", "virtual_alias_maps"]),
            );
        }
    }
}
