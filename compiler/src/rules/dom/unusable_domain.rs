//! DOM016: a mail domain that nobody outside can write to.

use crate::report::{Diagnostic, Severity};
use crate::rules::sit::reserved_suffix;
use crate::rules::{Rule, Subject};
use postern_schema::name::Domain;

/// The rule.
pub static RULE: Rule =
    Rule::check("DOM016", "unusable-domain", Severity::Warning, &[], check, include_str!("unusable_domain.md"));

/// A domain for programs on the host itself, or on a network of its own, may have any name: then no finding is made for the
/// name of the host.
fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for domain in &subject.draft.domains {
        let name = &domain.name.value;
        let why = if *name == subject.draft.host.hostname.value {
            continue;
        } else if !Domain::is_fully_qualified(name) {
            "it has a single label".to_owned()
        } else if let Some(suffix) = reserved_suffix(name) {
            format!(".{suffix} is not in the public DNS")
        } else {
            continue;
        };
        findings.push(
            RULE.at(domain.name.span, format!("No other host can send mail to {name}: {why}"))
                .help("Write the whole name of a domain that is yours, or remove it")
                .postfix(&["mydestination"]),
        );
    }
}
