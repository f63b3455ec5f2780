//! LIM007: mail that is given up before the other side is back.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use std::time::Duration;

/// The rule.
pub static RULE: Rule = Rule::check("LIM007", "short-lifetime", Severity::Warning, &[], check, include_str!("short_lifetime.md"));

/// RFC 5321 4.5.4.1 wants four to five days. A weekend is what hosts are most often away for.
const LEAST: Duration = Duration::from_secs(2 * 86_400);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if let Some(said) = subject.draft.queue.lifetime.said().filter(|said| *said.value < LEAST) {
        findings.push(
            RULE.at(said.span, "Mail is given up before a host that fails on Friday evening is mended")
                .help("Write `lifetime \"5d\"`")
                .postfix(&["maximal_queue_lifetime"]),
        );
    }
}
