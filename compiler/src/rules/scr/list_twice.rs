//! SCR004: one answer of a list that counts twice.

use crate::lower::draft::ListDraft;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::Codes;

/// The rule.
pub static RULE: Rule =
    Rule::check("SCR004", "listing-counts-twice", Severity::Warning, &[], check, include_str!("list_twice.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let lists = &subject.draft.screen.lists;
    let every = Codes::default();
    let codes = |list: &'_ ListDraft| list.codes.as_ref().map_or_else(|| every.clone(), |codes| codes.value.clone());
    for (index, list) in lists.iter().enumerate() {
        let overlaps = |other: &&ListDraft| other.zone.value == list.zone.value && codes(other).overlaps(&codes(list));
        let Some(before) = lists[..index].iter().find(overlaps) else { continue };
        findings.push(
            RULE.at(list.zone.span, format!("An answer of {} counts here and before", list.zone.value))
                .also(before.zone.span, "this counts for it too")
                .help("Write codes= at both, so that each answer counts once")
                .postfix(&["postscreen_dnsbl_sites"]),
        );
    }
}
