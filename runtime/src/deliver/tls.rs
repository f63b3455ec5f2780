//! TLS towards peers: who must be who they say, and who need not (RFC 7435).

use super::dane::DaneJudge;
use super::target::Address;
use super::terms::Terms;
use super::verifier::{Judge, Shown, Verifier};
use postern_schema::name::HostName;
use postern_schema::site::TlsLevel;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How long an address whose TLS is broken is spoken to without, where that is allowed.
const BROKEN_FOR: Duration = Duration::from_secs(3600);
/// The most addresses that are remembered so.
const BROKEN_MAX: usize = 10_000;

/// The ways to meet a peer; made once, shared by every session.
#[derive(Clone)]
pub struct ClientTls {
    verifying: Result<Arc<ClientConfig>, Arc<str>>,
    opportunistic: Arc<ClientConfig>,
    authorities: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
    broken: Arc<Mutex<HashMap<Address, Instant>>>,
}

/// What one session is set up with.
pub struct Setup {
    /// For the handshake.
    pub config: Arc<ClientConfig>,
    /// The name to ask the host for.
    pub name: ServerName<'static>,
    /// What an authority would have said, where nobody must heed it.
    pub witness: Option<Arc<OnceLock<rustls::Error>>>,
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
        let roots = Arc::new(roots);
        let verifying = if roots.is_empty() {
            let why = loaded.errors.first().map_or_else(|| "none are installed".to_owned(), ToString::to_string);
            Err(format!("no certificate authorities to verify the peer with: {why}").into())
        } else {
            Ok(Arc::new(builder()?.with_root_certificates(roots.clone()).with_no_client_auth()))
        };
        let authorities = WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build().ok();
        let anybody = Arc::new(Verifier::new(Anybody(None), provider.clone()));
        let opportunistic = builder()?.dangerous().with_custom_certificate_verifier(anybody).with_no_client_auth();
        Ok(ClientTls { verifying, opportunistic: Arc::new(opportunistic), authorities, provider, broken: Arc::default() })
    }

    /// What a client that verifies everybody by authority is set up with.
    ///
    /// # Errors
    /// Why nobody can be verified on this system.
    pub fn verifying(&self) -> Result<Arc<ClientConfig>, Arc<str>> {
        self.verifying.clone()
    }

    /// What a session with a host under these terms is to be set up with.
    ///
    /// # Errors
    /// Why the host cannot be verified.
    pub fn setup(&self, terms: &Terms, host: &HostName) -> Result<Setup, Arc<str>> {
        let (config, witness) = match (terms.level, terms.dane()) {
            (TlsLevel::Dane, Some(dane)) => {
                let named = dane.names.iter().filter_map(|name| ServerName::try_from(name.as_str().to_owned()).ok());
                (self.judged_by(DaneJudge::new(&dane.records, named.collect()))?, None)
            }
            (TlsLevel::Verify | TlsLevel::DaneOrVerify | TlsLevel::Dane, _) => (self.verifying.clone()?, None),
            _ if terms.is_witnessed() => match self.authorities.clone() {
                Some(authorities) => {
                    let found = Arc::new(OnceLock::new());
                    let asks = Asks { authorities, found: found.clone() };
                    (self.judged_by(Anybody(Some(asks)))?, Some(found))
                }
                None => (self.opportunistic.clone(), None),
            },
            _ => (self.opportunistic.clone(), None),
        };
        // RFC 7672 8.1: the host is asked for by the name that its records stand below.
        let name = match (terms.dane(), host) {
            (Some(dane), _) => ServerName::try_from(dane.base.as_str().to_owned()),
            (None, HostName::Domain(domain)) => ServerName::try_from(domain.as_str().to_owned()),
            (None, HostName::Literal(address)) => Ok(ServerName::from(*address)),
        };
        Ok(Setup { config, name: name.map_err(|error| Arc::from(error.to_string()))?, witness })
    }

    fn judged_by(&self, judge: impl Judge + 'static) -> Result<Arc<ClientConfig>, Arc<str>> {
        let verifier = Arc::new(Verifier::new(judge, self.provider.clone()));
        let builder = ClientConfig::builder_with_provider(self.provider.clone()).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| Arc::from(error.to_string()))?;
        Ok(Arc::new(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()))
    }

    /// Notes that a handshake with an address has failed.
    pub fn note_broken(&self, address: &Address) {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        if broken.len() >= BROKEN_MAX {
            broken.clear();
        }
        broken.insert(address.clone(), Instant::now() + BROKEN_FOR);
    }

    /// Whether it failed of late.
    pub fn is_broken(&self, address: &Address) -> bool {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        match broken.get(address) {
            Some(until) if *until > Instant::now() => true,
            Some(_) => {
                broken.remove(address);
                false
            }
            None => false,
        }
    }
}

/// Takes every certificate: protection from listeners, not from impostors (RFC 7435 3). Signatures are still checked, so
/// that the peer holds the key of the certificate that it shows.
#[derive(Debug)]
struct Anybody(Option<Asks>);

/// Whose opinion is noted.
#[derive(Debug)]
struct Asks {
    authorities: Arc<WebPkiServerVerifier>,
    /// Holds nothing where they vouch for the certificate.
    found: Arc<OnceLock<rustls::Error>>,
}

impl Judge for Anybody {
    fn judge(&self, shown: Shown<'_>, _: &CryptoProvider) -> Result<(), rustls::Error> {
        let Shown { leaf, chain, name, ocsp, now } = shown;
        if let Some(asks) = &self.0
            && let Err(error) = asks.authorities.verify_server_cert(leaf, chain, name, ocsp, now)
        {
            let _ = asks.found.set(error);
        }
        Ok(())
    }
}
