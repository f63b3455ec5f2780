//! What names the TLS channel of a login to both of its ends and to nobody between them (RFC 5056), for mechanisms that bind to it.
//! Which of the names a client uses is its choice, and [`super::scram`] checks it.
//!
//! `tls-unique` is none of them: TLS 1.3 has no such thing, and below it a resumed session can have the name of another.

use aws_lc_rs::digest::{self, Algorithm, SHA256, SHA384, SHA512};
use x509_parser::oid_registry::{
    OID_PKCS1_SHA1WITHRSA, OID_PKCS1_SHA256WITHRSA, OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA, OID_SIG_ECDSA_WITH_SHA256,
    OID_SIG_ECDSA_WITH_SHA384, OID_SIG_ECDSA_WITH_SHA512, Oid,
};
use x509_parser::prelude::{FromDer, X509Certificate};

/// The names that one channel has.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ChannelBindings {
    /// `tls-exporter` (RFC 9266 2): of the channel itself.
    pub exporter: Option<[u8; 32]>,
    /// `tls-server-end-point` (RFC 5929 4): of the certificate that the server has shown.
    pub end_point: Option<Box<[u8]>>,
}

impl ChannelBindings {
    /// Whether there is nothing to bind to.
    pub fn is_empty(&self) -> bool {
        self.exporter.is_none() && self.end_point.is_none()
    }

    /// The octets of the name that a client calls so.
    pub fn named(&self, kind: &str) -> Option<&[u8]> {
        match kind {
            "tls-exporter" => self.exporter.as_ref().map(|octets| &octets[..]),
            "tls-server-end-point" => self.end_point.as_deref(),
            _ => None,
        }
    }
}

/// The `tls-server-end-point` of a certificate in DER: its hash, by the function that it is signed with. `None` where it has no such
/// function, or more than one, as with Ed25519 and RSA-PSS.
pub fn end_point(certificate: &[u8]) -> Option<Box<[u8]>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let algorithm = hash_of(&parsed.signature_algorithm.algorithm)?;
    Some(digest::digest(algorithm, certificate).as_ref().into())
}

fn hash_of(signature: &Oid<'_>) -> Option<&'static Algorithm> {
    // RFC 5929 4.1: SHA-256 stands in for what is broken.
    let known: [(&[Oid<'_>], &Algorithm); 3] = [
        (&[OID_PKCS1_SHA256WITHRSA, OID_SIG_ECDSA_WITH_SHA256, OID_PKCS1_SHA1WITHRSA], &SHA256),
        (&[OID_PKCS1_SHA384WITHRSA, OID_SIG_ECDSA_WITH_SHA384], &SHA384),
        (&[OID_PKCS1_SHA512WITHRSA, OID_SIG_ECDSA_WITH_SHA512], &SHA512),
    ];
    known.into_iter().find(|(signatures, _)| signatures.contains(signature)).map(|(_, algorithm)| algorithm)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SignatureAlgorithm};
    use x509_parser::oid_registry::OID_PKCS1_RSASSAPSS;

    fn certificate(algorithm: &'static SignatureAlgorithm) -> Vec<u8> {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let params = CertificateParams::new(vec!["mail.example.com".to_owned()]).unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_hash_is_that_of_the_signature_rfc_5929_4_1() {
        for (signed_by, hash) in [(&PKCS_ECDSA_P256_SHA256, &SHA256), (&PKCS_ECDSA_P384_SHA384, &SHA384)] {
            let certificate = certificate(signed_by);
            assert_eq!(end_point(&certificate).as_deref(), Some(digest::digest(hash, &certificate).as_ref()));
        }
        assert_eq!(end_point(&certificate(&PKCS_ED25519)), None);
        assert_eq!(end_point(b"no certificate"), None);
        assert_eq!(hash_of(&OID_PKCS1_SHA1WITHRSA), Some(&SHA256));
        assert_eq!(hash_of(&OID_PKCS1_RSASSAPSS), None);
    }
}
