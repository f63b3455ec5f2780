//! CHK011: a host whose key cannot be changed without a gap.

use super::{is_chosen, receiving};
use crate::emit::dns::announced;
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::PinOf;

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
    let Some(dane) = receiving(subject.draft).find_map(|domain| domain.publication.dane.as_ref()) else { return };
    let announced = announced(subject.model);
    // Where it is none, that is for another rule.
    if announced.len() == 1 && announced.iter().any(|pin| pin.of == PinOf::Host) {
        findings.push(
            RULE.at(dane.span, "One key alone is announced, and the day that it changes no mail comes in")
                .help("Announce the next key, or that of the authority, beside it: `key` or `authority` in `dane`"),
        );
    }
}
