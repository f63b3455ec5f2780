//! SCR005: mail that is set aside, sent to somebody else.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::decide::expansion;
use postern_schema::site::Quarantine;

/// The rule.
pub static RULE: Rule = Rule::check(
    "SCR005",
    "quarantine-elsewhere",
    Severity::Error,
    &[Part::Domains, Part::Policy],
    check,
    include_str!("quarantine_elsewhere.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(place) = &subject.draft.screen.quarantine else { return };
    let Quarantine::To(mailbox) = &place.value else { return };
    if !subject.graph.loops.is_empty() {
        return;
    }
    let ends = expansion(mailbox, subject.model);
    let is_outside =
        |end: &postern_schema::decide::End| end.mailbox.domain().is_none_or(|domain| subject.draft.domain(domain).is_none());
    if let Some(end) = ends.iter().find(|end| is_outside(end)) {
        findings.push(
            RULE.at(place.span, format!("Mail that is set aside goes to {}, outside this site", end.mailbox))
                .help("Name a mailbox of this site, or write then=\"hold\""),
        );
    }
}
