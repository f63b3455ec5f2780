//! LIM008: attempts so close together that the other side takes them for an attack.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use std::time::Duration;

/// The rule.
pub static RULE: Rule = Rule::check("LIM008", "eager-retry", Severity::Warning, &[], check, include_str!("eager_retry.md"));

/// Receivers count attempts, and a greylist that asks for five minutes gains nothing from the four before.
pub(super) const LEAST: Duration = Duration::from_secs(60);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if let Some(said) = subject.draft.queue.retry.said().filter(|said| *said.value < LEAST) {
        findings.push(
            RULE.at(said.span, format!("A host that said \"not now\" is asked again after {} seconds", said.value.as_secs()))
                .help("Write `retry \"5m\"`: a second attempt within minutes seldom finds anything changed")
                .postfix(&["minimal_backoff_time", "queue_run_delay"]),
        );
    }
}
