//! CHK011: a host whose key cannot be changed without a gap.

use super::{is_chosen, receiving};
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::{Chain, Pin};
use std::collections::BTreeSet;

/// The rule.
pub static RULE: Rule = Rule::check(
    "CHK011",
    "dane-without-spare",
    Severity::Warning,
    &[Part::Domains, Part::Tls],
    check,
    include_str!("dane_without_spare.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if !is_chosen(RULE.code, &subject.checkers) {
        return;
    }
    let said = || receiving(subject.draft).filter_map(|domain| domain.publication.dane.as_ref());
    let Some(first) = said().next() else { return };
    let pins: BTreeSet<&Pin> = said().flat_map(|dane| &dane.value).collect();
    // A chain that is read at build gives one more.
    let certificates = &subject.model.site.tls.certificates;
    let chains = certificates.iter().filter(|certificate| matches!(certificate.chain, Chain::Pem(_))).count().min(1);
    if pins.len() + chains < 2 {
        findings.push(
            RULE.at(first.span, "One key alone is announced, and the day that it changes no mail comes in")
                .help("Announce the next key, or that of the authority, beside it: `key` or `authority` in `dane`"),
        );
    }
}
