//! FWD002: bounce addresses in a domain whose mail does not come here.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::DomainClass;

/// The rule.
pub static RULE: Rule = Rule::check(
    "FWD002",
    "srs-domain-not-ours",
    Severity::Error,
    &[Part::Host, Part::Domains, Part::Rewriting],
    check,
    include_str!("foreign_domain.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(srs) = &subject.draft.rewriting.srs else { return };
    let name = &srs.domain.value;
    let why = match subject.draft.domain(name).map(|domain| &domain.class.value) {
        Some(DomainClass::Local | DomainClass::AliasOf(_)) => return,
        Some(DomainClass::Relay(_)) => "its mail is kept by another host",
        Some(DomainClass::Parked) => "it is parked, and says that it sends no mail",
        None => "it is no domain of this site",
    };
    findings.push(
        RULE.at(srs.domain.span.unwrap_or(srs.span), format!("Bounces to {name} do not come back here: {why}"))
            .help("Write domain= and a `domain` of this site that has its mailboxes here"),
    );
}
