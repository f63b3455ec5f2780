//! The file of a public key: PEM as `openssl pkey -pubout` writes it (RFC 7468 13), or the bare Base64 that stands in key
//! records.

use super::der::Reader;
use super::{Key, key, read_chain};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use postern_schema::site::PublicKey;
use sha2::{Digest, Sha256};
use std::fmt;

/// A public key with its strength.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SigningKey {
    /// The key.
    pub public: PublicKey,
    /// Its kind and bits.
    pub strength: Key,
}

/// Why a text is no public key. `Display` is one sentence part without a full stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PublicKeyError {
    /// It is the private half.
    Private,
    /// Neither PEM nor Base64.
    NoBase64,
    /// The octets are no key.
    NoKey,
    /// A key that DKIM has no use for.
    Unusable(Key),
}

impl fmt::Display for PublicKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PublicKeyError::Private => f.write_str("it holds a private key"),
            PublicKeyError::NoBase64 => f.write_str("it is neither PEM nor Base64"),
            PublicKeyError::NoKey => f.write_str("what it holds is no public key"),
            PublicKeyError::Unusable(key) => write!(f, "it holds {key}, and DKIM knows RSA and Ed25519"),
        }
    }
}

impl std::error::Error for PublicKeyError {}

/// The octets of an Ed25519 key.
const ED25519_OCTETS: usize = 32;

/// Reads the text of a public key file.
///
/// # Errors
/// [`PublicKeyError`].
pub fn read_public_key(text: &str) -> Result<SigningKey, PublicKeyError> {
    let octets = pem_or_base64(text)?;
    // An Ed25519 key record holds the key as it is (RFC 8463 4.2).
    if let Ok(raw) = <[u8; ED25519_OCTETS]>::try_from(octets.as_slice()) {
        return Ok(SigningKey { public: PublicKey::Ed25519(raw), strength: Key::Curve(255) });
    }
    from_info(&octets)
}

/// The SHA-256 of the key of a PEM certificate, the first if there are several, or of a PEM public key of any kind.
///
/// # Errors
/// [`PublicKeyError`].
pub fn key_digest(text: &str) -> Result<[u8; 32], PublicKeyError> {
    if let Some(certificate) = read_chain(text).ok().and_then(|chain| chain.into_iter().next()) {
        return Ok(certificate.key_sha256);
    }
    let octets = pem_or_base64(text)?;
    let mut info = Reader::new(&octets).sequence().ok_or(PublicKeyError::NoKey)?;
    key(&mut info).map(|_| Sha256::digest(&octets).into()).ok_or(PublicKeyError::NoKey)
}

fn pem_or_base64(text: &str) -> Result<Vec<u8>, PublicKeyError> {
    if text.contains("PRIVATE KEY-----") {
        return Err(PublicKeyError::Private);
    }
    let body: String = match text.split_once("-----BEGIN PUBLIC KEY-----") {
        Some((_, rest)) => rest.split_once("-----END PUBLIC KEY-----").ok_or(PublicKeyError::NoBase64)?.0.into(),
        None => text.into(),
    };
    let body: String = body.split_ascii_whitespace().collect();
    let octets = STANDARD.decode(body).map_err(|_| PublicKeyError::NoBase64)?;
    if octets.is_empty() { Err(PublicKeyError::NoKey) } else { Ok(octets) }
}

/// From a `SubjectPublicKeyInfo` and nothing behind it.
fn from_info(octets: &[u8]) -> Result<SigningKey, PublicKeyError> {
    let mut whole = Reader::new(octets);
    let mut info = whole.sequence().filter(|_| whole.next().is_none()).ok_or(PublicKeyError::NoKey)?;
    let bits = Reader::new(octets).sequence().and_then(|mut info| {
        info.sequence()?;
        info.expect(0x03)?.get(1..)
    });
    let bits = bits.ok_or(PublicKeyError::NoKey)?;
    let strength = key(&mut info).ok_or(PublicKeyError::NoKey)?;
    let public = match strength {
        Key::Rsa(_) => PublicKey::Rsa(octets.to_vec()),
        Key::Curve(255) => PublicKey::Ed25519(bits.try_into().map_err(|_| PublicKeyError::NoKey)?),
        other => return Err(PublicKeyError::Unusable(other)),
    };
    Ok(SigningKey { public, strength })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8463 A.2.
    const ED25519: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    /// RFC 8463 A.2: RSA of 1,024 bits.
    const RSA: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";

    #[test]
    fn both_kinds_are_read_from_records_and_from_pem() {
        let raw = read_public_key(ED25519).unwrap();
        assert_eq!(raw.strength, Key::Curve(255));
        // RFC 8410 4: the same key in a `SubjectPublicKeyInfo`.
        let info = [&[0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00], raw.public.octets()].concat();
        let pem = |octets: &[u8]| format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(octets));
        assert_eq!(read_public_key(&pem(&info)), Ok(raw));
        let rsa = read_public_key(RSA).unwrap();
        assert_eq!(rsa.strength, Key::Rsa(1024));
        assert_eq!(read_public_key(&pem(rsa.public.octets())), Ok(rsa.clone()));
        let folded = RSA.as_bytes().chunks(40).map(|line| std::str::from_utf8(line).unwrap()).collect::<Vec<_>>().join("\n");
        assert_eq!(read_public_key(&folded), Ok(rsa));
    }

    #[test]
    fn what_is_no_public_key_is_named() {
        assert_eq!(read_public_key("-----BEGIN PRIVATE KEY-----\nMC4=\n"), Err(PublicKeyError::Private));
        for text in ["", "-----BEGIN PUBLIC KEY-----\n", "MA==", &RSA[..200], &format!("{}AAAA", RSA.trim_end_matches('='))] {
            assert!(read_public_key(text).is_err(), "{text}");
        }
        assert!(matches!(read_public_key("no key at all"), Err(PublicKeyError::NoBase64)));
    }
}
