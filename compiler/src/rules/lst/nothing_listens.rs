//! LST002: a site that listens on nothing.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check(
    "LST002",
    "nothing-listens",
    Severity::Warning,
    &[Part::Listeners, Part::Host],
    check,
    include_str!("nothing_listens.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if subject.draft.listeners.is_empty() {
        findings.push(
            RULE.at(subject.draft.host.span, "The site listens on nothing: no mail can reach it")
                .help("Write `listen \"mx\"` for mail from other hosts, `listen \"submissions\"` for mail from users")
                .postfix(&["inet_interfaces", "master.cf"]),
        );
    }
}
