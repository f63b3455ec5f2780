//! DOM010: a pattern that no address reaches.

use crate::lower::draft::{DomainDraft, PatternDraft};
use crate::report::{Diagnostic, Severity};
use crate::rules::graph::witnesses;
use crate::rules::{Rule, Subject};
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule =
    Rule::check("DOM010", "pattern-without-effect", Severity::Warning, &[], check, include_str!("pattern_without_effect.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut reported = HashSet::new();
    for domain in &subject.draft.domains {
        for (index, pattern) in domain.patterns.iter().enumerate() {
            let Some(finding) = never_matches(pattern).or_else(|| is_behind(domain, index)) else { continue };
            if reported.insert(pattern.expression) {
                findings.push(finding.postfix(&["virtual_alias_maps"]));
            }
        }
    }
}

/// Local parts are compared in lower case, so an expression that wants a capital letter matches none.
fn never_matches(pattern: &PatternDraft) -> Option<Diagnostic> {
    let expression = pattern.pattern.expression();
    let witnesses = witnesses(expression);
    let matches = witnesses.iter().any(|witness| pattern.pattern.apply(witness.as_str()).is_some());
    let has_capital = expression.chars().any(char::is_uppercase);
    (has_capital && !witnesses.is_empty() && !matches).then(|| {
        RULE.at(pattern.expression, "No address matches this expression: local parts are looked up in lower case")
            .help(format!("Write {:?}", expression.to_lowercase()))
    })
}

/// The first pattern that matches wins.
fn is_behind(domain: &DomainDraft, index: usize) -> Option<Diagnostic> {
    let pattern = &domain.patterns[index];
    let earlier = domain.patterns[..index].iter().find(|earlier| {
        earlier.pattern.expression() == pattern.pattern.expression() || takes_everything(earlier.pattern.expression())
    })?;
    Some(
        RULE.at(pattern.expression, "No address reaches this pattern")
            .also(earlier.expression, "this one comes first and takes all of them")
            .help("Move it before the other, or remove it: the first pattern that matches wins"),
    )
}

/// The usual spellings of "whatever it is".
pub(super) fn takes_everything(expression: &str) -> bool {
    let inner = expression.strip_prefix('^').unwrap_or(expression);
    let inner = inner.strip_suffix('$').unwrap_or(inner);
    let inner = inner.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(inner);
    // `^$` matches nothing that is there.
    let is_empty_only = inner.is_empty() && expression.starts_with('^') && expression.ends_with('$');
    matches!(inner, "" | ".*" | ".+") && !is_empty_only
}
