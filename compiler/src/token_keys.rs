//! A JSON Web Key Set (RFC 7517 5) as the public keys of an issuer of tokens. What is for other algorithms or for encryption is
//! passed over; a secret, a weak key and a set without a usable key are refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use postern_schema::site::{TokenKey, TokenPublicKey};
use serde_json::Value;
use std::fmt;

/// The least bits of an RSA key (RFC 7518 3.3), and the most that are worth their time.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// The octets of a coordinate of P-256 and of a key of Ed25519.
const OCTETS: usize = 32;
/// The most keys of a set: issuers have two or three.
const KEYS_MAX: usize = 32;

/// Why a text is no set of keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TokenKeysError {
    /// It is no JSON, or has no `keys`.
    NoSet,
    /// It has more keys than any issuer.
    TooMany,
    /// A private key, or one that both sides share, where everybody reads it.
    Private,
    /// A key whose parts are not what its kind has; its place, from 1.
    Damaged(usize),
    /// An RSA key that can be broken.
    Weak {
        /// Its `kid` in words, or nothing.
        id: String,
        /// Its length.
        bits: usize,
    },
    /// None of its keys is of a kind that is served.
    NoneServed,
}

impl fmt::Display for TokenKeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenKeysError::NoSet => f.write_str("it is no JSON object with a list of `keys`"),
            TokenKeysError::TooMany => write!(f, "it has more than {KEYS_MAX} keys"),
            TokenKeysError::Private => f.write_str("it holds a secret, and everybody can read it"),
            TokenKeysError::Damaged(place) => write!(f, "key {place} lacks a part, or has one that is damaged"),
            TokenKeysError::Weak { bits, id } => write!(f, "its key{id} has {bits} bits"),
            TokenKeysError::NoneServed => f.write_str("none is of RSA, P-256 or Ed25519 and for signatures"),
        }
    }
}

impl std::error::Error for TokenKeysError {}

/// Reads a set.
///
/// # Errors
/// [`TokenKeysError`].
pub fn read(text: &str) -> Result<Vec<TokenKey>, TokenKeysError> {
    let set: Value = serde_json::from_str(text).map_err(|_| TokenKeysError::NoSet)?;
    let keys = set.get("keys").and_then(Value::as_array).ok_or(TokenKeysError::NoSet)?;
    if keys.len() > KEYS_MAX {
        return Err(TokenKeysError::TooMany);
    }
    let mut found = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        found.extend(public_key(key, index + 1)?);
    }
    if found.is_empty() { Err(TokenKeysError::NoneServed) } else { Ok(found) }
}

fn public_key(key: &Value, place: usize) -> Result<Option<TokenKey>, TokenKeysError> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let octets = |name: &str| {
        text(name).and_then(|text| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()).ok_or(TokenKeysError::Damaged(place))
    };
    // RFC 7518 6.2.2 and 6.3.2: the private half; RFC 7518 6.4.1: a shared secret.
    if key.get("d").is_some() || key.get("k").is_some() || text("kty") == Some("oct") {
        return Err(TokenKeysError::Private);
    }
    if text("use").is_some_and(|purpose| purpose != "sig") {
        return Ok(None);
    }
    let is_for = |algorithm: &str| text("alg").is_none_or(|said| said == algorithm);
    let public = match (text("kty"), text("crv")) {
        (Some("RSA"), _) if is_for("RS256") => {
            let (modulus, exponent) = (octets("n")?, octets("e")?);
            let modulus: Vec<u8> = modulus.into_iter().skip_while(|octet| *octet == 0).collect();
            let bits = modulus.first().map_or(0, |first| modulus.len() * 8 - first.leading_zeros() as usize);
            if !RSA_BITS.contains(&bits) {
                let id = text("kid").map(|id| format!(" ({id:?})")).unwrap_or_default();
                return Err(TokenKeysError::Weak { id, bits });
            }
            TokenPublicKey::Rsa { modulus, exponent }
        }
        (Some("EC"), Some("P-256")) if is_for("ES256") => {
            let (x, y) = (octets("x")?, octets("y")?);
            if x.len() != OCTETS || y.len() != OCTETS {
                return Err(TokenKeysError::Damaged(place));
            }
            TokenPublicKey::P256([&[4][..], &x, &y].concat())
        }
        (Some("OKP"), Some("Ed25519")) if is_for("EdDSA") || is_for("Ed25519") => {
            TokenPublicKey::Ed25519(octets("x")?.try_into().map_err(|_| TokenKeysError::Damaged(place))?)
        }
        _ => return Ok(None),
    };
    Ok(Some(TokenKey { id: text("kid").map(Box::from), public }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of RFC 8037 A.2.
    const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"one"}"#;

    fn set(keys: &[&str]) -> Result<Vec<TokenKey>, TokenKeysError> {
        read(&format!("{{\"keys\":[{}]}}", keys.join(",")))
    }

    #[test]
    fn keys_for_signatures_are_read_and_others_passed_over() {
        let point = URL_SAFE_NO_PAD.encode([7; OCTETS]);
        let p256 = format!(r#"{{"kty":"EC","crv":"P-256","x":"{point}","y":"{point}","use":"sig"}}"#);
        let rsa = format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB","alg":"RS256"}}"#, URL_SAFE_NO_PAD.encode([0xff; 256]));
        let others = [r#"{"kty":"EC","crv":"P-384"}"#, r#"{"kty":"RSA","use":"enc"}"#, r#"{"kty":"RSA","alg":"PS256"}"#];
        let keys = set(&[&[ED25519, &*p256, &*rsa][..], &others].concat()).unwrap();
        assert_eq!(keys.len(), 3);
        assert_eq!(keys[0].id.as_deref(), Some("one"));
        assert_eq!(set(&others), Err(TokenKeysError::NoneServed));
    }

    #[test]
    fn secrets_weak_and_damaged_keys_are_refused_rfc_7518_3_3() {
        let weak = format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, URL_SAFE_NO_PAD.encode([0xff; 128]));
        assert_eq!(set(&[ED25519, &weak]), Err(TokenKeysError::Weak { id: String::new(), bits: 1024 }));
        assert_eq!(set(&[r#"{"kty":"oct","k":"AA"}"#]), Err(TokenKeysError::Private));
        assert_eq!(set(&[&ED25519.replace('}', ",\"d\":\"AA\"}")]), Err(TokenKeysError::Private));
        assert_eq!(set(&[&ED25519.replace("11q", "1")]), Err(TokenKeysError::Damaged(1)));
        for wrong in ["", "[]", "{}", "{\"keys\":1}"] {
            assert_eq!(read(wrong), Err(TokenKeysError::NoSet), "{wrong}");
        }
    }
}
