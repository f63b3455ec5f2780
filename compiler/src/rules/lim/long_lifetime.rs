//! LIM010: mail that fails long after anybody remembers it.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use std::time::Duration;

/// The rule.
pub static RULE: Rule = Rule::check("LIM010", "long-lifetime", Severity::Warning, &[], check, include_str!("long_lifetime.md"));

/// Twice what anybody recommends.
pub(super) const MOST: Duration = Duration::from_secs(14 * 86_400);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if let Some(said) = subject.draft.queue.lifetime.said().filter(|said| *said.value > MOST) {
        findings.push(
            RULE.at(
                said.span,
                format!("A sender hears after {} days that the mail did not arrive", said.value.as_secs() / 86_400),
            )
            .help("Write `lifetime \"5d\"`")
            .postfix(&["maximal_queue_lifetime"]),
        );
    }
}
