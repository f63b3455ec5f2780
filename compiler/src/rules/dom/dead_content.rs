//! DOM008: addresses in a domain that takes all of its addresses from another.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::DomainClass;
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule =
    Rule::check("DOM008", "addresses-in-alias-domain", Severity::Error, &[], check, include_str!("dead_content.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut reported = HashSet::new();
    let book = &subject.draft.addresses;
    for domain in &subject.draft.domains {
        let DomainClass::AliasOf(other) = &domain.class.value else { continue };
        let name = &domain.name.value;
        let host = book.known_host(name.as_str()).filter(|host| book.count_in(*host) > 0);
        let addresses = host.and_then(|host| book.declared().find(|address| address.host() == host));
        let addresses = addresses.map(|address| address.span()).into_iter();
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
