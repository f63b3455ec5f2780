//! CHK006: a domain whose host nobody can verify by DNS.

use super::{is_chosen, receiving};
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check("CHK006", "no-dane", Severity::Warning, &[Part::Domains], check, include_str!("no_dane.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if !is_chosen(RULE.code, &subject.checkers) {
        return;
    }
    for domain in receiving(subject.draft) {
        if domain.publication.dane.is_none() {
            let message = format!("{} publishes no TLSA record for the host that takes its mail", domain.name.value);
            findings.push(RULE.at(domain.name.span, message).help("Write `dane` in the domain, if its zone is signed"));
        }
    }
}
