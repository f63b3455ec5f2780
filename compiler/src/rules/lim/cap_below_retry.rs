//! LIM006: a longest pause that is shorter than the first.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("LIM006", "cap-below-retry", Severity::Error, &[Part::Policy], check, include_str!("cap_below_retry.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let (first, longest) = (&subject.draft.queue.retry, &subject.draft.queue.retry_cap);
    if longest.value >= first.value {
        return;
    }
    let Some(span) = longest.span.or(first.span) else { return };
    let finding = RULE
        .at(span, "The longest pause between two attempts is shorter than the first")
        .help("Write an up-to= that is at least the first pause")
        .postfix(&["minimal_backoff_time", "maximal_backoff_time"]);
    findings.push(match first.span.filter(|first| *first != span) {
        Some(first) => finding.also(first, "the first pause"),
        None => finding,
    });
}
