//! FLT002: mail that comes back from a filter goes to it again.

use super::returning;
use crate::lower::draft::{FilterDraft, Flow};
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check("FLT002", "filter-loop", Severity::Error, &[], check, include_str!("filter_loop.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let filters = &subject.draft.planned.filters;
    let is_reinject = |name: &str| returning(subject.draft).any(|listener| &*listener.name.value == name);
    let mut reported: Vec<&str> = Vec::new();
    for filter in filters {
        let Some(path) = way_back(filter, filters, &is_reinject) else { continue };
        // Each filter of a circle would be found, and it is one mistake.
        if path.iter().any(|name| reported.contains(name)) {
            continue;
        }
        reported.extend(&path);
        let span = filter.applies.first().map_or(filter.name.span, |said| said.span);
        let circle = path.iter().chain(path.first()).copied().collect::<Vec<_>>().join(" -> ");
        findings.push(
            RULE.at(span, format!("Mail goes through these filters until the loop guard stops it: {circle}"))
                .help("Say with `applies \"mx\" \"submission\"` which mail it sees: not that which comes back from it")
                .postfix(&["content_filter", "receive_override_options"]),
        );
    }
}

/// The filters from this one until mail is at it again.
fn way_back<'a>(start: &'a FilterDraft, filters: &'a [FilterDraft], is_reinject: &dyn Fn(&str) -> bool) -> Option<Vec<&'a str>> {
    let mut paths: Vec<Vec<&FilterDraft>> = vec![vec![start]];
    while let Some(path) = paths.pop() {
        let Some(returns) = path.last()?.returns.as_ref().filter(|name| is_reinject(&name.value)) else { continue };
        for next in filters.iter().filter(|next| next.sees(Flow::Returned(&returns.value))) {
            if std::ptr::eq(next, start) {
                return Some(path.iter().map(|filter| &*filter.name.value).collect());
            }
            if !path.iter().any(|seen| std::ptr::eq(*seen, next)) {
                paths.push(path.iter().copied().chain([next]).collect());
            }
        }
    }
    None
}
