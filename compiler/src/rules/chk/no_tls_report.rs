//! CHK009: a domain that hears of no failure of TLS.

use super::{is_chosen, receiving};
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("CHK009", "no-tls-report", Severity::Warning, &[Part::Domains], check, include_str!("no_tls_report.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if !is_chosen(RULE.code, &subject.checkers) {
        return;
    }
    for domain in receiving(subject.draft).filter(|domain| domain.publication.tls_report.is_none()) {
        let message = format!("Nobody hears when mail for {} cannot be sent over TLS", domain.name.value);
        findings.push(
            RULE.at(domain.name.span, message)
                .help("Write `tls-report \"mailto:\"` and an address that a person or a program reads"),
        );
    }
}
