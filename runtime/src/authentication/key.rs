//! Private halves of DKIM keys: read from the credentials folder, and compared with the public half that the site publishes. A
//! key that is not the published one would sign mail that nobody can verify, so it does not sign at all.

use super::sign::sha256;
use crate::auth::{CredentialError, Credentials};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use postern_schema::site::SecretName;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use std::fmt;

/// A key that can sign.
#[derive(Debug)]
pub enum PrivateKey {
    /// `rsa-sha256` (RFC 6376 3.3.1).
    Rsa(Box<RsaKeyPair>),
    /// `ed25519-sha256` (RFC 8463).
    Ed25519(Box<Ed25519KeyPair>),
}

/// Why a key does not sign. Never holds any of it.
#[derive(Debug)]
pub enum KeyError {
    /// The credential cannot be had, or others could read it too.
    Credential(CredentialError),
    /// It is no PEM private key, or one of a kind that signs no mail.
    Unusable(SecretName, String),
    /// Its public half is not the one that the site publishes.
    Mismatch(SecretName),
    /// The signature could not be made.
    Failed,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyError::Credential(error) => error.fmt(f),
            KeyError::Unusable(name, why) => write!(f, "credential {name} is no key that can sign mail: {why}"),
            KeyError::Mismatch(name) => {
                write!(f, "credential {name} is not the private half of the key that the site publishes; put the right one there")
            }
            KeyError::Failed => f.write_str("a signature could not be made"),
        }
    }
}

impl std::error::Error for KeyError {}

impl PrivateKey {
    /// Reads a key, and demands that this is its public half: for RSA a SubjectPublicKeyInfo, for Ed25519 the 32 octets or a
    /// SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load(name: &SecretName, public: &[u8], credentials: &Credentials) -> Result<PrivateKey, KeyError> {
        let pem = credentials.read_private(name).map_err(KeyError::Credential)?;
        let key = PrivateKey::parse(&pem).map_err(|why| KeyError::Unusable(name.clone(), why))?;
        // The octets of an Ed25519 key end its SubjectPublicKeyInfo (RFC 8410 4).
        let is_same = match &key {
            PrivateKey::Rsa(pair) => pair.public_key().as_der().is_ok_and(|der| der.as_ref() == public),
            PrivateKey::Ed25519(pair) => public.len() >= 32 && public.ends_with(pair.public_key().as_ref()),
        };
        if is_same { Ok(key) } else { Err(KeyError::Mismatch(name.clone())) }
    }

    fn parse(pem: &str) -> Result<PrivateKey, String> {
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| error.to_string())?;
        let rejected = |error: aws_lc_rs::error::KeyRejected| error.to_string();
        match &key {
            PrivateKeyDer::Pkcs1(der) => {
                RsaKeyPair::from_der(der.secret_pkcs1_der()).map(Box::new).map(PrivateKey::Rsa).map_err(rejected)
            }
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                match Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
                    Ok(pair) => Ok(PrivateKey::Ed25519(Box::new(pair))),
                    Err(_) => RsaKeyPair::from_pkcs8(der).map(Box::new).map(PrivateKey::Rsa).map_err(rejected),
                }
            }
            _ => Err("it is neither RSA nor Ed25519".to_owned()),
        }
    }

    /// The name in `a=`.
    pub fn algorithm(&self) -> &'static str {
        match self {
            PrivateKey::Rsa(_) => "rsa-sha256",
            PrivateKey::Ed25519(_) => "ed25519-sha256",
        }
    }

    /// The signature of these octets.
    pub(super) fn sign(&self, octets: &[u8]) -> Result<Vec<u8>, KeyError> {
        match self {
            PrivateKey::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let made = pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), octets, &mut signature);
                made.map(|()| signature).map_err(|_| KeyError::Failed)
            }
            // RFC 8463 3: what is signed is the digest.
            PrivateKey::Ed25519(pair) => {
                pair.try_sign(&sha256(octets)).map(|signature| signature.as_ref().to_vec()).map_err(|_| KeyError::Failed)
            }
        }
    }
}
