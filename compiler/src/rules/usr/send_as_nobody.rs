//! USR005: a user who sends as an address that takes no answers.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::decide::{Resolved, Trace, resolve};

/// The rule.
pub static RULE: Rule =
    Rule::check("USR005", "send-as-nobody", Severity::Warning, &[Part::Domains], check, include_str!("send_as_nobody.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for mailbox in subject.draft.users.iter().flat_map(|users| &users.send_as).flat_map(|entry| &entry.mailboxes) {
        let why = match resolve(&mailbox.value, subject.model, &mut Trace::default()) {
            Ok(Resolved::Unknown) => "nobody has that address",
            Ok(Resolved::Parked) => "the domain is parked, and says that it sends no mail",
            _ => continue,
        };
        findings.push(
            RULE.at(mailbox.span, format!("Answers and bounces to {} are refused: {why}", mailbox.value))
                .help(format!("Write `alias \"{}\"` in its domain, and who reads what comes back", mailbox.value.local))
                .postfix(&["smtpd_sender_login_maps", "smtpd_reject_unlisted_sender"]),
        );
    }
}
