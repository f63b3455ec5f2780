//! TLS towards peers: who must be who they say, and who need not (RFC 7435).

use postern_schema::site::TlsLevel;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::fmt;
use std::sync::Arc;

/// The two ways to meet a peer; made once, shared by every session.
#[derive(Clone)]
pub struct ClientTls {
    verifying: Result<Arc<ClientConfig>, Arc<str>>,
    opportunistic: Arc<ClientConfig>,
}

/// TLS itself cannot be set up: a build without any protocol version.
#[derive(Debug)]
pub struct TlsUnavailable(rustls::Error);

impl fmt::Display for TlsUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TLS cannot be set up: {}", self.0)
    }
}

impl std::error::Error for TlsUnavailable {}

impl ClientTls {
    /// Reads the system's certificate authorities (`SSL_CERT_FILE` and `SSL_CERT_DIR` override them). A system without any
    /// is no error before somebody must be verified.
    ///
    /// # Errors
    /// [`TlsUnavailable`].
    pub fn new() -> Result<ClientTls, TlsUnavailable> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = || {
            ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().map_err(TlsUnavailable)
        };
        let mut roots = RootCertStore::empty();
        let loaded = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(loaded.certs);
        let verifying = if roots.is_empty() {
            let why = loaded.errors.first().map_or_else(|| "none are installed".to_owned(), ToString::to_string);
            Err(format!("no certificate authorities to verify the peer with: {why}").into())
        } else {
            Ok(Arc::new(builder()?.with_root_certificates(roots).with_no_client_auth()))
        };
        let anybody = Arc::new(Anybody(provider.clone()));
        let opportunistic = builder()?.dangerous().with_custom_certificate_verifier(anybody).with_no_client_auth();
        Ok(ClientTls { verifying, opportunistic: Arc::new(opportunistic) })
    }

    /// What a session of this level is to be set up with.
    ///
    /// # Errors
    /// Why nobody can be verified on this system.
    pub fn config(&self, level: TlsLevel) -> Result<Arc<ClientConfig>, Arc<str>> {
        match level {
            TlsLevel::None | TlsLevel::May | TlsLevel::Encrypt => Ok(self.opportunistic.clone()),
            TlsLevel::Verify => self.verifying.clone(),
        }
    }
}

/// Takes every certificate: protection from listeners, not from impostors (RFC 7435 3). Signatures are still checked, so
/// that the peer holds the key of the certificate that it shows.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self, _: &CertificateDer<'_>, _: &[CertificateDer<'_>], _: &ServerName<'_>, _: &[u8], _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self, message: &[u8], certificate: &CertificateDer<'_>, signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self, message: &[u8], certificate: &CertificateDer<'_>, signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
