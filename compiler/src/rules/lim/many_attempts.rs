//! LIM009: a schedule that never slows down.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use std::time::Duration;

/// The rule.
pub static RULE: Rule =
    Rule::check("LIM009", "many-attempts", Severity::Warning, &[Part::Policy], check, include_str!("many_attempts.md"));

/// Every ten minutes for two days; the default makes about 65 in five days.
const MOST: u16 = 288;

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let queue = &subject.draft.queue;
    // A pause that is too short, a cap below it, and too long a lifetime have findings of their own.
    let is_reported = queue.retry.value < super::eager_retry::LEAST
        || queue.retry_cap.value < queue.retry.value
        || queue.lifetime.value > super::long_lifetime::MOST;
    if is_reported {
        return;
    }
    let places = [queue.factor_percent.span, queue.retry_cap.span, queue.retry.span, queue.lifetime.span];
    let (Some(span), true) = (places.into_iter().flatten().next(), attempts(subject) > MOST) else { return };
    findings.push(
        RULE.at(span, format!("One message is tried more than {MOST} times before it is given up"))
            .help("Write factor=2 and a longer up-to=, such as \"2h\"")
            .postfix(&["minimal_backoff_time", "maximal_backoff_time", "maximal_queue_lifetime"]),
    );
}

/// How often one message is tried; counted no further than one above [`MOST`].
fn attempts(subject: &Subject<'_>) -> u16 {
    let queue = &subject.model.site.queue;
    let mut elapsed = Duration::ZERO;
    let mut count = 1;
    while elapsed + queue.pause(count) <= queue.lifetime && count <= MOST {
        elapsed += queue.pause(count);
        count += 1;
    }
    count
}
