//! The DKIM keys of a domain (RFC 6376): what a signer needs, and what DNS publishes of them. The private halves are credentials;
//! here stand their names.

use super::{Origin, SecretName};
use crate::name::DOMAIN_MAX_OCTETS;
use std::fmt;

/// One key of a domain. Of the keys of one domain, no two have the same selector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DkimSigner {
    /// Where the public half is found: `<selector>._domainkey.<domain>`.
    pub selector: Selector,
    /// The public half, which says what the key can do.
    pub public_key: PublicKey,
    /// The credential that holds the private half, in PKCS#8 PEM; every key that signs has one.
    pub key: Option<SecretName>,
    /// Where in its life the key is.
    pub state: SigningState,
    /// Where it was said.
    pub origin: Origin,
}

/// The public half of a signing key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PublicKey {
    /// RSA: a `SubjectPublicKeyInfo` in DER (RFC 8017 A.1.1, RFC 5280 4.1.2.7).
    Rsa(Vec<u8>),
    /// Ed25519: the key itself (RFC 8032 5.1.5).
    Ed25519([u8; 32]),
}

impl PublicKey {
    /// The one algorithm that such a key signs with.
    pub fn algorithm(&self) -> SigningAlgorithm {
        match self {
            PublicKey::Rsa(_) => SigningAlgorithm::RsaSha256,
            PublicKey::Ed25519(_) => SigningAlgorithm::Ed25519Sha256,
        }
    }

    /// The octets whose Base64 is the tag `p` of a key record (RFC 6376 3.6.1, RFC 8463 4.2).
    pub fn octets(&self) -> &[u8] {
        match self {
            PublicKey::Rsa(info) => info,
            PublicKey::Ed25519(key) => key,
        }
    }
}

/// How a signature is made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum SigningAlgorithm {
    /// RSA with PKCS#1 padding over SHA-256: every verifier knows it (RFC 6376 3.3.2).
    RsaSha256,
    /// Ed25519 over the SHA-256 of the headers (RFC 8463 3).
    Ed25519Sha256,
}

impl SigningAlgorithm {
    /// As in the tag `a` of a signature.
    pub fn as_str(self) -> &'static str {
        match self {
            SigningAlgorithm::RsaSha256 => "rsa-sha256",
            SigningAlgorithm::Ed25519Sha256 => "ed25519-sha256",
        }
    }

    /// Reads it, in exactly this case.
    pub fn parse(text: &str) -> Option<SigningAlgorithm> {
        [SigningAlgorithm::RsaSha256, SigningAlgorithm::Ed25519Sha256].into_iter().find(|known| known.as_str() == text)
    }

    /// The type of its keys: the tag `k` of a key record.
    pub fn key_type(self) -> &'static str {
        match self {
            SigningAlgorithm::RsaSha256 => "rsa",
            SigningAlgorithm::Ed25519Sha256 => "ed25519",
        }
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The life of a key. A key goes through it in this order, and each step waits until nobody can miss what the next takes away.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum SigningState {
    /// In DNS, but not signing yet: until no resolver remembers that the key was not there.
    Publish,
    /// In DNS, and signing.
    Active,
    /// In DNS, signing no more: until what it signed has arrived everywhere.
    Retired,
    /// In DNS with an empty key: whatever it signed is worth nothing (RFC 6376 3.6.1).
    Revoked,
    /// Not in DNS any more.
    Removed,
}

impl SigningState {
    /// Every state, in order.
    pub const ALL: [SigningState; 5] =
        [SigningState::Publish, SigningState::Active, SigningState::Retired, SigningState::Revoked, SigningState::Removed];

    /// The word of the site language.
    pub fn as_str(self) -> &'static str {
        match self {
            SigningState::Publish => "publish",
            SigningState::Active => "active",
            SigningState::Retired => "retired",
            SigningState::Revoked => "revoked",
            SigningState::Removed => "removed",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<SigningState> {
        SigningState::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

impl fmt::Display for SigningState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A selector: labels of letters, digits and inner hyphens, in lower case, with dots between them (RFC 6376 3.1).
#[derive(Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Selector(Box<str>);

impl Selector {
    /// Reads a selector in any case; `None` if it is none, or leaves no room for a domain behind it.
    pub fn parse(text: &str) -> Option<Selector> {
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let fits = text.len() < DOMAIN_MAX_OCTETS - "._domainkey.".len() && text.split('.').all(is_label);
        fits.then(|| Selector(text.to_ascii_lowercase().into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_is_a_name_of_hosts() {
        assert_eq!(Selector::parse("2026A.Mail").map(|selector| selector.to_string()).as_deref(), Some("2026a.mail"));
        for wrong in ["", ".", "a..b", "-a", "a-", "a_b", "ä", "a b", &"a".repeat(64), &["ab"; 100].join(".")] {
            assert_eq!(Selector::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for state in SigningState::ALL {
            assert_eq!(SigningState::parse(state.as_str()), Some(state));
        }
        for algorithm in [SigningAlgorithm::RsaSha256, SigningAlgorithm::Ed25519Sha256] {
            assert_eq!(SigningAlgorithm::parse(algorithm.as_str()), Some(algorithm));
        }
    }
}
