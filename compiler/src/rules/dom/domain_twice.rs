//! DOM001: a domain that is listed twice.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::name::Domain;
use postern_schema::site::DomainClass;
use std::collections::HashMap;

/// The rule.
pub static RULE: Rule = Rule::check("DOM001", "domain-twice", Severity::Error, &[], check, include_str!("domain_twice.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<&Domain, _> = HashMap::new();
    for domain in &subject.draft.domains {
        let Some(first) = seen.insert(&domain.name.value, domain) else { continue };
        seen.insert(&domain.name.value, first);
        let classes = match (word(&first.class.value), word(&domain.class.value)) {
            (a, b) if a == b => String::new(),
            (a, b) => format!(": once {a}, once {b}"),
        };
        findings.push(
            RULE.at(domain.name.span, format!("The domain {} is listed twice{classes}", domain.name.value))
                .also(first.name.span, "first listed here")
                .help("Merge the two into one, or remove one of them")
                .postfix(&["mydestination", "virtual_mailbox_domains", "virtual_alias_domains", "relay_domains"]),
        );
    }
}

fn word(class: &DomainClass) -> &'static str {
    match class {
        DomainClass::Local => "local",
        DomainClass::AliasOf(_) => "an alias domain",
        DomainClass::Parked => "parked",
        DomainClass::Relay(_) => "a relay domain",
    }
}
