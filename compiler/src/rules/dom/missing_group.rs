//! DOM011: a target that wants a group which its expression does not have.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule = Rule::check("DOM011", "missing-group", Severity::Error, &[], check, include_str!("missing_group.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut reported = HashSet::new();
    for pattern in subject.draft.domains.iter().flat_map(|domain| &domain.patterns) {
        let Ok(hir) = regex_syntax::parse(pattern.pattern.expression()) else { continue };
        let groups = hir.properties().explicit_captures_len();
        let wanted = (1..=9).rev().find(|n| pattern.pattern.target().contains(&format!("{{{n}}}")));
        let Some(wanted) = wanted.filter(|wanted| *wanted > groups && reported.insert(pattern.target)) else { continue };
        let has = match groups {
            0 => "has no group".to_owned(),
            1 => "has one group".to_owned(),
            groups => format!("has {groups} groups"),
        };
        findings.push(
            RULE.at(pattern.target, format!("{{{wanted}}} is always empty: the expression {has}"))
                .also(pattern.expression, "the expression")
                .help("Put parentheses around the part of the expression that is meant")
                .postfix(&["virtual_alias_maps"]),
        );
    }
}
