//! SPF004: an `include` that passes nobody.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::DomainClass;

/// The rule.
pub static RULE: Rule = Rule::check(
    "SPF004",
    "spf-include-of-nobody",
    Severity::Error,
    &[Part::Domains],
    check,
    include_str!("include_of_nobody.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let draft = subject.draft;
    for domain in draft.domain_nodes() {
        let Some(spf) = &domain.publication.spf else { continue };
        for target in &spf.value.includes {
            let is_self = *target == domain.name.value;
            let is_parked = draft.domain(target).is_some_and(|other| other.class.value == DomainClass::Parked);
            if is_self || is_parked {
                let why = if is_self { "is the domain itself" } else { "is parked, and its record lets nobody send" };
                findings.push(
                    RULE.at(spf.span, format!("The SPF record of {} includes {target}, which {why}", domain.name.value))
                        .help("Remove that `include`"),
                );
            }
        }
    }
}
