//! LIM003: a loop guard that stops honest mail.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check("LIM003", "few-hops", Severity::Warning, &[], check, include_str!("few_hops.md"));

/// RFC 5321 6.3 wants 100; Postfix has 50 and lives. Below 30, mail through lists and forwarders is at risk.
const LEAST: u32 = 30;

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if let Some(said) = subject.draft.limits.hops.said().filter(|said| *said.value < LEAST) {
        findings.push(
            RULE.at(
                said.span,
                format!("Mail with {} Received fields is taken for a loop, and lists and forwarders add many", said.value),
            )
            .help("Write hops=100")
            .postfix(&["hopcount_limit"]),
        );
    }
}
