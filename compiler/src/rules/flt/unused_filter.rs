//! FLT005: a filter that no mail goes through.

use super::flows;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check("FLT005", "unused-filter", Severity::Warning, &[], check, include_str!("unused_filter.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let draft = subject.draft;
    if !draft.planned.knows_listeners {
        return;
    }
    for filter in draft.planned.filters.iter().filter(|filter| !flows(draft).any(|flow| filter.sees(flow))) {
        let words: Vec<String> = filter.applies.iter().map(|said| format!("{:?}", said.value)).collect();
        let message = match words.as_slice() {
            [] => format!("No mail goes through {:?}: nothing listens", filter.name.value),
            words => format!("No mail goes through {:?}: no listener is for {}", filter.name.value, words.join(" or ")),
        };
        let span = filter.applies.first().map_or(filter.name.span, |said| said.span);
        findings.push(
            RULE.at(span, message)
                .help("Remove it, or name a service that the site has")
                .postfix(&["smtpd_milters", "non_smtpd_milters"]),
        );
    }
}
