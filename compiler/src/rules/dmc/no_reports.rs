//! DMC006: a policy that nobody hears about.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("DMC006", "dmarc-without-reports", Severity::Note, &[Part::Domains], check, include_str!("no_reports.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for domain in subject.draft.domain_nodes() {
        if let Some(dmarc) = domain.publication.dmarc.as_ref().filter(|dmarc| dmarc.value.reports.is_empty()) {
            let message = format!("Nobody hears what becomes of mail of {}", domain.name.value);
            findings.push(
                RULE.at(dmarc.span, message).help("Write reports=\"mailto:\" and an address that a person or a program reads"),
            );
        }
    }
}
