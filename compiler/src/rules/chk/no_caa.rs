//! CHK005: a domain whose certificates any authority may issue.

use super::{is_chosen, receiving};
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::record::Certificates;

/// The rule.
pub static RULE: Rule = Rule::check("CHK005", "no-caa", Severity::Warning, &[Part::Domains], check, include_str!("no_caa.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if !is_chosen(RULE.code, &subject.checkers) {
        return;
    }
    for domain in receiving(subject.draft) {
        if !domain.publication.caa.iter().any(|caa| caa.value.certificates == Certificates::Hosts) {
            let message = format!("{} publishes no CAA record for certificates of hosts", domain.name.value);
            findings.push(
                RULE.at(domain.name.span, message).help("Write `caa issuer=` and the domain of your certificate authority"),
            );
        }
    }
}
