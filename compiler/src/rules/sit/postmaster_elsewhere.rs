//! SIT006: a postmaster who is told by mail that mail does not work.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check(
    "SIT006",
    "postmaster-elsewhere",
    Severity::Note,
    &[Part::Domains],
    check,
    include_str!("postmaster_elsewhere.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let draft = subject.draft;
    // A host that only sends has no mailbox to offer.
    let has_mailbox = draft.addresses.declared().any(|address| address.is_mailbox());
    let Some(postmaster) = draft.host.postmaster.said().filter(|_| has_mailbox) else { return };
    if postmaster.value.domain().is_some_and(|domain| draft.domain(domain).is_none()) {
        findings.push(
            RULE.at(
                postmaster.span,
                "Mail to postmaster leaves this host, so it waits in the queue with the mail that it is about",
            )
            .help("Write a mailbox of this site, if there is one that a person reads")
            .postfix(&["2bounce_notice_recipient"]),
        );
    }
}
