//! TLS: certificates that are missing, are for somebody else, or convince nobody.

pub mod acme_without_web;
pub mod broken_signature;
pub mod caa_forbids;
pub mod certificate_twice;
pub mod chain_order;
pub mod expired;
pub mod expires_soon;
pub mod incomplete_chain;
pub mod name_not_covered;
pub mod no_tls;
pub mod other_name;
pub mod self_signed_unused;
pub mod submission_without_certificate;
pub mod weak_key;

use super::{Raised, Rule};
use crate::certificate::Certificate;
use crate::lower::draft::{CertificateDraft, SiteDraft};
use crate::report::Severity;

/// Whether the rule says nothing unless it is told the day.
pub(super) fn needs_today(rule: &Rule) -> bool {
    [expired::RULE.code, expires_soon::RULE.code].contains(&rule.code)
}

/// Every certificate that could be read, with its node and its place in the chain: 0 is the host's own.
fn parsed(draft: &SiteDraft) -> impl Iterator<Item = (&CertificateDraft, usize, &Certificate)> {
    let nodes = draft.tls.certificates.iter();
    nodes.flat_map(|node| node.parsed.iter().enumerate().map(move |(index, certificate)| (node, index, certificate)))
}

/// "the certificate", or "certificate 2".
fn which(index: usize) -> String {
    if index == 0 { "the host's certificate".to_owned() } else { format!("certificate {} of the chain", index + 1) }
}

/// TLS014: an authority that is not known by a name.
pub static AUTHORITY_WITHOUT_NAME: Rule =
    Rule::new("TLS014", "authority-without-name", Severity::Error, Raised::Lowering, include_str!("authority_without_name.md"));
