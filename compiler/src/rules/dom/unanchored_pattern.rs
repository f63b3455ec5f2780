//! DOM012: a pattern that matches anywhere in an address.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use regex_syntax::hir::Look;
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule =
    Rule::check("DOM012", "unanchored-pattern", Severity::Warning, &[], check, include_str!("unanchored_pattern.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut reported = HashSet::new();
    for pattern in subject.draft.domains.iter().flat_map(|domain| &domain.patterns) {
        let expression = pattern.pattern.expression();
        let Ok(hir) = regex_syntax::parse(expression) else { continue };
        let starts = hir.properties().look_set_prefix().contains(Look::Start) || expression.starts_with(".*");
        let ends = hir.properties().look_set_suffix().contains(Look::End) || expression.ends_with(".*");
        let missing = match (starts, ends) {
            (true, true) => continue,
            (false, true) => "does not begin with ^",
            (true, false) => "does not end with $",
            (false, false) => "has neither ^ nor $",
        };
        if reported.insert(pattern.expression) {
            let bare = expression.trim_start_matches('^').trim_end_matches('$');
            findings.push(
                RULE.at(pattern.expression, format!("The expression {missing}, so it matches within longer local parts too"))
                    .help(format!("Write \"^{bare}$\", or put .* where anything may stand"))
                    .postfix(&["virtual_alias_maps"]),
            );
        }
    }
}
