//! FLT009: a listener for filters that no filter returns to.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::ListenerKind;

/// The rule.
pub static RULE: Rule =
    Rule::check("FLT009", "unused-reinject", Severity::Warning, &[], check, include_str!("unused_reinject.md"));

/// As long as no filter of the site is served, one that is wired outside of it may be what the listener is for.
fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let filters = &subject.draft.planned.filters;
    for listener in subject.draft.listeners.iter().filter(|listener| listener.kind.value == ListenerKind::Reinject) {
        let is_named = filters.iter().any(|filter| filter.returns.as_ref().is_some_and(|name| name.value == listener.name.value));
        if !filters.is_empty() && !is_named {
            findings.push(
                RULE.at(
                    listener.name.span,
                    format!("No filter gives mail back to {:?}, which asks its peers nothing", listener.name.value),
                )
                .help("Remove it, or write returns= in the `filter` that it is for")
                .postfix(&["master.cf"]),
            );
        }
    }
}
