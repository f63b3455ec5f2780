//! TLS009: two certificates for one name.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use std::collections::HashMap;

/// The rule.
pub static RULE: Rule =
    Rule::check("TLS009", "certificate-twice", Severity::Warning, &[], check, include_str!("certificate_twice.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut seen = HashMap::new();
    for certificate in &subject.draft.tls.certificates {
        let first = *seen.entry(&certificate.name.value).or_insert(certificate.name.span);
        if first != certificate.name.span {
            findings.push(
                RULE.at(certificate.name.span, format!("There is a certificate for {} already", certificate.name.value))
                    .also(first, "this one is shown")
                    .help("Remove one of the two, or write the name that was meant")
                    .postfix(&["tls_server_sni_maps"]),
            );
        }
    }
}
