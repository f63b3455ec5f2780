//! SCR001: lists that refuse nobody, or everybody.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check(
    "SCR001",
    "threshold-out-of-reach",
    Severity::Warning,
    &[Part::Policy],
    check,
    include_str!("threshold_out_of_reach.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(threshold) = &subject.draft.screen.threshold else { return };
    let most = subject.draft.screen.most();
    let message = if threshold.value <= 0 {
        format!("Every client is refused: one that no list knows has the sum 0, which is not below {}", threshold.value)
    } else if threshold.value > most {
        format!("No client is refused: all lists together come to {most}, and {} is asked for", threshold.value)
    } else {
        return;
    };
    findings.push(
        RULE.at(threshold.span, message)
            .help("Write a sum that one list that you trust, or two others together, come to")
            .postfix(&["postscreen_dnsbl_threshold", "postscreen_dnsbl_sites"]),
    );
}
