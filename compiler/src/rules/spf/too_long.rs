//! SPF006: an SPF record that does not travel well.

use super::records;
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("SPF006", "spf-too-long", Severity::Warning, &[Part::Domains], check, include_str!("too_long.md"));

/// What leaves room for the rest of an answer of 512 octets (RFC 7208 3.4).
const MAX_OCTETS: usize = 450;

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for (domain, span, spf) in records(subject) {
        let octets = spf.to_string().len();
        if octets > MAX_OCTETS {
            findings.push(
                RULE.at(span, format!("The SPF record of {domain} has {octets} octets, and {MAX_OCTETS} travel well"))
                    .help("Write networks in place of single addresses, or one `include` of a name that holds them"),
            );
        }
    }
}
