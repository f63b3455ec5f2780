//! FLT003: a signer without which mail leaves unsigned.

use super::is_signer;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("FLT003", "fail-open-signer", Severity::Error, &[], check, include_str!("fail_open_signer.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for filter in subject.draft.planned.filters.iter().filter(|filter| is_signer(filter)) {
        if let Some(span) = filter.fails_open {
            findings.push(
                RULE.at(span, format!("While {:?} does not answer, mail leaves without its signature", filter.name.value))
                    .help("Write on-failure=\"tempfail\": mail that waits for a minute is better than mail that is refused as forged")
                    .postfix(&["milter_default_action"]),
            );
        }
    }
}
