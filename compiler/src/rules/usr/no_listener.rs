//! USR001: users who can log in nowhere.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("USR001", "users-without-listener", Severity::Warning, &[Part::Listeners], check, include_str!("no_listener.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if subject.draft.submission_listeners().next().is_some() {
        return;
    }
    if let Some(users) = subject.draft.users.first() {
        findings.push(
            RULE.at(users.name.span, format!("The users of {:?} can log in nowhere", users.name.value))
                .help("Write `listen \"submissions\"`, and `listen \"submission\"` for older programs")
                .postfix(&["master.cf", "smtpd_sasl_auth_enable"]),
        );
    }
}
