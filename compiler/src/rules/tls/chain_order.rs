//! TLS005: certificates that do not follow from each other.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check("TLS005", "chain-order", Severity::Error, &[], check, include_str!("chain_order.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for node in &subject.draft.tls.certificates {
        let Some(leaf) = node.parsed.first() else { continue };
        let gap = node.parsed.windows(2).position(|pair| !pair[0].is_issued_by(&pair[1]));
        let message = if leaf.is_authority && node.parsed.iter().any(|other| !other.is_authority) {
            "The host's own certificate does not come first in the chain".to_owned()
        } else if leaf.is_authority {
            "The chain begins with the certificate of an authority, and the host's own is missing".to_owned()
        } else if let Some(gap) = gap {
            format!("Certificate {} of the chain was not signed by certificate {}, which follows it", gap + 1, gap + 2)
        } else {
            continue;
        };
        findings.push(
            RULE.at(node.chain.span, message)
                .help("Put the host's own certificate first, and behind each the one that signed it")
                .postfix(&["smtpd_tls_chain_files", "smtpd_tls_cert_file"]),
        );
    }
}
