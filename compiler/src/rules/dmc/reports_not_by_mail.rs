//! DMC004: an address that no report reaches.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("DMC004", "dmarc-reports-not-by-mail", Severity::Error, &[], check, include_str!("reports_not_by_mail.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for domain in subject.draft.domain_nodes() {
        let Some(dmarc) = &domain.publication.dmarc else { continue };
        for uri in dmarc.value.reports.iter().filter(|uri| uri.mailbox().is_none()) {
            let message = format!("No receiver sends DMARC reports to {uri}");
            findings.push(RULE.at(dmarc.span, message).help("Write \"mailto:\" and a mail address"));
        }
    }
}
