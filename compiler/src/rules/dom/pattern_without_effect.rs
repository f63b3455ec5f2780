//! DOM010: a pattern that no address reaches.

use crate::lower::draft::{DomainDraft, PatternDraft};
use crate::report::{Diagnostic, Severity};
use crate::rules::graph::{samples, witnesses};
use crate::rules::{Rule, Subject};
use postern_schema::decide::{StepKind, Trace, resolve};
use postern_schema::name::{HostName, Mailbox};
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule =
    Rule::check("DOM010", "pattern-without-effect", Severity::Warning, &[], check, include_str!("pattern_without_effect.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut reported = HashSet::new();
    for domain in &subject.draft.domains {
        for pattern in &domain.patterns {
            let found = never_matches(pattern).or_else(|| whole_address(pattern)).or_else(|| is_behind(subject, domain, pattern));
            let Some(finding) = found else { continue };
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

/// `regexp:` tables of Postfix match whole addresses; here a domain has its own patterns, for what stands before the `@`.
fn whole_address(pattern: &PatternDraft) -> Option<Diagnostic> {
    let expression = pattern.pattern.expression();
    let samples = samples(expression);
    let has_at = !samples.is_empty() && samples.iter().all(|sample| sample.as_str().contains('@'));
    has_at.then(|| {
        let local = expression.split_once('@').map_or(expression, |(local, _)| local);
        RULE.at(pattern.expression, "No address matches this expression: it is held against what stands before the @")
            .help(format!("Write {:?}", format!("{local}$")))
    })
}

/// The daemon's own look-up is asked for addresses that the expression takes: something that comes before it has them all. A domain in
/// which something could not be read may lack what is asked for, never have more.
fn is_behind(subject: &Subject<'_>, domain: &DomainDraft, pattern: &PatternDraft) -> Option<Diagnostic> {
    let host = HostName::Domain(domain.name.value.clone());
    let expression = pattern.pattern.expression();
    let (mut before, mut others) = (None, 0);
    for local in samples(expression) {
        let address = Mailbox::new(local, host.clone());
        let mut trace = Trace::default();
        resolve(&address, subject.model, &mut trace).ok()?;
        let by = trace.steps().iter().rev().find_map(|step| match &step.kind {
            StepKind::Pattern(by, _) => {
                domain.patterns.iter().find(|pattern| pattern.pattern.expression() == &**by).map(|by| by.expression)
            }
            StepKind::Mailbox(found) | StepKind::Alias(found, _) | StepKind::Forward(found, _) | StepKind::List(found) => {
                subject.draft.addresses.find_in(found.domain()?, found.local.as_str()).map(|found| found.span())
            }
            _ => None,
        })?;
        if by == pattern.expression {
            return None;
        }
        others += usize::from(before.is_some_and(|before| before != by));
        before = Some(before.unwrap_or(by));
    }
    let label = if others == 0 {
        "this one comes first and takes all of them"
    } else {
        "this one comes first and takes some, others the rest"
    };
    Some(
        RULE.at(pattern.expression, "No address reaches this pattern")
            .also(before?, label)
            .help("Move it before the other, or remove it: declared addresses come first, then the first pattern that matches"),
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
