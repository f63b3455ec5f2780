//! TLS011: a certificate that is not valid on the day in question.

use super::{parsed, which};
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check("TLS011", "certificate-not-valid", Severity::Error, &[], check, include_str!("expired.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(today) = subject.today else { return };
    for (node, index, certificate) in parsed(subject.draft) {
        let message = if certificate.not_after < today {
            format!("{} has expired: it was valid until {}, and today is {today}", capital(&which(index)), certificate.not_after)
        } else if certificate.not_before > today {
            format!("{} is not yet valid: it begins on {}, and today is {today}", capital(&which(index)), certificate.not_before)
        } else {
            continue;
        };
        findings.push(
            RULE.at(node.chain.span, message)
                .help("Renew the certificate and build again, or name the chain with chain-secret=, which is read again while the daemon runs")
                .postfix(&["smtpd_tls_cert_file"]),
        );
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
