//! FLT008: a content filter whose mail does not come back.

use crate::lower::draft::FilterProtocol;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check("FLT008", "no-way-back", Severity::Error, &[], check, include_str!("no_way_back.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let planned = &subject.draft.planned;
    for filter in planned.filters.iter().filter(|filter| filter.protocol == FilterProtocol::Smtp) {
        let other = filter.returns.as_ref().and_then(|name| {
            let listener = subject.draft.listeners.iter().find(|listener| listener.name.value == name.value)?;
            (!listener.kind.value.is_for_peers()).then_some((name, listener))
        });
        let finding = match other {
            Some((name, listener)) => RULE
                .at(
                    name.span,
                    format!(
                        "What {:?} gives back comes in by {:?} like mail of a stranger, and goes to the filter again",
                        filter.name.value, name.value
                    ),
                )
                .also(listener.name.span, "this one is for others"),
            None if filter.returns.is_none() => {
                RULE.at(filter.name.span, format!("Where {:?} gives mail back is not said", filter.name.value))
            }
            None => continue,
        };
        findings.push(
            finding
                .help("Declare `listen \"after-filter\" kind=\"reinject\" address=\"127.0.0.1\" port=10025`, and write returns=\"after-filter\"")
                .postfix(&["content_filter", "master.cf"]),
        );
    }
}
