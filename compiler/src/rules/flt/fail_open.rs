//! FLT012: mail goes on without a filter that does not answer.

use super::is_signer;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check("FLT012", "fail-open", Severity::Note, &[], check, include_str!("fail_open.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let planned = &subject.draft.planned;
    let filters = planned.filters.iter().filter(|filter| !is_signer(filter)).map(|filter| (&filter.name, filter.fails_open));
    let policies = planned.policies.iter().map(|policy| (&policy.name, policy.fails_open));
    for (name, span) in filters.chain(policies) {
        if let Some(span) = span {
            findings.push(
                RULE.at(span, format!("While {:?} does not answer, what it would have stopped comes in", name.value))
                    .help("Write on-failure=\"tempfail\" unless mail must never wait for it")
                    .postfix(&["milter_default_action", "smtpd_policy_service_default_action"]),
            );
        }
    }
}
