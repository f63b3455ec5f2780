//! USR006: one user's senders in two places.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check("USR006", "send-as-twice", Severity::Note, &[], check, include_str!("user_twice.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for store in &subject.draft.users {
        for (index, entry) in store.send_as.iter().enumerate() {
            if let Some(first) = store.send_as[..index].iter().find(|first| first.user.value == entry.user.value) {
                findings.push(
                    RULE.at(entry.user.span, format!("What {} may send as stands in two places", entry.user.value))
                        .also(first.user.span, "the first")
                        .help("Merge the two: both count, and whoever takes an address away looks at one")
                        .postfix(&["smtpd_sender_login_maps"]),
                );
            }
        }
    }
}
