//! DMC008: reports that nobody believes.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::decide::{Author, SignFacts, signing};

/// The rule.
pub static RULE: Rule = Rule::check(
    "DMC008",
    "report-author-unsigned",
    Severity::Error,
    &[Part::Domains, Part::Policy],
    check,
    include_str!("report_author.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for (kind, from) in subject.draft.reports.authors() {
        let domains: Vec<_> = from.value.domain().cloned().into_iter().collect();
        let facts = SignFacts { author: Author::Server, from: &domains, destinations: &[] };
        if signing(&facts, subject.model).is_ok_and(|(due, _)| due.is_empty()) {
            let message = format!("No key signs {kind} reports from {}", from.value);
            let help = "Take an address in a domain of the site with a `dkim` key whose state is \"active\"";
            findings.push(RULE.at(from.span, message).help(help));
        }
    }
}
