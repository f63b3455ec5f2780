//! TLS012: a certificate that ends within days.

use super::{parsed, which};
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("TLS012", "certificate-expires-soon", Severity::Warning, &[], check, include_str!("expires_soon.md"));

/// Clients of authorities renew when a third of the time is left; at two weeks, that has failed for a while.
const DAYS: i64 = 14;

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(today) = subject.today else { return };
    for (node, index, certificate) in parsed(subject.draft) {
        let days = today.days_until(certificate.not_after);
        if (0..DAYS).contains(&days) {
            findings.push(
                RULE.at(
                    node.chain.span,
                    format!("{} days are left to {}: it ends on {}", days, which(index), certificate.not_after),
                )
                .help("Renew the certificate and build again")
                .postfix(&["smtpd_tls_cert_file"]),
            );
        }
    }
}
