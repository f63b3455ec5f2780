//! RWR006: all mail of a site, copied to somebody else.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::decide::expansion;
use postern_schema::site::{Archived, RoutePattern, Selection};

/// The rule.
pub static RULE: Rule =
    Rule::check("RWR006", "archive-elsewhere", Severity::Warning, &[Part::Domains], check, include_str!("archive_elsewhere.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if !subject.graph.loops.is_empty() {
        return;
    }
    for archive in &subject.draft.rewriting.archives {
        let is_all = match &archive.when.value {
            Archived::All => true,
            Archived::From(selection) | Archived::To(selection) => *selection == Selection::Pattern(RoutePattern::Any),
        };
        let ends = expansion(&archive.to.value, subject.model);
        let is_outside =
            |domain: Option<&postern_schema::name::Domain>| domain.is_none_or(|name| subject.draft.domain(name).is_none());
        if let Some(end) = ends.iter().find(|end| is_all && is_outside(end.mailbox.domain())) {
            findings.push(
                RULE.at(archive.to.span, format!("A copy of every message goes to {}, outside this site", end.mailbox))
                    .help("Keep the archive in a mailbox here, or say with when= which mail is meant")
                    .postfix(&["always_bcc"]),
            );
        }
    }
}
