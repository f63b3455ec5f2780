//! Signing keys for tests, and what the runtime makes of signed messages, with DNS that holds a few texts.

use postern_schema::dns::{Answer, Question, Transcript};
use postern_schema::name::Domain;
use postern_schema::record::RecordKind;
use postern_schema::site::SecretName;
use posternd::auth::Credentials;
use posternd::authentication::fetch;
use posternd::authentication::intake::{Intake, Purpose, Whole};
use posternd::authentication::key::PrivateKey;
use posternd::authentication::sign::Signer;
use posternd::authentication::verify::{Signatures, signatures};
use posternd::dns::{Dns, Found, Mx, Pending};
use rcgen::{KeyPair, PKCS_ED25519, PKCS_RSA_SHA256, RsaKeySize};
use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;

/// A key in the forms that it is needed in.
#[derive(Clone, Debug)]
pub struct SigningKey {
    /// As in `a=`.
    pub algorithm: &'static str,
    /// The private half, PKCS#8 PEM.
    pub private_pem: String,
    /// The public half, PEM.
    pub public_pem: String,
    /// The public half as `p=` has it, before Base64.
    pub public: Vec<u8>,
}

impl SigningKey {
    /// A fresh RSA key of 2048 bits.
    pub fn rsa() -> SigningKey {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        SigningKey::of("rsa-sha256", &key, |info| info)
    }

    /// A fresh Ed25519 key.
    pub fn ed25519() -> SigningKey {
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        SigningKey::of("ed25519-sha256", &key, |info| info[info.len() - 32..].to_vec())
    }

    fn of(algorithm: &'static str, key: &KeyPair, public: impl Fn(Vec<u8>) -> Vec<u8>) -> SigningKey {
        use rcgen::PublicKeyData;
        let info = key.subject_public_key_info();
        SigningKey { algorithm, private_pem: key.serialize_pem(), public_pem: key.public_key_pem(), public: public(info) }
    }

    /// What signs with it.
    pub fn signer(&self, domain: &str, selector: &str) -> Signer {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, &self.private_pem).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let name = SecretName::parse("key").unwrap();
        let key = PrivateKey::load(&name, &self.public, &Credentials::new(Some(folder.path()))).unwrap();
        Signer { domain: Domain::parse(domain).unwrap(), selector: selector.into(), key }
    }

    /// The text of its record.
    pub fn record(&self) -> String {
        use base64::Engine;
        let kind = self.algorithm.split('-').next().unwrap_or_default();
        format!("v=DKIM1; k={kind}; p={}", base64::engine::general_purpose::STANDARD.encode(&self.public))
    }
}

/// Nothing is there that was not said before.
struct Nowhere;

impl Dns for Nowhere {
    fn mx<'a>(&'a self, _: &'a Domain) -> Pending<'a, Found<Mx>> {
        Box::pin(async { Found::Nonexistent })
    }

    fn addresses<'a>(&'a self, _: &'a Domain) -> Pending<'a, Found<IpAddr>> {
        Box::pin(async { Found::Nonexistent })
    }

    fn ask<'a>(&'a self, _: &'a Question) -> Pending<'a, Answer> {
        Box::pin(async { Answer::Nonexistent })
    }
}

/// A message (CRLF) that has come in whole.
pub fn whole(purpose: Purpose, message: &[u8]) -> Whole {
    let mut intake = Intake::new(purpose, "mail.example.com", posternd::submission::Rework::default());
    intake.feed(message).unwrap();
    intake.finish().1
}

/// What the runtime makes of a message where these texts are published.
pub fn verify(message: &[u8], texts: impl IntoIterator<Item = (String, String)>) -> Signatures {
    let mut transcript = Transcript::default();
    for (name, text) in texts {
        transcript.note(Question::new(&name, RecordKind::Txt), Answer::Found(vec![text.into()]));
    }
    let whole = whole(Purpose::Verify, message);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { signatures(&Nowhere, &whole, &mut transcript, fetch::deadline()).await })
}
