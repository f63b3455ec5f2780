//! STS001: a policy that no sender takes.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::record::MtaStsPolicy;

/// The rule.
pub static RULE: Rule =
    Rule::check("STS001", "sts-kept-too-long", Severity::Error, &[], check, include_str!("max_age_too_long.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for domain in subject.draft.domain_nodes() {
        if let Some(sts) = domain.publication.mta_sts.as_ref().filter(|sts| sts.value.max_age > MtaStsPolicy::LONGEST) {
            let message = format!(
                "A policy may be kept for {} seconds, and this is {}",
                MtaStsPolicy::LONGEST.as_secs(),
                sts.value.max_age.as_secs()
            );
            findings.push(RULE.at(sts.span, message).help("Write max-age=\"52w\" or less"));
        }
    }
}
