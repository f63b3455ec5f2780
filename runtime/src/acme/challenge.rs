//! The answers to an authority that asks whether a name is ours: for tls-alpn-01 certificates that the listener for web pages shows
//! to it and to nobody else (RFC 8737), for http-01 files (RFC 8555 8.3).

use aws_lc_rs::digest;
use postern_schema::name::Domain;
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs as provider;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The protocol by which an authority makes itself known (RFC 8737 4).
pub const PROTOCOL: &[u8] = b"acme-tls/1";

/// What is asked about now, and how it is answered.
#[derive(Clone, Debug, Default)]
pub struct Challenges(Arc<Mutex<HashMap<Domain, Shape>>>);

/// How one name is answered for.
#[derive(Clone, Debug)]
enum Shape {
    Certificate(Arc<CertifiedKey>),
    File { token: String, authorization: String },
}

/// An answer that is given until this is dropped.
pub struct Shown<'a> {
    challenges: &'a Challenges,
    name: Domain,
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        self.challenges.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

impl Challenges {
    /// Where authorities look for files; the token follows.
    pub const PATH: &str = "/.well-known/acme-challenge/";

    /// Answers for a name with a file that holds this key authorization.
    pub fn serve(&self, name: &Domain, token: &str, authorization: &str) -> Shown<'_> {
        self.insert(name, Shape::File { token: token.to_owned(), authorization: authorization.to_owned() })
    }

    /// The file that an authority asks a name for; `None`: nobody is to ask for that now.
    pub fn file(&self, name: &Domain, asked: &str) -> Option<String> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name)? {
            Shape::File { token, authorization } if token == asked => Some(authorization.clone()),
            Shape::File { .. } | Shape::Certificate(_) => None,
        }
    }

    fn insert(&self, name: &Domain, shape: Shape) -> Shown<'_> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), shape);
        Shown { challenges: self, name: name.clone() }
    }

    /// Answers for a name with a certificate that holds the digest of this key authorization.
    ///
    /// # Errors
    /// What keeps a certificate from being made.
    pub fn show(&self, name: &Domain, authorization: &str) -> Result<Shown<'_>, String> {
        let hash = digest::digest(&digest::SHA256, authorization.as_bytes());
        let made = || -> Result<_, rcgen::Error> {
            let key = KeyPair::generate()?;
            let mut params = CertificateParams::new([name.as_str().to_owned()])?;
            params.custom_extensions = vec![CustomExtension::new_acme_identifier(hash.as_ref())];
            Ok((params.self_signed(&key)?, key))
        };
        let (certificate, key) = made().map_err(|error| error.to_string())?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(str::to_owned)?;
        let key = provider::default_provider().key_provider.load_private_key(key).map_err(|error| error.to_string())?;
        // Not by `from_der`, which looks whether the key fits, and cannot read a certificate with this extension in it.
        let certified = Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key));
        Ok(self.insert(name, Shape::Certificate(certified)))
    }

    /// What an authority that says hello is to be served with; `None`: it is none, or asks about what is not asked about.
    pub fn config(&self, hello: &ClientHello<'_>) -> Option<Arc<ServerConfig>> {
        // RFC 8737 3: this protocol and no other.
        let mut protocols = hello.alpn()?;
        let is_authority = protocols.next() == Some(PROTOCOL) && protocols.next().is_none();
        let name = hello.server_name().filter(|_| is_authority).and_then(|name| Domain::parse(name).ok())?;
        let certified = match self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&name)? {
            Shape::Certificate(certified) => certified.clone(),
            Shape::File { .. } => return None,
        };
        let builder = ServerConfig::builder_with_provider(Arc::new(provider::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().ok()?;
        let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::new(Always(certified)));
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        Some(Arc::new(config))
    }
}

#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}
