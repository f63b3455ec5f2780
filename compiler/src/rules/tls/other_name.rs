//! TLS004: a certificate for another name than the site says.

use super::parsed;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("TLS004", "certificate-for-another-name", Severity::Error, &[], check, include_str!("other_name.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for (node, _, leaf) in parsed(subject.draft).filter(|(_, index, leaf)| *index == 0 && !leaf.is_authority) {
        if leaf.covers(&node.name.value) {
            continue;
        }
        let names: Vec<&str> = leaf.names.iter().take(6).map(|name| &**name).collect();
        let is_for = if names.is_empty() { "no host at all".to_owned() } else { names.join(", ") };
        findings.push(
            RULE.at(node.chain.span, format!("The certificate is for {is_for}, not for {}", node.name.value))
                .also(node.name.span, "this name")
                .help("Write the name that the certificate is for, or the path of another chain")
                .postfix(&["smtpd_tls_cert_file", "smtpd_tls_chain_files"]),
        );
    }
}
