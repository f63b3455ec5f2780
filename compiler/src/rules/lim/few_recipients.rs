//! LIM001: fewer recipients than every sender may count on.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check("LIM001", "few-recipients", Severity::Warning, &[], check, include_str!("few_recipients.md"));

/// RFC 5321 4.5.3.1.8.
const LEAST: u32 = 100;

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let recipients = &subject.draft.limits.recipients;
    if let Some(said) = recipients.said().filter(|said| *said.value < LEAST) {
        findings.push(
            RULE.at(
                said.span,
                format!("{} recipients for one message are fewer than the {LEAST} that senders may count on", said.value),
            )
            .help(format!("Write recipients={LEAST} or more"))
            .postfix(&["smtpd_recipient_limit"]),
        );
    }
}
