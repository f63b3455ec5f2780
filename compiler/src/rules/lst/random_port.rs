//! LST005: a listener whose port nobody knows.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check("LST005", "random-port", Severity::Warning, &[], check, include_str!("random_port.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for listener in subject.draft.listeners.iter().filter(|listener| listener.port.value == 0 && listener.socket.is_none()) {
        findings.push(
            RULE.at(
                listener.port.span.unwrap_or(listener.name.span),
                format!("The listener {:?} gets another port at every start", listener.name.value),
            )
            .help(format!("Write port={}: 0 is for tests", listener.kind.value.default_port()))
            .postfix(&["master.cf"]),
        );
    }
}
