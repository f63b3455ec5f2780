//! RTE015: a relay that is its own backup.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check("RTE015", "own-backup", Severity::Error, &[], check, include_str!("own_backup.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for relay in &subject.draft.relays {
        let Some(backup) = relay.backup.as_ref().filter(|backup| backup.value == relay.name.value) else { continue };
        findings.push(
            RULE.at(
                backup.span,
                format!("The relay {:?} is its own backup: when it cannot be reached, nobody takes over", backup.value),
            )
            .also(relay.name.span, "the same relay")
            .help("Name another relay, or remove `backup`: mail waits then")
            .postfix(&["smtp_fallback_relay"]),
        );
    }
}
