//! DKIM: keys that sign nothing, convince nobody, or are about to be missed.

pub mod active_without_private;
pub mod dates_disagree;
pub mod default_selector;
pub mod ed25519_alone;
pub mod no_key;
pub mod refused_key;
pub mod removed_too_early;
pub mod selector_twice;
pub mod shared_secret;
pub mod short_key;
pub mod signed_twice;
pub mod signs_too_early;

use crate::certificate::Key;
use crate::lower::draft::{SignerDraft, SiteDraft};
use crate::report::Severity;
use crate::rules::{Raised, Rule};

/// DKM001: a private key where everybody reads it.
pub static PRIVATE_KEY_FILE: Rule =
    Rule::new("DKM001", "private-key-file", Severity::Error, Raised::Lowering, include_str!("private_key_file.md"));

/// DKM002: a file without a public key in it.
pub static NO_PUBLIC_KEY: Rule =
    Rule::new("DKM002", "no-public-key", Severity::Error, Raised::Lowering, include_str!("no_public_key.md"));

/// DKM003: a key of another kind.
pub static ALGORITHM_MISMATCH: Rule =
    Rule::new("DKM003", "algorithm-mismatch", Severity::Error, Raised::Lowering, include_str!("algorithm_mismatch.md"));

/// Every key once.
fn keys(draft: &SiteDraft) -> impl Iterator<Item = &SignerDraft> {
    draft.domain_nodes().flat_map(|domain| &domain.signers)
}

/// The RSA keys whose bits are among these.
fn rsa_keys(draft: &SiteDraft, bits: std::ops::Range<u32>) -> impl Iterator<Item = (&SignerDraft, u32)> {
    keys(draft).filter_map(move |signer| match signer.public_key.value.strength {
        Key::Rsa(found) if bits.contains(&found) => Some((signer, found)),
        _ => None,
    })
}
