//! STS002: a policy that senders forget.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use std::time::Duration;

/// The rule.
pub static RULE: Rule =
    Rule::check("STS002", "sts-kept-too-short", Severity::Warning, &[], check, include_str!("max_age_too_short.md"));

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for domain in subject.draft.domain_nodes() {
        if let Some(sts) = domain.publication.mta_sts.as_ref().filter(|sts| sts.value.max_age < DAY) {
            findings
                .push(RULE.at(sts.span, "Senders forget this policy within a day").help("Write max-age=\"4w\", or leave it out"));
        }
    }
}
