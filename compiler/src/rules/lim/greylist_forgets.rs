//! LIM012: a greylist that has forgotten a client before it may come back.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("LIM012", "greylist-forgets", Severity::Error, &[], check, include_str!("greylist_forgets.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(greylist) = &subject.draft.screen.greylist else { return };
    if greylist.remember.value <= greylist.after.value {
        let span = greylist.remember.span.or(greylist.after.span).unwrap_or(greylist.span);
        findings.push(
            RULE.at(span, "No mail comes in: a client is forgotten before it may come back")
                .also(greylist.after.span.unwrap_or(greylist.span), "it must stay away for so long")
                .help("Write remember=\"35d\": mailing lists that write once a month stay known")
                .postfix(&["check_policy_service"]),
        );
    }
}
