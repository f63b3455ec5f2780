//! SPF002: an SPF record that lets everybody pass.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::record::SpfAll;

/// The rule.
pub static RULE: Rule = Rule::check("SPF002", "spf-neutral", Severity::Warning, &[], check, include_str!("neutral.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for domain in subject.draft.domain_nodes() {
        let Some(spf) = domain.publication.spf.as_ref().filter(|spf| spf.value.all == SpfAll::Neutral) else { continue };
        findings.push(
            RULE.at(spf.span, format!("Whoever sends in the name of {} is let pass by `?all`", domain.name.value))
                .help("Write all \"softfail\": DKIM and DMARC then decide"),
        );
    }
}
