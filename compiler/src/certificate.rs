//! What a site must know of an X.509 certificate (RFC 5280 4.1): for which names it is, from when until when, by what key, and
//! who signed it. No signature is checked and nothing is trusted; the rules compare, and the daemon's TLS library verifies.

mod date;
mod der;
mod public_key;

pub use date::Date;
pub use public_key::{PublicKeyError, SigningKey, key_digest, read_public_key};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use der::{Element, Reader};
use postern_schema::name::Domain;
use sha2::{Digest, Sha256};
use std::fmt;

/// One certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate {
    /// Names of hosts that it is for (`dNSName`), lower case, as they stand: `*.example.com` too.
    pub names: Vec<Box<str>>,
    /// The first day on which it is valid.
    pub not_before: Date,
    /// The last day on which it is valid.
    pub not_after: Date,
    /// Its key.
    pub key: Key,
    /// The SHA-256 of the `SubjectPublicKeyInfo` of its key.
    pub key_sha256: [u8; 32],
    /// How it was signed.
    pub signature: Signature,
    /// Whether it may sign others.
    pub is_authority: bool,
    issuer: Box<[u8]>,
    subject: Box<[u8]>,
}

/// The kind and strength of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key {
    /// RSA, by the bits of its modulus.
    Rsa(u32),
    /// An elliptic curve, by the bits of its field.
    Curve(u32),
    /// One that this file does not know.
    Other,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Rsa(bits) => write!(f, "RSA of {bits} bits"),
            Key::Curve(bits) => write!(f, "an elliptic curve of {bits} bits"),
            Key::Other => f.write_str("a key of another kind"),
        }
    }
}

/// The digest of a signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signature {
    /// MD5 or SHA-1, which can be forged (RFC 6151 2.3, RFC 9155 2).
    Broken(&'static str),
    /// Any other.
    Sound,
}

/// Why a PEM text is no chain of certificates. `Display` is one sentence part without a full stop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ChainError {
    /// No `BEGIN CERTIFICATE` in it.
    Empty,
    /// The Base64 of one, counted from 1.
    NoBase64(usize),
    /// The DER of one, counted from 1.
    NoCertificate(usize),
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChainError::Empty => f.write_str("there is no `-----BEGIN CERTIFICATE-----` in it"),
            ChainError::NoBase64(index) => write!(f, "certificate {index} in it is damaged: it is not Base64"),
            ChainError::NoCertificate(index) => write!(f, "certificate {index} in it is damaged: it is not X.509"),
        }
    }
}

impl std::error::Error for ChainError {}

/// Reads every certificate of a PEM text (RFC 7468 5), in order.
///
/// # Errors
/// [`ChainError`] if there is none, or the first that cannot be read.
pub fn read_chain(pem: &str) -> Result<Vec<Certificate>, ChainError> {
    let mut found = Vec::new();
    let mut body: Option<String> = None;
    for line in pem.lines().map(str::trim) {
        match line {
            "-----BEGIN CERTIFICATE-----" => body = Some(String::new()),
            "-----END CERTIFICATE-----" => {
                let index = found.len() + 1;
                let body = body.take().ok_or(ChainError::NoCertificate(index))?;
                let octets = STANDARD.decode(body).map_err(|_| ChainError::NoBase64(index))?;
                found.push(read(&octets).ok_or(ChainError::NoCertificate(index))?);
            }
            line => body.iter_mut().for_each(|body| body.push_str(line)),
        }
    }
    match (found.is_empty(), body) {
        (_, Some(_)) => Err(ChainError::NoCertificate(found.len() + 1)),
        (true, None) => Err(ChainError::Empty),
        (false, None) => Ok(found),
    }
}

impl Certificate {
    /// Whether it is for this host: by name, or by a wildcard for one label (RFC 9525 6.3).
    pub fn covers(&self, host: &Domain) -> bool {
        self.names.iter().any(|name| match name.strip_prefix("*.") {
            Some(parent) => host.as_str().split_once('.').is_some_and(|(_, rest)| rest == parent),
            None => **name == *host.as_str(),
        })
    }

    /// Whether `other` carries the name that signed this one.
    pub fn is_issued_by(&self, other: &Certificate) -> bool {
        self.issuer == other.subject
    }

    /// Whether issuer and subject are one: a root, or self-signed.
    pub fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }
}

