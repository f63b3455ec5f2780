//! CHK010: a key that has signed for too long.

use super::is_chosen;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::SigningState;

/// The rule.
pub static RULE: Rule = Rule::check("CHK010", "old-dkim-key", Severity::Warning, &[], check, include_str!("old_key.md"));

/// Half a year, as M3AAWG has it.
const DAYS: i64 = 183;

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(today) = subject.today.filter(|_| is_chosen(RULE.code, &subject.checkers)) else { return };
    for signer in subject.draft.domain_nodes().flat_map(|domain| &domain.signers) {
        let Some(since) = signer.dates.activated.as_ref().filter(|_| signer.state.value == SigningState::Active) else {
            continue;
        };
        let days = since.value.days_until(today);
        if days > DAYS {
            findings.push(
                RULE.at(since.span, format!("This key has signed for {days} days"))
                    .help("Make the next one: `postern key rotate`"),
            );
        }
    }
}
