//! LST004: domains, and no listener that other hosts can deliver to.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::{DomainClass, ListenerKind};

/// The rule.
pub static RULE: Rule = Rule::check(
    "LST004",
    "mail-cannot-arrive",
    Severity::Warning,
    &[Part::Listeners],
    check,
    include_str!("mail_cannot_arrive.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let draft = subject.draft;
    if draft.listeners.is_empty() || draft.listeners.iter().any(|listener| listener.kind.value == ListenerKind::Mx) {
        return;
    }
    if let Some(domain) =
        draft.domains.iter().find(|domain| matches!(domain.class.value, DomainClass::Local | DomainClass::Relay(_)))
    {
        findings.push(
            RULE.at(
                domain.name.span,
                format!("Mail for {} cannot arrive: no listener takes mail from other hosts", domain.name.value),
            )
            .help("Write `listen \"mx\"`; if the mailboxes are elsewhere, remove the domain and use `may-send-as`")
            .postfix(&["inet_interfaces", "mydestination"]),
        );
    }
}
