//! DMC003: reports that need another's leave.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::name::Domain;

/// The rule.
pub static RULE: Rule = Rule::check(
    "DMC003",
    "dmarc-reports-elsewhere",
    Severity::Note,
    &[Part::Domains],
    check,
    include_str!("reports_elsewhere.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let draft = subject.draft;
    for domain in draft.domain_nodes() {
        let Some(dmarc) = &domain.publication.dmarc else { continue };
        for receiver in dmarc.value.reports.iter().filter_map(|uri| uri.mail_domain()) {
            let is_ours = |name: &Domain| draft.domain(name).is_some();
            let ours = std::iter::successors(Some(receiver.clone()), Domain::parent).any(|name| is_ours(&name));
            if !ours && !domain.name.value.is_within(&receiver) {
                findings.push(
                    RULE.at(dmarc.span, format!("{receiver} must say in DNS that it takes reports about {}", domain.name.value))
                        .help(format!("Ask for TXT \"v=DMARC1\" at {}._report._dmarc.{receiver}", domain.name.value)),
                );
            }
        }
    }
}
