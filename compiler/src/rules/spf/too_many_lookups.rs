//! SPF001: an SPF record that no receiver evaluates to its end.

use super::records;
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::record::SpfTerm;
use postern_schema::spf::LOOKUP_LIMIT;

/// The rule.
pub static RULE: Rule =
    Rule::check("SPF001", "too-many-spf-lookups", Severity::Error, &[Part::Domains], check, include_str!("too_many_lookups.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for (domain, span, spf) in records(subject) {
        let lookups = spf.terms.iter().filter(|term| !matches!(term, SpfTerm::Network(_))).count();
        if lookups > LOOKUP_LIMIT {
            findings.push(
                RULE.at(span, format!("The SPF record of {domain} takes {lookups} lookups, and {LOOKUP_LIMIT} is the most"))
                    .help("Remove senders that are not used any more, or write their addresses with `address`"),
            );
        }
    }
}
