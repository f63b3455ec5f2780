//! Certificates of clients (RFC 8446 4.4.2): who is asked for one, whom one stands for, and by which fingerprints a network may
//! name it. That a client holds the key is for the handshake to show; that it is not on a list, or that no authority of the site
//! has signed, costs it nothing but what the certificate would have given it: it may log in by a password all the same.

use super::certificate::CertificateError;
use crate::auth::LoggedIn;
use crate::deliver::verifier::proofs_of_keys;
use aws_lc_rs::digest;
use postern_schema::site::{Fingerprint, Site, UserBackend};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DistinguishedName, RootCertStore};
use std::sync::Arc;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// A certificate that a client has shown to hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientCertificate {
    /// Of the certificate, and of its public key.
    pub fingerprints: [Fingerprint; 2],
    /// The user that it stands for, where an authority of the site says so: that of the store.
    pub user: Option<LoggedIn>,
}

/// The authorities whose certificates stand for users, each with its user store.
#[derive(Clone, Default, Debug)]
pub struct Authorities(Vec<(Box<str>, Arc<dyn ClientCertVerifier>)>);

impl Authorities {
    /// Those of the user stores.
    ///
    /// # Errors
    /// [`CertificateError`] for the first that is none.
    pub(super) fn of(site: &Site, provider: &Arc<CryptoProvider>) -> Result<Authorities, CertificateError> {
        let mut found = Vec::new();
        for store in &site.users {
            let UserBackend::Certificate(pem) = &store.backend else { continue };
            let bad = |why: &dyn std::fmt::Display| CertificateError::BadAuthority(store.name.clone(), why.to_string());
            let mut roots = RootCertStore::empty();
            for root in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                roots.add(root.map_err(|error| bad(&error))?).map_err(|error| bad(&error))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
            found.push((store.name.clone(), verifier.build().map_err(|error| bad(&error))?));
        }
        Ok(Authorities(found))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A verifier that asks for a certificate and takes any: see the module.
    pub(super) fn asking(&self, provider: &Arc<CryptoProvider>) -> Arc<dyn ClientCertVerifier> {
        let hints = self.0.iter().flat_map(|(_, authority)| authority.root_hint_subjects()).cloned().collect();
        Arc::new(Asking { hints, provider: provider.clone() })
    }

    /// What the chain that a client has shown comes to, its own certificate first; `None` where it is no X.509.
    pub fn judge(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Option<ClientCertificate> {
        let (leaf, between) = chain.split_first()?;
        let (_, certificate) = X509Certificate::from_der(leaf).ok()?;
        let fingerprints = [fingerprint(leaf), fingerprint(certificate.tbs_certificate.subject_pki.raw)];
        let signed_by = self.0.iter().find(|(_, authority)| authority.verify_client_cert(leaf, between, now).is_ok());
        let user = signed_by.and_then(|(store, _)| Some(LoggedIn { user: identity(&certificate)?, store: store.clone() }));
        Some(ClientCertificate { fingerprints, user })
    }
}

fn fingerprint(der: &[u8]) -> Fingerprint {
    let digest = digest::digest(&digest::SHA256, der);
    Fingerprint(std::array::from_fn(|index| digest.as_ref()[index]))
}

/// The mail address in it (RFC 5280 4.2.1.6), or else the one common name. Something with a control character in it is no name.
fn identity(certificate: &X509Certificate<'_>) -> Option<Box<str>> {
    let names = certificate.subject_alternative_name().ok().flatten();
    let mut names = names.into_iter().flat_map(|names| &names.value.general_names);
    let address = names.find_map(|name| match name {
        GeneralName::RFC822Name(address) => Some(*address),
        _ => None,
    });
    let mut common = certificate.subject().iter_common_name();
    let name = match (address, common.next(), common.next()) {
        (Some(address), ..) => address,
        (None, Some(name), None) => name.as_str().ok()?,
        _ => return None,
    };
    (!name.is_empty() && !name.contains(char::is_control)).then(|| name.into())
}

/// Asks, and leaves what the answer is worth to [`Authorities::judge`].
#[derive(Debug)]
struct Asking {
    hints: Vec<DistinguishedName>,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for Asking {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self, _: &CertificateDer<'_>, _: &[CertificateDer<'_>], _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    proofs_of_keys!();
}
