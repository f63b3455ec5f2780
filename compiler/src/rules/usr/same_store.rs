//! USR003: two user stores over one credential.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check("USR003", "same-user-store", Severity::Warning, &[], check, include_str!("same_store.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let users = &subject.draft.users;
    for (index, store) in users.iter().enumerate() {
        if let Some(first) = users[..index].iter().find(|first| first.backend.value == store.backend.value) {
            findings.push(
                RULE.at(store.backend.span, format!("The users of {:?} are those of {:?}", store.name.value, first.name.value))
                    .also(first.backend.span, "the same passwords")
                    .help("Merge the two stores, or name another place")
                    .postfix(&["smtpd_sasl_path"]),
            );
        }
    }
}
