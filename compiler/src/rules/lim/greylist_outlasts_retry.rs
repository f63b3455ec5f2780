//! LIM011: a greylist that asks for more patience than senders have.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use std::time::Duration;

/// The rule.
pub static RULE: Rule =
    Rule::check("LIM011", "greylist-outlasts-retry", Severity::Warning, &[], check, include_str!("greylist_outlasts_retry.md"));

/// The pause that RFC 5321 4.5.4.1 names: whoever keeps to it is turned away once and no more.
const USUAL_PAUSE: Duration = Duration::from_secs(30 * 60);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let after = subject.draft.screen.greylist.as_ref().and_then(|greylist| greylist.after.said());
    if let Some(after) = after.filter(|after| *after.value > USUAL_PAUSE) {
        let message = format!(
            "A first message waits {} minutes, and most senders ask again after 30: it waits for their third attempt",
            after.value.as_secs() / 60
        );
        findings.push(
            RULE.at(after.span, message)
                .help("Write after=\"5m\": a sender that does not come back at all never does")
                .postfix(&["check_policy_service"]),
        );
    }
}
