//! FLT004: filters that may take longer than a client waits.

use super::flows;
use crate::lower::draft::FilterProtocol;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use crate::source::Span;
use std::time::Duration;

/// The rule.
pub static RULE: Rule =
    Rule::check("FLT004", "outlasts-client", Severity::Warning, &[], check, include_str!("outlasts_client.md"));

/// How long a client waits for the reply to the final dot (RFC 5321 4.5.3.2.6).
const CLIENT_PATIENCE: Duration = Duration::from_secs(600);
/// How long a policy service may take, as in Postfix (`smtpd_policy_service_timeout`).
const POLICY_PATIENCE: Duration = Duration::from_secs(100);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let planned = &subject.draft.planned;
    let at_the_end = planned.policies.iter().filter(|policy| policy.at_end_of_data).count();
    let policies = POLICY_PATIENCE * u32::try_from(at_the_end).unwrap_or(u32::MAX);
    let mut reported: Vec<Span> = Vec::new();
    for flow in flows(subject.draft) {
        let while_client_waits =
            planned.filters.iter().filter(|filter| filter.protocol == FilterProtocol::Milter && filter.sees(flow));
        let mut sum = policies;
        let mut before: Vec<(Span, Duration)> = Vec::new();
        for filter in while_client_waits {
            sum += filter.timeout.value;
            let span = filter.timeout.span.unwrap_or(filter.name.span);
            if sum > CLIENT_PATIENCE && !reported.contains(&span) {
                reported.push(span);
                let finding = RULE
                    .at(
                        span,
                        format!(
                            "With {:?} a client may wait {} minutes for its answer, and it hangs up after ten",
                            filter.name.value,
                            sum.as_secs().div_ceil(60)
                        ),
                    )
                    .help("Shorten timeout= of some filter: what hangs up after the final dot sends the same message again")
                    .postfix(&["milter_content_timeout", "smtp_data_done_timeout"]);
                let also = |finding: Diagnostic, (span, time): &(Span, Duration)| {
                    finding.also(*span, format!("up to {} seconds are spent here", time.as_secs()))
                };
                findings.push(before.iter().fold(finding, also));
                break;
            }
            before.push((span, filter.timeout.value));
        }
    }
}
