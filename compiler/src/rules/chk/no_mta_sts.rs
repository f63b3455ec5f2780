//! CHK007: a domain whose mail can be read on the way.

use super::{is_chosen, receiving};
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("CHK007", "no-mta-sts", Severity::Warning, &[Part::Domains], check, include_str!("no_mta_sts.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if !is_chosen(RULE.code, &subject.checkers) {
        return;
    }
    for domain in receiving(subject.draft).filter(|domain| domain.publication.mta_sts.is_none()) {
        let message = format!("{} publishes no MTA-STS policy", domain.name.value);
        findings.push(
            RULE.at(domain.name.span, message)
                .help("Write `mta-sts mode=\"testing\"`, and enforce it after some weeks of reports"),
        );
    }
}
