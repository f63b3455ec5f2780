//! The public half of a signing key, as it is published (RFC 6376 3.6.1).

use crate::site::PublicKey;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// A DKIM key record. Its `t=y`, which makes every signature worth nothing, and its `h=sha1` cannot be said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DkimKey {
    /// Signatures by this key are valid.
    Valid(PublicKey),
    /// No signature under this selector is valid: an empty `p=` (RFC 6376 3.6.1).
    Revoked,
}

impl fmt::Display for DkimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DkimKey::Valid(key) => {
                write!(f, "v=DKIM1; k={}; p={}", key.algorithm().key_type(), STANDARD.encode(key.octets()))
            }
            DkimKey::Revoked => f.write_str("v=DKIM1; p="),
        }
    }
}
