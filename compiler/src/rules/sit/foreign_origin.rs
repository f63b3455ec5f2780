//! SIT005: an origin that answers cannot reach.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use crate::syntax::nearest;
use postern_schema::site::DomainClass;

/// The rule.
pub static RULE: Rule =
    Rule::check("SIT005", "foreign-origin", Severity::Warning, &[Part::Domains], check, include_str!("foreign_origin.md"));

/// A host that only sends has no domains, and its origin is looked after elsewhere.
fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let draft = subject.draft;
    let Some(origin) = draft.host.origin_domain.said().filter(|_| !draft.domains.is_empty()) else { return };
    let why = match draft.domain(origin.value).map(|domain| &domain.class.value) {
        None => "is no domain of this site",
        Some(DomainClass::Parked) => "is parked, and neither sends nor takes mail",
        Some(DomainClass::Local | DomainClass::AliasOf(_) | DomainClass::Relay(_)) => return,
    };
    let finding = RULE
        .at(origin.span, format!("Mail from programs on this host comes from {}, which {why}", origin.value))
        .postfix(&["myorigin"]);
    let known = draft.domains.iter().filter(|domain| domain.class.value == DomainClass::Local);
    findings.push(match nearest(origin.value.as_str(), known.map(|domain| domain.name.value.as_str())) {
        Some(near) => finding.help(format!("Write `origin \"{near}\"`")),
        None => finding.help("Write a domain of this site, or declare this one"),
    });
}
