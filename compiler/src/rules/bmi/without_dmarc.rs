//! BMI001: a logo without a policy behind it.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::record::{Dmarc, DmarcPolicy};

/// The rule.
pub static RULE: Rule =
    Rule::check("BMI001", "bimi-without-dmarc", Severity::Warning, &[Part::Domains], check, include_str!("without_dmarc.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let is_enforced = |dmarc: &Dmarc| {
        !dmarc.testing && dmarc.policy > DmarcPolicy::None && dmarc.subdomains.is_none_or(|policy| policy > DmarcPolicy::None)
    };
    for domain in subject.draft.domain_nodes() {
        let Some(bimi) = &domain.publication.bimi else { continue };
        if !domain.publication.dmarc.as_ref().is_some_and(|dmarc| is_enforced(&dmarc.value)) {
            findings.push(
                RULE.at(
                    bimi.span,
                    format!("No mail program shows the logo of {}: its DMARC policy is not enforced", domain.name.value),
                )
                .help("Write `dmarc` with policy=\"quarantine\" or \"reject\", once the reports show that nothing is lost"),
            );
        }
    }
}
