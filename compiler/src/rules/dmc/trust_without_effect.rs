//! DMC010: sealers that are trusted where nothing asks for their word.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check(
    "DMC010",
    "arc-trust-without-effect",
    Severity::Warning,
    &[Part::Policy],
    check,
    include_str!("trust_without_effect.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let decides = subject.draft.screen.dmarc.as_ref().is_some_and(|said| said.value.decides());
    if let (Some(sealer), false) = (subject.draft.arc.trusted.first(), decides) {
        findings.push(
            RULE.at(
                sealer.span,
                format!("The word of {} excuses nothing: no mail is refused or set aside by DMARC", sealer.value),
            )
            .help("Write `screen { dmarc honour=#true; }`, or remove `trust`"),
        );
    }
}
