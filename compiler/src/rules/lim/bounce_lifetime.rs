//! LIM002: bounces that wait longer than mail.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("LIM002", "bounce-outlives-mail", Severity::Warning, &[Part::Policy], check, include_str!("bounce_lifetime.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let queue = &subject.draft.queue;
    if queue.bounce_lifetime.value <= queue.lifetime.value {
        return;
    }
    let Some(span) = queue.bounce_lifetime.span.or(queue.lifetime.span) else { return };
    let finding = RULE
        .at(span, "A bounce may wait longer than the mail that it reports")
        .postfix(&["bounce_queue_lifetime", "maximal_queue_lifetime"]);
    findings.push(match queue.bounce_lifetime.span {
        Some(_) => finding.help("Write a shorter `bounce-lifetime`"),
        None => finding.help("Write a `bounce-lifetime` too: without one it is 1d"),
    });
}
