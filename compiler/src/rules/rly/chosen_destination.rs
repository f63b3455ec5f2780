//! RLY007: a pattern that lets strangers choose where mail goes.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::Pattern;
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule =
    Rule::check("RLY007", "chosen-destination", Severity::Error, &[], check, include_str!("chosen_destination.md"));

/// The recipient is one of ours, so no check of relaying is made; and what it becomes is written by whoever sends.
fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut reported = HashSet::new();
    for domain in &subject.draft.domains {
        for pattern in &domain.patterns {
            if !chooses_destination(&pattern.pattern) || !reported.insert(pattern.target) {
                continue;
            }
            let message = format!(
                "Strangers may relay: whoever writes to {} chooses the domain that the mail goes on to",
                domain.name.value
            );
            findings.push(
                RULE.at(pattern.target, message)
                    .also(pattern.expression, "the group is part of the address that they write to")
                    .help("Write the domain in full, and keep {1} to what stands before the @")
                    .postfix(&["virtual_alias_maps", "allow_percent_hack", "swap_bangpath"])
                    .opens(super::STRANGERS),
            );
        }
    }
}

/// Whether a group of the address that somebody writes to is part of the host that the mail goes to.
pub fn chooses_destination(pattern: &Pattern) -> bool {
    pattern.target().rsplit_once('@').is_some_and(|(_, host)| host.contains('{'))
}
