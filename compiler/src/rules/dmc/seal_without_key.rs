//! DMC009: a seal that no key makes.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::decide::sealing;

/// The rule.
pub static RULE: Rule = Rule::check(
    "DMC009",
    "seal-without-key",
    Severity::Error,
    &[Part::Domains, Part::Policy],
    check,
    include_str!("seal_without_key.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(seal) = &subject.draft.arc.seal else { return };
    if sealing(subject.model).is_ok_and(|signer| signer.is_none()) {
        findings.push(
            RULE.at(seal.span, format!("No key of {} can seal: it has none that is active here", seal.value))
                .help("Name a domain of the site with a `dkim` key whose state is \"active\""),
        );
    }
}