fn read(octets: &[u8]) -> Option<Certificate> {
    let mut whole = Reader::new(octets);
    let mut certificate = whole.sequence()?;
    let mut tbs = certificate.sequence()?;
    let signature = certificate.sequence()?.object()?;
    tbs.optional(0xA0);
    tbs.next()?;
    tbs.sequence()?;
    let issuer = tbs.next()?.whole.into();
    let mut validity = tbs.sequence()?;
    let (not_before, not_after) = (date(&validity.next()?)?, date(&validity.next()?)?);
    let subject = tbs.next()?.whole.into();
    let info = tbs.next()?;
    let key = key(&mut Reader::new(info.whole).sequence()?)?;
    tbs.optional(0x81);
    tbs.optional(0x82);
    let mut found = Certificate {
        names: Vec::new(),
        not_before,
        not_after,
        key,
        key_sha256: Sha256::digest(info.whole).into(),
        signature: digest(signature),
        is_authority: false,
        issuer,
        subject,
    };
    if let Some(extensions) = tbs.optional(0xA3) {
        let mut extensions = Reader::new(extensions).sequence()?;
        while let Some(mut extension) = extensions.sequence() {
            let name = extension.object()?;
            // The critical flag, where it is set.
            extension.optional(0x01);
            found.extend(name, extension.expect(0x04)?)?;
        }
    }
    Some(found)
}

impl Certificate {
    fn extend(&mut self, name: &[u8], value: &[u8]) -> Option<()> {
        match name {
            // id-ce-subjectAltName (RFC 5280 4.2.1.6)
            [0x55, 0x1D, 0x11] => {
                let mut names = Reader::new(value).sequence()?;
                while let Some(name) = names.next() {
                    if name.tag == 0x82 {
                        self.names.push(std::str::from_utf8(name.content).ok()?.to_ascii_lowercase().into());
                    }
                }
            }
            // id-ce-basicConstraints (RFC 5280 4.2.1.9)
            [0x55, 0x1D, 0x13] => {
                let mut constraints = Reader::new(value).sequence()?;
                self.is_authority = constraints.optional(0x01).is_some_and(|flag| flag != [0]);
            }
            _ => {}
        }
        Some(())
    }
}

fn key(info: &mut Reader<'_>) -> Option<Key> {
    let mut algorithm = info.sequence()?;
    let name = algorithm.object()?;
    let bits = info.expect(0x03)?.get(1..)?;
    Some(match name {
        // rsaEncryption (RFC 3279 2.3.1)
        [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01] => {
            let modulus = Reader::new(bits).sequence()?.expect(0x02)?;
            let first = modulus.iter().position(|octet| *octet != 0)?;
            let length = u32::try_from(modulus.len() - first).ok()?;
            Key::Rsa(length.checked_mul(8)? - modulus[first].leading_zeros())
        }
        // id-ecPublicKey (RFC 5480 2.1.1)
        [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01] => match algorithm.object()? {
            [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x01] => Key::Curve(192),
            [0x2B, 0x81, 0x04, 0x00, 0x21] => Key::Curve(224),
            [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07] => Key::Curve(256),
            [0x2B, 0x81, 0x04, 0x00, 0x22] => Key::Curve(384),
            [0x2B, 0x81, 0x04, 0x00, 0x23] => Key::Curve(521),
            _ => Key::Other,
        },
        // id-Ed25519 (RFC 8410 3)
        [0x2B, 0x65, 0x70] => Key::Curve(255),
        _ => Key::Other,
    })
}

fn digest(algorithm: &[u8]) -> Signature {
    match algorithm {
        [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x04] => Signature::Broken("MD5"),
        [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x05] | [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x01] => {
            Signature::Broken("SHA-1")
        }
        _ => Signature::Sound,
    }
}

/// UTCTime or GeneralizedTime (RFC 5280 4.1.2.5): `YYMMDD…` or `YYYYMMDD…`.
fn date(time: &Element<'_>) -> Option<Date> {
    let text = std::str::from_utf8(time.content).ok()?;
    match time.tag {
        0x17 => {
            let year: u16 = text.get(..2)?.parse().ok()?;
            Date::new(
                if year < 50 { 2000 + year } else { 1900 + year },
                text.get(2..4)?.parse().ok()?,
                text.get(4..6)?.parse().ok()?,
            )
        }
        0x18 => Date::new(text.get(..4)?.parse().ok()?, text.get(4..6)?.parse().ok()?, text.get(6..8)?.parse().ok()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
