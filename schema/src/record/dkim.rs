//! The public half of a signing key, as it is published (RFC 6376 3.6.1).

use std::fmt;

/// A DKIM key record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DkimKey {
    /// No signature under this selector is valid: an empty `p=` (RFC 6376 3.6.1).
    Revoked,
}

impl fmt::Display for DkimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DkimKey::Revoked => f.write_str("v=DKIM1; p="),
        }
    }
}
