//! DOM008: addresses in a domain that takes all of its addresses from another.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use crate::source::Span;
use postern_schema::name::Domain;
use postern_schema::site::DomainClass;
use std::collections::{HashMap, HashSet};

/// The rule.
pub static RULE: Rule =
    Rule::check("DOM008", "addresses-in-alias-domain", Severity::Error, &[], check, include_str!("dead_content.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut reported = HashSet::new();
    let mut first: HashMap<&Domain, Span> = HashMap::new();
    for address in subject.draft.addresses.declared() {
        if let Some(domain) = address.domain() {
            first.entry(domain).or_insert(address.span());
        }
    }
    for domain in &subject.draft.domains {
        let DomainClass::AliasOf(other) = &domain.class.value else { continue };
        let name = &domain.name.value;
        let addresses = first.get(name).copied().into_iter();
        let patterns = domain.patterns.iter().map(|pattern| pattern.expression);
        let catch_all = domain.catch_all.iter().map(|target| target.span);
        let first = addresses.chain(patterns).chain(catch_all).min();
        if let Some(span) = first.filter(|span| reported.insert(*span)) {
            findings.push(
                RULE.at(span, format!("This is never looked at: {name} has the addresses of {other}"))
                    .also(domain.class.span, "said here")
                    .help(format!("Move it into `domain \"{other}\"`, or remove alias-of= and declare every address here"))
                    .postfix(&["virtual_alias_domains", "virtual_alias_maps"]),
            );
        }
    }
}
