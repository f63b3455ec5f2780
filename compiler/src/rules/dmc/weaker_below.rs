//! DMC002: a policy that spares names below the domain.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("DMC002", "weaker-dmarc-below", Severity::Warning, &[], check, include_str!("weaker_below.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for domain in subject.draft.domain_nodes() {
        let Some(dmarc) = &domain.publication.dmarc else { continue };
        let policy = dmarc.value.policy;
        let below = dmarc.value.subdomains.unwrap_or(policy);
        let nowhere = dmarc.value.nonexistent.unwrap_or(below);
        let weaker = [("subdomains", below, policy), ("nonexistent", nowhere, below)];
        if let Some((name, milder, stricter)) = weaker.into_iter().find(|(_, milder, stricter)| milder < stricter) {
            findings.push(
                RULE.at(dmarc.span, format!("`{name}` is `{milder}`, which is milder than `{stricter}` above it"))
                    .help(format!("Write {name}=\"{stricter}\"")),
            );
        }
    }
}
