//! DMC005: reports that bounce.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::decide::{Resolved, Trace, resolve};

/// The rule.
pub static RULE: Rule =
    Rule::check("DMC005", "report-mailbox-missing", Severity::Error, &[Part::Domains], check, include_str!("report_mailbox.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for domain in subject.draft.domain_nodes() {
        let publication = &domain.publication;
        let dmarc = publication.dmarc.iter().flat_map(|dmarc| dmarc.value.reports.iter().map(|uri| (uri, dmarc.span)));
        let tls = publication.tls_report.iter().flat_map(|report| report.value.reports.iter().map(|uri| (uri, report.span)));
        for (uri, span) in dmarc.chain(tls) {
            let Some(mailbox) = uri.mailbox() else { continue };
            if let Ok(Resolved::Unknown | Resolved::Parked) = resolve(&mailbox, subject.model, &mut Trace::default()) {
                findings.push(
                    RULE.at(span, format!("Reports go to {mailbox}, which nobody has"))
                        .help(format!("Declare `alias \"{}\"` and who reads it", mailbox.local)),
                );
            }
        }
    }
}
