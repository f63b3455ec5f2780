//! FLT009: a listener for filters that no filter returns to.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("FLT009", "unused-reinject", Severity::Warning, &[], check, include_str!("unused_reinject.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let planned = &subject.draft.planned;
    for listener in &planned.reinject {
        let is_named = |filter: &&crate::lower::draft::FilterDraft| {
            filter.returns.as_ref().is_some_and(|name| name.value == listener.name.value)
        };
        if !planned.filters.iter().any(|filter| is_named(&filter)) {
            findings.push(
                RULE.at(
                    listener.name.span,
                    format!("No filter gives mail back to {:?}, which asks nobody who they are", listener.name.value),
                )
                .help("Remove it, or write returns= in the `filter` that it is for")
                .postfix(&["master.cf"]),
            );
        }
    }
}
