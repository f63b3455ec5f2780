//! The certificates of a generation: chains from the snapshot or the credentials folder, keys from the credentials folder,
//! chosen by the name that a client asks for (RFC 6066 3): first by the names that the site gives them, then by those that
//! they hold; the first one for whoever asks for none.

use super::client_certificate::Authorities;
use crate::acme::store::Store;
use crate::auth::{CredentialError, Credentials, Stamp, end_point};
use postern_schema::name::Domain;
use postern_schema::site::{Certificate, Chain, Site, TlsVersion};
use rustls::client::verify_server_name;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, SupportedProtocolVersion, crypto::CryptoProvider};
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Why certificates cannot be served. Names files and hosts, never what is in a key.
#[derive(Debug)]
pub enum CertificateError {
    /// A credential is missing or unreadable.
    Credential(CredentialError),
    /// The chain holds no certificate, or one that is damaged.
    BadChain(Domain, String),
    /// The key is none, is of a kind that is not served, or belongs to another certificate.
    BadKey(Domain, String),
    /// The authority of a user store is none.
    BadAuthority(Box<str>, String),
    /// The certificate has expired, and the one that is served has not.
    Expired(Domain),
    /// The throw-away certificate cannot be made or kept.
    SelfSigned(PathBuf, String),
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CertificateError::Credential(error) => error.fmt(f),
            CertificateError::BadChain(name, why) => write!(f, "the certificate chain for {name} is unusable: {why}"),
            CertificateError::BadKey(name, why) => write!(f, "the private key for {name} is unusable: {why}"),
            CertificateError::BadAuthority(store, why) => write!(f, "the authority of user store {store} is unusable: {why}"),
            CertificateError::Expired(name) => write!(f, "the certificate for {name} has expired"),
            CertificateError::SelfSigned(path, why) => {
                write!(f, "a self-signed certificate cannot be kept in {}: {why}", path.display())
            }
        }
    }
}

impl std::error::Error for CertificateError {}

/// What the listeners of a site serve TLS with; `None` where it has no certificate.
///
/// # Errors
/// [`CertificateError`] for the first certificate that cannot be served.
pub fn server_config(site: &Site, state: &Path, credentials: &Credentials) -> Result<Option<Served>, CertificateError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut by_name = Vec::new();
    for certificate in &site.tls.certificates {
        by_name.push((certificate.name.clone(), Arc::new(load(certificate, credentials, &provider)?)));
    }
    if let Some(acme) = &site.tls.acme {
        let kept = Store::of(state).certificates(acme);
        for (names, kept) in acme.certificates.iter().zip(kept) {
            let Some(kept) = kept else { continue };
            by_name.extend(names.iter().map(|name| (name.clone(), kept.certified.clone())));
        }
    }
    // Before the authority has made the first, other hosts have one that they do not verify, rather than none.
    if by_name.is_empty() && (site.tls.self_signed || site.tls.acme.is_some()) {
        let key = self_signed(&site.hostname, state, &provider)?;
        by_name.push((site.hostname.clone(), Arc::new(key)));
    }
    if by_name.is_empty() {
        return Ok(None);
    }
    let ends = by_name.iter().filter_map(|(name, key)| Some((name.clone(), end(key)?))).collect();
    let certificates = Arc::new(ByName(by_name));
    // Keys of tickets change every six hours by themselves (RFC 5077 5.5). Without a source of them sessions are not resumed.
    let ticketer = aws_lc_rs::Ticketer::new().ok();
    let config = |asked: Option<Arc<dyn ClientCertVerifier>>| {
        // The provider is a constant of this program, and it has TLS 1.2 and 1.3: nothing of the site can make this fail.
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(versions(site.tls.minimum))
            .map_err(|error| CertificateError::BadChain(site.hostname.clone(), error.to_string()))?;
        let builder = match asked {
            None => builder.with_no_client_auth(),
            Some(verifier) => builder.with_client_cert_verifier(verifier),
        };
        let mut config = builder.with_cert_resolver(certificates.clone() as Arc<dyn ResolvesServerCert>);
        if let Some(ticketer) = &ticketer {
            config.ticketer = ticketer.clone();
        }
        Ok(Arc::new(config))
    };
    let silent = config(None)?;
    let authorities = Authorities::of(site, &provider)?;
    let of_users = if authorities.is_empty() { silent.clone() } else { config(Some(authorities.asking(&provider)))? };
    let names_members = site.networks.iter().any(|network| !network.certificates.is_empty());
    let of_hosts = if names_members { config(Some(Authorities::default().asking(&provider)))? } else { silent.clone() };
    Ok(Some(Served { silent, of_users, of_hosts, authorities, certificates, ends }))
}

/// What is served, by who is asked for a certificate.
#[derive(Debug)]
pub struct Served {
    /// Nobody is.
    pub silent: Arc<ServerConfig>,
    /// Users are, where one may stand for a login.
    pub of_users: Arc<ServerConfig>,
    /// Other hosts are, where a network names some.
    pub of_hosts: Arc<ServerConfig>,
    /// Whose certificates stand for a login.
    pub authorities: Authorities,
    certificates: Arc<ByName>,
    /// When the certificate of each name ends, in seconds since the epoch.
    ends: Vec<(Domain, i64)>,
}

