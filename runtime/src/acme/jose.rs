//! The account at an authority: a key of P-256, and requests that it signs (RFC 7515, RFC 8555 6.2).

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The octets of a coordinate of P-256.
const COORDINATE_OCTETS: usize = 32;

/// The key of an account.
pub struct AccountKey {
    pair: EcdsaKeyPair,
    pkcs8: Vec<u8>,
}

/// Who signs: the key itself, before the authority has a name for it, or that name.
#[derive(Clone, Copy)]
pub enum Identity<'a> {
    /// `jwk`.
    Key,
    /// `kid`.
    Account(&'a str),
}

impl AccountKey {
    /// Makes one; `None`: the system has no randomness.
    pub fn generate() -> Option<AccountKey> {
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).ok()?;
        AccountKey::read(made.as_ref())
    }

    /// Reads what [`AccountKey::pkcs8`] gave.
    pub fn read(pkcs8: &[u8]) -> Option<AccountKey> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).ok()?;
        Some(AccountKey { pair, pkcs8: pkcs8.to_vec() })
    }

    /// The key as it is kept.
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    fn coordinates(&self) -> [String; 2] {
        // An uncompressed point: one octet that says so, then both.
        let point = self.pair.public_key().as_ref().get(1..).unwrap_or_default();
        let (x, y) = point.split_at(COORDINATE_OCTETS.min(point.len()));
        [x, y].map(|coordinate| URL_SAFE_NO_PAD.encode(coordinate))
    }

    /// The fingerprint of the key (RFC 7638 3): members in their order, and no blanks.
    pub fn thumbprint(&self) -> String {
        let [x, y] = self.coordinates();
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()))
    }

    /// A request's content. No payload: it only wants to read (RFC 8555 6.3). `None`: the system has no randomness.
    pub fn signed(&self, identity: Identity<'_>, nonce: &str, url: &str, payload: Option<&Value>) -> Option<String> {
        let mut header = json!({ "alg": "ES256", "nonce": nonce, "url": url });
        match identity {
            Identity::Account(name) => header["kid"] = name.into(),
            Identity::Key => {
                let [x, y] = self.coordinates();
                header["jwk"] = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
            }
        }
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        let payload = payload.map(|payload| URL_SAFE_NO_PAD.encode(payload.to_string())).unwrap_or_default();
        let signature = self.pair.sign(&SystemRandom::new(), format!("{header}.{payload}").as_bytes()).ok()?;
        let signature = URL_SAFE_NO_PAD.encode(signature);
        Some(json!({ "protected": header, "payload": payload, "signature": signature }).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    #[test]
    fn a_request_is_signed_by_the_key_that_it_names() {
        let key = AccountKey::generate().unwrap();
        let key = AccountKey::read(key.pkcs8()).unwrap();
        let text = key.signed(Identity::Key, "n", "https://a.example/new", Some(&json!({ "a": 1 }))).unwrap();
        let request: Value = serde_json::from_str(&text).unwrap();
        let part = |name: &str| request[name].as_str().unwrap().to_owned();
        let octets = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let header: Value = serde_json::from_slice(&octets(&part("protected"))).unwrap();
        let point = ["x", "y"].map(|name| octets(header["jwk"][name].as_str().unwrap())).concat();
        let signed = format!("{}.{}", part("protected"), part("payload"));
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, [&[4], &point[..]].concat());
        assert!(public.verify(signed.as_bytes(), &octets(&part("signature"))).is_ok());
        let canonical = json!({ "crv": "P-256", "kty": "EC", "x": header["jwk"]["x"], "y": header["jwk"]["y"] }).to_string();
        assert_eq!(key.thumbprint(), URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes())));
        let reading = key.signed(Identity::Account("https://a.example/1"), "n", "u", None).unwrap();
        assert!(reading.contains(r#""payload":"""#));
    }
}
