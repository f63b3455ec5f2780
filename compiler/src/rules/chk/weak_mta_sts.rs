//! CHK008: an MTA-STS policy that protects nobody.

use super::{is_chosen, receiving};
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::record::MtaStsMode;
use std::time::Duration;

/// The rule.
pub static RULE: Rule =
    Rule::check("CHK008", "weak-mta-sts", Severity::Warning, &[Part::Domains], check, include_str!("weak_mta_sts.md"));

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if !is_chosen(RULE.code, &subject.checkers) {
        return;
    }
    for sts in receiving(subject.draft).filter_map(|domain| domain.publication.mta_sts.as_ref()) {
        let (message, help) = if sts.value.mode != MtaStsMode::Enforce {
            (
                format!("A policy in the mode `{}` keeps nobody from sending without TLS", sts.value.mode),
                "Write mode=\"enforce\" once the reports are good",
            )
        } else if sts.value.max_age < WEEK {
            (
                "Senders forget this policy within a week, and ask anew where it can be withheld".to_owned(),
                "Write max-age=\"4w\", or leave it out",
            )
        } else {
            continue;
        };
        findings.push(RULE.at(sts.span, message).help(help));
    }
}