impl Served {
    /// The first name whose certificate is over. It is served all the same, since most hosts do not look.
    pub fn expired(&self) -> Option<&Domain> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
        self.ends.iter().find(|(_, end)| *end <= now).map(|(name, _)| name)
    }

    /// What a login can be bound to of the certificate that a client is shown who asks for this name (RFC 5929 4).
    pub fn end_point(&self, asked_for: Option<&str>) -> Option<Box<[u8]>> {
        end_point(self.certificates.choose(asked_for)?.cert.first()?)
    }
}

fn end(key: &CertifiedKey) -> Option<i64> {
    let (_, leaf) = X509Certificate::from_der(key.cert.first()?).ok()?;
    Some(leaf.validity().not_after.timestamp())
}

fn versions(least: TlsVersion) -> &'static [&'static SupportedProtocolVersion] {
    const NEWEST: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];
    match least {
        TlsVersion::Tls12 => rustls::ALL_VERSIONS,
        TlsVersion::Tls13 => NEWEST,
    }
}

/// The state of every file that the site's certificates come from: when it changes, they are to be loaded anew.
pub fn stamps(site: &Site, credentials: &Credentials) -> Vec<Option<Stamp>> {
    let chains = site.tls.certificates.iter().filter_map(|certificate| match &certificate.chain {
        Chain::Credential(name) => Some(name),
        Chain::Pem(_) => None,
    });
    let keys = site.tls.certificates.iter().map(|certificate| &certificate.key);
    chains.chain(keys).map(|name| credentials.stamp(name)).collect()
}

fn load(
    certificate: &Certificate, credentials: &Credentials, provider: &CryptoProvider,
) -> Result<CertifiedKey, CertificateError> {
    let chain = match &certificate.chain {
        Chain::Pem(text) => text.to_string(),
        Chain::Credential(name) => credentials.read(name).map_err(CertificateError::Credential)?,
    };
    let key = credentials.read(&certificate.key).map_err(CertificateError::Credential)?;
    certified(&certificate.name, &chain, &key, provider)
}

fn certified(name: &Domain, chain: &str, key: &str, provider: &CryptoProvider) -> Result<CertifiedKey, CertificateError> {
    let bad_chain = |why: String| CertificateError::BadChain(name.clone(), why);
    let bad_key = |why: String| CertificateError::BadKey(name.clone(), why);
    let certificates = CertificateDer::pem_slice_iter(chain.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| bad_chain(error.to_string()))?;
    if certificates.is_empty() {
        return Err(bad_chain("it holds no PEM certificate".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| bad_key(error.to_string()))?;
    CertifiedKey::from_der(certificates, key, provider).map_err(|error| bad_key(error.to_string()))
}

/// The certificate of a site that names none: made at the first start, kept in the state folder, for trying out.
fn self_signed(hostname: &Domain, state: &Path, provider: &CryptoProvider) -> Result<CertifiedKey, CertificateError> {
    let folder = state.join("tls");
    let failed = |why: &dyn fmt::Display| CertificateError::SelfSigned(folder.clone(), why.to_string());
    let (chain_path, key_path) = (folder.join(format!("{hostname}.pem")), folder.join(format!("{hostname}.key")));
    if let (Ok(chain), Ok(key)) = (fs::read_to_string(&chain_path), fs::read_to_string(&key_path)) {
        return certified(hostname, &chain, &key, provider);
    }
    let made = rcgen::generate_simple_self_signed(vec![hostname.to_string()]).map_err(|error| failed(&error))?;
    let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    fs::create_dir_all(&folder).map_err(|error| failed(&error))?;
    // The key first: a chain without its key would be taken for whole at the next start.
    write_private(&key_path, &key).map_err(|error| failed(&error))?;
    fs::write(&chain_path, &chain).map_err(|error| failed(&error))?;
    certified(hostname, &chain, &key, provider)
}

/// Readable by its owner alone from its first moment.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

/// Certificates by the names that they are for.
#[derive(Debug)]
struct ByName(Vec<(Domain, Arc<CertifiedKey>)>);

impl ByName {
    fn choose(&self, asked_for: Option<&str>) -> Option<&Arc<CertifiedKey>> {
        let wanted = asked_for.and_then(|name| Domain::parse(name).ok());
        let found = wanted.and_then(|wanted| {
            let named = self.0.iter().find(|(name, _)| *name == wanted);
            named.or_else(|| self.0.iter().find(|(_, key)| is_for(key, &wanted)))
        });
        found.or(self.0.first()).map(|(_, key)| key)
    }
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.choose(hello.server_name()).cloned()
    }
}

/// Whether a certificate names a host that the site does not name it by, such as `mta-sts.` and a domain.
fn is_for(key: &CertifiedKey, host: &Domain) -> bool {
    let name = ServerName::try_from(host.as_str()).ok();
    let leaf = key.cert.first().and_then(|leaf| ParsedCertificate::try_from(leaf).ok());
    name.zip(leaf).is_some_and(|(name, leaf)| verify_server_name(&leaf, &name).is_ok())
}
