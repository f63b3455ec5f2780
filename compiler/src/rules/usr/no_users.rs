//! USR002: a listener for users, and no users.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("USR002", "submission-without-users", Severity::Error, &[Part::Users], check, include_str!("no_users.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if !subject.draft.users.is_empty() {
        return;
    }
    let mut listeners = subject.draft.submission_listeners();
    if let Some(first) = listeners.next() {
        let finding = RULE
            .at(first.name.span, format!("Nobody can log in on {:?}: the site has no users", first.name.value))
            .help("Write `users \"staff\" { passwd secret=\"users\"; }`, or remove the listener")
            .postfix(&["smtpd_sasl_type", "smtpd_sasl_path"]);
        findings.push(listeners.fold(finding, |finding, other| finding.also(other.name.span, "nor here")));
    }
}
