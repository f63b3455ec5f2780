//! SPF001: an SPF record that no receiver evaluates to its end.

use super::{includes, records};
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::name::Domain;
use postern_schema::record::{Spf, SpfTerm};
use postern_schema::spf::LOOKUP_LIMIT;
use std::collections::HashMap;

/// The rule.
pub static RULE: Rule =
    Rule::check("SPF001", "too-many-spf-lookups", Severity::Error, &[Part::Domains], check, include_str!("too_many_lookups.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let found: Vec<_> = records(subject).collect();
    let by_name: HashMap<&Domain, &Spf> = found.iter().map(|(domain, _, spf)| (*domain, spf)).collect();
    let mut known = HashMap::new();
    for (domain, span, spf) in &found {
        let lookups = lookups(domain, &by_name, &mut known);
        if lookups <= LOOKUP_LIMIT {
            continue;
        }
        let inner = includes(spf).find(|name| known.get(name).is_some_and(|lookups| *lookups > 0));
        let through = inner.map_or(String::new(), |name| format!(", with those of {name}"));
        findings.push(
            RULE.at(
                *span,
                format!("The SPF record of {domain} takes {lookups} lookups{through}, and {LOOKUP_LIMIT} is the most"),
            )
            .help("Remove senders that are not used any more, or write their addresses with `address`"),
        );
    }
}

/// How often a receiver asks DNS for a record: once for each term that is no network, and for what the records of the site hold that
/// it includes. Records of others are for `postern dns verify`.
fn lookups<'a>(domain: &'a Domain, records: &HashMap<&'a Domain, &'a Spf>, known: &mut HashMap<&'a Domain, usize>) -> usize {
    if let Some(lookups) = known.get(domain) {
        return *lookups;
    }
    let Some(record) = records.get(domain) else { return 0 };
    // What comes round to itself has an error of its own.
    known.insert(domain, 0);
    let own = record.terms.iter().filter(|term| !matches!(term, SpfTerm::Network(_))).count();
    let inner = includes(record).map(|name| lookups(name, records, known)).fold(0_usize, usize::saturating_add);
    let total = own.saturating_add(inner);
    known.insert(domain, total);
    total
}
