//! DKM008: a key that not everybody can find signs.

use super::keys;
use crate::life;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use crate::source::Spanned;
use postern_schema::site::SigningState;

/// The rule.
pub static RULE: Rule = Rule::check("DKM008", "signs-too-early", Severity::Error, &[], check, include_str!("signs_too_early.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let days = life::PUBLISH_DAYS;
    for signer in keys(subject.draft) {
        let Some(earlier) = &signer.dates.published else { continue };
        let later = match (&signer.dates.activated, subject.today) {
            (Some(activated), _) => activated.clone(),
            (None, Some(today)) if signer.state.value == SigningState::Active => Spanned::new(today, signer.state.span),
            _ => continue,
        };
        // Dates in the wrong order are for another rule.
        if (0..days).contains(&earlier.value.days_until(later.value)) {
            let (earlier, later, span) = (earlier.value, later.value, later.span);
            findings.push(
                RULE.at(
                    span,
                    format!(
                        "It signs from {later} on, and is in DNS since {earlier}: resolvers may still say that there is none"
                    ),
                )
                .help(format!("Let it sign from {} on", earlier.plus_days(days))),
            );
        }
    }
}
