//! Whose certificate a peer shows is judged in several ways; that it holds the key of that certificate is checked in one
//! (RFC 8446 4.4.3). A [`Judge`] is the first, [`Verifier`] is both, as rustls asks for them.

use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use std::fmt::Debug;
use std::sync::Arc;

/// The part of a verifier, of servers or of clients, that is the same in all of them: whoever shows a certificate has to hold its key.
macro_rules! proofs_of_keys {
    () => {
        fn verify_tls12_signature(
            &self, message: &[u8], certificate: &rustls::pki_types::CertificateDer<'_>, signed: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
        }

        fn verify_tls13_signature(
            &self, message: &[u8], certificate: &rustls::pki_types::CertificateDer<'_>, signed: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
            self.provider.signature_verification_algorithms.supported_schemes()
        }
    };
}
pub(crate) use proofs_of_keys;

/// What a peer shows in a handshake.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// Its own certificate.
    pub leaf: &'a CertificateDer<'a>,
    /// Those of its authorities.
    pub chain: &'a [CertificateDer<'a>],
    /// The name that it was asked for.
    pub name: &'a ServerName<'a>,
    /// What it says of its revocation.
    pub ocsp: &'a [u8],
    /// The time of now.
    pub now: UnixTime,
}

/// Says whether a certificate is taken.
pub trait Judge: Debug + Send + Sync {
    /// Judges what a peer shows.
    ///
    /// # Errors
    /// Why it is not taken.
    fn judge(&self, shown: Shown<'_>, provider: &CryptoProvider) -> Result<(), rustls::Error>;
}

/// See the module.
#[derive(Debug)]
pub struct Verifier<J> {
    judge: J,
    provider: Arc<CryptoProvider>,
}

impl<J: Judge> Verifier<J> {
    /// Asks this judge.
    pub fn new(judge: J, provider: Arc<CryptoProvider>) -> Verifier<J> {
        Verifier { judge, provider }
    }
}

impl<J: Judge> ServerCertVerifier for Verifier<J> {
    fn verify_server_cert(
        &self, leaf: &CertificateDer<'_>, chain: &[CertificateDer<'_>], name: &ServerName<'_>, ocsp: &[u8], now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.judge.judge(Shown { leaf, chain, name, ocsp, now }, &self.provider).map(|()| ServerCertVerified::assertion())
    }

    proofs_of_keys!();
}
