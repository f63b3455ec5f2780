//! SCR002: a list that counts the wrong way.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("SCR002", "list-counts-wrong-way", Severity::Error, &[], check, include_str!("wrong_sign.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for list in &subject.draft.screen.lists {
        let Some(weight) = list.weight.said() else { continue };
        let zone = &list.zone.value;
        let (message, help) = match (list.is_welcome, *weight.value) {
            (_, 0) => (format!("What {zone} says counts nothing"), "Write another weight, or remove the list"),
            (false, ..0) => (format!("Clients on the block list {zone} are welcome"), "Write a weight above 0, or `dnswl`"),
            (true, 1..) => (format!("Clients on the welcome list {zone} are refused"), "Write a weight below 0, or `dnsbl`"),
            _ => continue,
        };
        findings.push(RULE.at(weight.span, message).help(help).postfix(&["postscreen_dnsbl_sites"]));
    }
}
