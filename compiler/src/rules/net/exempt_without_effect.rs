//! NET006: a network that is spared what nobody does.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check(
    "NET006",
    "exempt-without-effect",
    Severity::Warning,
    &[Part::Networks, Part::Policy],
    check,
    include_str!("exempt_without_effect.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for network in &subject.draft.networks {
        for (index, check) in network.exempt.iter().enumerate() {
            let word = check.value.as_str();
            let (message, help) = if network.relay.value {
                (format!("{:?} may relay, and is spared every check by that", network.name.value), "Remove `exempt`")
            } else if network.exempt[..index].iter().any(|other| other.value == check.value) {
                (format!("{word:?} stands here twice"), "Remove one of them")
            } else if !subject.draft.screen.does(check.value) {
                (
                    format!("Nobody is asked for {word:?} here: {:?} is spared nothing", network.name.value),
                    "Remove it, or add the check to `screen`",
                )
            } else {
                continue;
            };
            findings.push(RULE.at(check.span, message).help(help).postfix(&["postscreen_access_list"]));
        }
    }
}
