//! DOM007: an alias domain whose other domain has no addresses to lend.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use crate::syntax::nearest;
use postern_schema::site::DomainClass;

/// The rule.
pub static RULE: Rule = Rule::check(
    "DOM007",
    "alias-domain-target",
    Severity::Error,
    &[Part::Domains],
    check,
    include_str!("alias_domain_target.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut last = None;
    for domain in &subject.draft.domains {
        let DomainClass::AliasOf(other) = &domain.class.value else { continue };
        let target = subject.draft.domain(other);
        let why = match target.map(|target| &target.class.value) {
            Some(DomainClass::Local) => continue,
            None => format!("{other} is no domain of this site"),
            Some(DomainClass::Relay(_)) => format!("{other} is a relay domain, whose addresses another host has"),
            Some(DomainClass::Parked) => format!("{other} is parked and takes no mail"),
            Some(DomainClass::AliasOf(_)) if *other == domain.name.value => "a domain cannot stand for itself".to_owned(),
            Some(DomainClass::AliasOf(next)) => format!("{other} is itself an alias of {next}, and only one step is taken"),
        };
        // A node with several names has one alias-of.
        if last.replace(domain.class.span) == Some(domain.class.span) {
            continue;
        }
        let locals = subject.draft.domains.iter().filter(|domain| domain.class.value == DomainClass::Local);
        let help =
            match (target.map(|target| &target.class.value), nearest(other.as_str(), locals.map(|d| d.name.value.as_str()))) {
                (Some(DomainClass::AliasOf(next)), _) if next != other => format!("Write alias-of=\"{next}\""),
                (_, Some(near)) => format!("Write alias-of=\"{near}\""),
                _ => "Write a domain of this site that has addresses".to_owned(),
            };
        let finding = RULE
            .at(domain.class.span, format!("{} has no addresses: {why}", domain.name.value))
            .help(help)
            .postfix(&["virtual_alias_domains"]);
        findings.push(match target.filter(|target| target.name.span != domain.name.span) {
            Some(target) => finding.also(target.name.span, "declared here"),
            None => finding,
        });
    }
}
