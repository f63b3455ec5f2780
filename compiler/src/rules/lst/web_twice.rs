//! LST007: more than one listener for web pages.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("LST007", "web-twice", Severity::Error, &[Part::Listeners], check, include_str!("web_twice.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let [first, others @ ..] = &*subject.draft.web else { return };
    for other in others {
        findings.push(
            RULE.at(other.name.span, format!("{:?} is a second listener of kind web, and a site has one", other.name.value))
                .also(first.name.span, "the first")
                .help("Remove one of the two: without address= it is on every address"),
        );
    }
}
