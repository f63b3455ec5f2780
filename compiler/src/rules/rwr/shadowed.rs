//! RWR003: a rewriting that another one always comes before.

use super::no_effect::{SLOTS, same};
use crate::lower::draft::RewriteDraft;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::{Service, Stage};

/// The rule.
pub static RULE: Rule = Rule::check("RWR003", "shadowed-rewrite", Severity::Warning, &[], check, include_str!("shadowed.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let rewrites = &subject.draft.rewriting.rewrites;
    for (index, said) in rewrites.iter().enumerate() {
        let covers = |earlier: &&RewriteDraft| {
            let is_in_time = match (earlier.at, said.at) {
                (Stage::Egress, Stage::Egress) => true,
                (Stage::Arrival(earlier), Stage::Arrival(said)) => earlier == Service::All || earlier == said,
                _ => false,
            };
            let is_in_place = SLOTS.iter().all(|slot| !said.place.covers(*slot) || earlier.place.covers(*slot));
            is_in_time && is_in_place && same(&earlier.from.value, &said.from.value)
        };
        if let Some(earlier) = rewrites[..index].iter().find(covers) {
            findings.push(
                RULE.at(said.from.span, format!("{} is replaced by {} already", said.from.value, earlier.to.value))
                    .also(earlier.from.span, "by the earlier one")
                    .help("Remove one of the two")
                    .postfix(&["canonical_maps", "smtp_generic_maps"]),
            );
        }
    }
}
