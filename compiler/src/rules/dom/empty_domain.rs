//! DOM009: a domain that mail is taken for, and nobody in it.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::DomainClass;

/// The rule.
pub static RULE: Rule =
    Rule::check("DOM009", "empty-domain", Severity::Warning, &[Part::Domains], check, include_str!("empty_domain.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for domain in subject.draft.domains.iter().filter(|domain| domain.class.value == DomainClass::Local) {
        if !subject.draft.has_addresses(&domain.name.value) && domain.patterns.is_empty() && domain.catch_all.is_none() {
            findings.push(
                RULE.at(
                    domain.name.span,
                    format!("Nobody has an address in {}: all mail for it is refused, but for postmaster", domain.name.value),
                )
                .help(format!(
                    "Write its addresses, alias-of= another domain, or `parked \"{}\"` if it takes no mail",
                    domain.name.value
                ))
                .postfix(&["mydestination", "virtual_mailbox_domains"]),
            );
        }
    }
}
