//! SPF004: an `include` that passes nobody.

use super::{includes, records};
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::name::Domain;
use postern_schema::record::Spf;
use postern_schema::site::DomainClass;
use std::collections::{HashMap, HashSet};

/// The rule.
pub static RULE: Rule = Rule::check(
    "SPF004",
    "spf-include-of-nobody",
    Severity::Error,
    &[Part::Domains, Part::Routes, Part::Relays],
    check,
    include_str!("include_of_nobody.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let draft = subject.draft;
    let found: Vec<_> = records(subject).collect();
    let by_name: HashMap<&Domain, &Spf> = found.iter().map(|(domain, _, spf)| (*domain, spf)).collect();
    // Each circle is told of once.
    let mut told: HashSet<&Domain> = HashSet::new();
    for (domain, span, spf) in &found {
        for target in includes(spf) {
            let is_parked = draft.domain(target).is_some_and(|other| other.class.value == DomainClass::Parked);
            let why = if target == *domain {
                "is the domain itself".to_owned()
            } else if is_parked {
                "is parked, and its record lets nobody send".to_owned()
            } else if told.contains(domain) || told.contains(target) {
                continue;
            } else if let Some(last) = way_back(target, domain, &by_name) {
                told.extend([*domain, last]);
                if last == target { "includes it again".to_owned() } else { format!("leads to {last}, which includes it again") }
            } else {
                continue;
            };
            findings.push(
                RULE.at(*span, format!("The SPF record of {domain} includes {target}, which {why}"))
                    .help("Remove that `include`, or the `spf-include` that it comes from"),
            );
        }
    }
}

/// The record from which a chain of includes comes back to this domain, if one does.
fn way_back<'a>(from: &'a Domain, to: &Domain, records: &HashMap<&'a Domain, &'a Spf>) -> Option<&'a Domain> {
    let (mut waiting, mut seen) = (vec![from], HashSet::from([from]));
    while let Some(name) = waiting.pop() {
        for next in records.get(name).into_iter().flat_map(|record| includes(record)) {
            if next == to {
                return Some(name);
            }
            if seen.insert(next) {
                waiting.push(next);
            }
        }
    }
    None
}
