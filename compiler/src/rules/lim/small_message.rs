//! LIM004: a message limit below what every sender may count on.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("LIM004", "small-message-limit", Severity::Warning, &[], check, include_str!("small_message.md"));

/// A mebibyte holds a letter with a photograph and nothing more; RFC 5321 4.5.3.1.7 allows no limit below 64 KiB.
const LEAST_OCTETS: u64 = 1 << 20;

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if let Some(said) = subject.draft.limits.message_octets.said().filter(|said| *said.value < LEAST_OCTETS) {
        findings.push(
            RULE.at(
                said.span,
                format!("Messages over {} octets are refused: most letters with an attachment are larger", said.value),
            )
            .help("Write message=\"25MiB\" or more, and mind the unit")
            .postfix(&["message_size_limit"]),
        );
    }
}
