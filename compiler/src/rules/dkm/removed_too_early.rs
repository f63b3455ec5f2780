//! DKM009: a key is gone before what it signed has arrived.

use super::keys;
use crate::life;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("DKM009", "removed-too-early", Severity::Error, &[], check, include_str!("removed_too_early.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let days = life::retire_days(subject.draft.queue.lifetime.value);
    for signer in keys(subject.draft) {
        let (Some(earlier), Some(later)) = (&signer.dates.retired, &signer.dates.removed) else { continue };
        // Dates in the wrong order are for another rule.
        if (0..days).contains(&earlier.value.days_until(later.value)) {
            let (earlier, later, span) = (earlier.value, later.value, later.span);
            findings.push(
                RULE.at(
                    span,
                    format!("It left DNS on {later}, and signed until {earlier}: the queue keeps mail for longer than that"),
                )
                .help(format!("Keep it in DNS until {}", earlier.plus_days(days))),
            );
        }
    }
}
