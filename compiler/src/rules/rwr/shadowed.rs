//! RWR003: a rewriting or a copy that another one always comes before.

use super::no_effect::{SLOTS, same};
use crate::lower::draft::{ArchiveDraft, MasqueradeDraft, RewriteDraft};
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::{Archived, Service, Stage};

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
    let masquerades = &subject.draft.rewriting.masquerades;
    for (index, said) in masquerades.iter().enumerate() {
        let covers = |earlier: &&MasqueradeDraft| said.domain.value.is_within(&earlier.domain.value);
        if let Some(earlier) = masquerades[..index].iter().find(covers) {
            findings.push(
                RULE.at(said.domain.span, format!("Hosts of {} are hidden already", said.domain.value))
                    .also(earlier.domain.span, "by the earlier one")
                    .help("Remove one of the two, or write the narrower one first")
                    .postfix(&["masquerade_domains"]),
            );
        }
    }
    let archives = &subject.draft.rewriting.archives;
    for (index, said) in archives.iter().enumerate() {
        let covers = |earlier: &&ArchiveDraft| {
            let is_meant = earlier.when.value == Archived::All || earlier.when.value == said.when.value;
            is_meant && earlier.to.value.folded() == said.to.value.folded()
        };
        if let Some(earlier) = archives[..index].iter().find(covers) {
            findings.push(
                RULE.at(said.to.span, format!("{} gets a copy of this mail already", said.to.value))
                    .also(earlier.to.span, "by the earlier one")
                    .help("Remove one of the two")
                    .postfix(&["always_bcc"]),
            );
        }
    }
}
