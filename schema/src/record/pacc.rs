//! The digest of the settings that PACC offers to mail programs (draft-ietf-mailmaint-pacc).

use super::Text;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// What stands at `_ua-auto-config.` and the domain: the SHA-256 of the file that is served, octet by octet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PaccDigest([u8; 32]);

impl PaccDigest {
    /// The digest of a file.
    pub fn of(document: &str) -> PaccDigest {
        PaccDigest(Sha256::digest(document).into())
    }
}

impl From<PaccDigest> for Text {
    fn from(digest: PaccDigest) -> Text {
        Text(format!("v=UAAC1; a=sha256; d={}", STANDARD.encode(digest.0)).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_that_of_the_octets() {
        assert_eq!(&*Text::from(PaccDigest::of("")).0, "v=UAAC1; a=sha256; d=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }
}
