//! TLS008: a certificate without those that lead to a root.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("TLS008", "incomplete-chain", Severity::Warning, &[], check, include_str!("incomplete_chain.md"));

/// Public authorities sign hosts with an intermediate certificate and never with their root, so a leaf alone is no chain.
fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for node in &subject.draft.tls.certificates {
        if let [leaf] = node.parsed.as_slice()
            && !leaf.is_self_issued()
            && !leaf.is_authority
        {
            findings.push(
                RULE.at(node.chain.span, "The chain ends with the host's own certificate: the one that signed it is missing")
                    .help("Write the path of the whole chain, which most clients of authorities call fullchain.pem")
                    .postfix(&["smtpd_tls_chain_files", "smtpd_tls_CAfile"]),
            );
        }
    }
}
