//! DKM007: dates that cannot be.

use super::keys;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::SigningState;

/// The rule.
pub static RULE: Rule = Rule::check("DKM007", "dates-disagree", Severity::Error, &[], check, include_str!("dates_disagree.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for signer in keys(subject.draft) {
        let dates = &signer.dates;
        let steps = [
            (SigningState::Publish, &dates.published),
            (SigningState::Active, &dates.activated),
            (SigningState::Retired, &dates.retired),
            (SigningState::Removed, &dates.removed),
        ];
        let said: Vec<_> = steps.iter().filter_map(|(state, date)| Some((*state, date.as_ref()?))).collect();
        let state = &signer.state;
        if let Some((_, date)) = said.iter().find(|(reached, _)| *reached > state.value) {
            findings.push(
                RULE.at(date.span, format!("The key is in the state `{}`, and this is the day of a later one", state.value))
                    .also(state.span, "the state")
                    .help("Let `postern key rotate` write both"),
            );
        }
        for pair in said.windows(2) {
            let [(_, earlier), (_, later)] = pair else { continue };
            if later.value < earlier.value {
                findings.push(
                    RULE.at(later.span, format!("{} is before {}, the day of the step before it", later.value, earlier.value))
                        .also(earlier.span, "the step before")
                        .help("Write the days in the order of the steps, or let `postern key rotate` write them"),
                );
            }
        }
    }
}
