//! LIM015: a warning that comes when there is nothing left to wait for.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("LIM015", "late-warning", Severity::Warning, &[Part::Policy], check, include_str!("late_warning.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let queue = &subject.draft.queue;
    if queue.warn_after.value < queue.lifetime.value {
        return;
    }
    let Some(span) = queue.warn_after.span.or(queue.lifetime.span) else { return };
    let finding = RULE
        .at(span, "Senders are never told that their mail is late: it is given up before that")
        .postfix(&["delay_warning_time", "maximal_queue_lifetime"]);
    findings.push(match queue.warn_after.span {
        Some(_) => finding.help("Write a `warn-after` well below the `lifetime`"),
        None => finding.help("Write a `warn-after` too: without one it is 4h"),
    });
}
