//! SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, the server's side (RFC 5802, RFC 7677), over keys that were stored.
//!
//! Pure: the nonce and the names of the channel are arguments. Where the record comes from, and what becomes of failures, is for
//! [`super::login`].

use super::binding::ChannelBindings;
use aws_lc_rs::{constant_time, digest, hmac, pbkdf2};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::num::NonZeroU32;

const KEY_OCTETS: usize = digest::SHA256_OUTPUT_LEN;
/// Iterations of a user who does not exist, where no other user is there to look alike to (RFC 7677 4).
const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).unwrap();

/// What a user's password left behind (RFC 5802 3).
#[derive(Clone)]
pub struct ScramRecord {
    iterations: NonZeroU32,
    salt: Vec<u8>,
    stored_key: [u8; KEY_OCTETS],
    server_key: [u8; KEY_OCTETS],
}

impl ScramRecord {
    /// Reads `iterations,salt,stored-key,server-key`, as Dovecot writes it.
    pub fn parse(text: &str) -> Option<ScramRecord> {
        let mut parts = text.split(',');
        let iterations = parts.next()?.parse().ok()?;
        let mut octets = || STANDARD.decode(parts.next()?).ok();
        let (salt, stored_key, server_key) = (octets()?, octets()?.try_into().ok()?, octets()?.try_into().ok()?);
        parts.next().is_none().then_some(ScramRecord { iterations, salt, stored_key, server_key })
    }

    /// What a user who does not exist seems to have: the same salt each time the name is tried, which nobody can compute, and
    /// a key that no password has. `like` is the record of another user.
    pub fn decoy(user: &str, like: Option<&ScramRecord>) -> ScramRecord {
        let key = like.map_or([0; KEY_OCTETS], |record| record.server_key);
        let [salt, stored_key, server_key] =
            ["salt", "stored", "server"].map(|purpose| mac(&key, format!("{purpose}\0{user}").as_bytes()));
        let salt_octets = like.map_or(16, |record| record.salt.len()).min(KEY_OCTETS);
        let iterations = like.map_or(ITERATIONS, |record| record.iterations);
        ScramRecord { iterations, salt: salt[..salt_octets].to_vec(), stored_key, server_key }
    }

    /// Whether the keys are those of this password.
    pub fn matches(&self, password: &str) -> bool {
        let mut salted = [0; KEY_OCTETS];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, self.iterations, &self.salt, password.as_bytes(), &mut salted);
        let stored_key = sha256(&mac(&salted, b"Client Key"));
        constant_time::verify_slices_are_equal(&stored_key, &self.stored_key).is_ok()
    }
}

/// The client's first message (RFC 5802 7).
#[derive(Debug)]
pub struct ClientFirst {
    /// Who wants to log in.
    pub user: String,
    gs2_header: String,
    bare: String,
    nonce: String,
    /// What it binds to.
    binding: Option<Box<[u8]>>,
}

impl ClientFirst {
    /// Reads it. `plus`: the client has chosen the mechanism that binds to the channel, which has these names.
    pub fn parse(message: &[u8], plus: bool, bindings: &ChannelBindings) -> Option<ClientFirst> {
        let text = std::str::from_utf8(message).ok()?;
        let (flag, rest) = text.split_once(',')?;
        let (acts_as, bare) = rest.split_once(',')?;
        let binding = match flag {
            "n" => None,
            // It could bind and believes that we cannot; if we said that we can, somebody stands between (RFC 5802 6).
            "y" if bindings.is_empty() => None,
            _ => Some(bindings.named(flag.strip_prefix("p=")?)?.into()),
        };
        if binding.is_some() != plus {
            return None;
        }
        let mut attributes = bare.split(',');
        let user = name(attributes.next()?.strip_prefix("n=")?)?;
        let nonce = attributes.next()?.strip_prefix("r=").filter(|nonce| !nonce.is_empty())?;
        // Nobody may act as somebody else here; several clients name themselves twice.
        if !acts_as.is_empty() && name(acts_as.strip_prefix("a=")?)? != user {
            return None;
        }
        let gs2_header = format!("{flag},{acts_as},");
        Some(ClientFirst { user, gs2_header, bare: bare.to_owned(), nonce: nonce.to_owned(), binding })
    }

    /// The challenge, and what is needed to check the answer. `nonce`: printable ASCII without a comma, never used before.
    pub fn challenge(self, record: ScramRecord, nonce: &str) -> (String, Challenged) {
        let nonce = format!("{}{nonce}", self.nonce);
        let message = format!("r={nonce},s={},i={}", STANDARD.encode(&record.salt), record.iterations);
        let so_far = format!("{},{message}", self.bare);
        let channel = [self.gs2_header.as_bytes(), self.binding.as_deref().unwrap_or_default()].concat();
        (message, Challenged { record, nonce, so_far, channel })
    }
}

/// An exchange whose last message is awaited.
pub struct Challenged {
    record: ScramRecord,
    nonce: String,
    so_far: String,
    /// What the client has to say of the channel.
    channel: Vec<u8>,
}

impl Challenged {
    /// Checks the client's last message; our own last one if it knows the password.
    pub fn verify(&self, message: &[u8]) -> Option<String> {
        let (unproved, proof) = std::str::from_utf8(message).ok()?.rsplit_once(",p=")?;
        let mut attributes = unproved.split(',');
        let channel = STANDARD.decode(attributes.next()?.strip_prefix("c=")?).ok()?;
        let nonce = attributes.next()?.strip_prefix("r=")?;
        if channel != self.channel || nonce != self.nonce {
            return None;
        }
        let whole = format!("{},{unproved}", self.so_far);
        let signature = mac(&self.record.stored_key, whole.as_bytes());
        let mut client_key: [u8; KEY_OCTETS] = STANDARD.decode(proof).ok()?.try_into().ok()?;
        client_key.iter_mut().zip(signature).for_each(|(octet, mask)| *octet ^= mask);
        constant_time::verify_slices_are_equal(&sha256(&client_key), &self.record.stored_key).ok()?;
        Some(format!("v={}", STANDARD.encode(mac(&self.record.server_key, whole.as_bytes()))))
    }
}

/// RFC 5802 5.1: `=2C` is a comma, `=3D` an equals sign, and there is no other.
fn name(escaped: &str) -> Option<String> {
    let bare = escaped.replace("=2C", "").replace("=3D", "");
    (!escaped.is_empty() && !bare.contains('=')).then(|| escaped.replace("=2C", ",").replace("=3D", "="))
}

fn mac(key: &[u8], message: &[u8]) -> [u8; KEY_OCTETS] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    std::array::from_fn(|index| tag.as_ref()[index])
}

fn sha256(octets: &[u8]) -> [u8; KEY_OCTETS] {
    let digest = digest::digest(&digest::SHA256, octets);
    std::array::from_fn(|index| digest.as_ref()[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The password `pencil` with the salt of RFC 7677 3.
    fn record() -> ScramRecord {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let mut salted = [0; KEY_OCTETS];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ITERATIONS, &salt, b"pencil", &mut salted);
        let stored_key = sha256(&mac(&salted, b"Client Key"));
        ScramRecord { iterations: ITERATIONS, salt, stored_key, server_key: mac(&salted, b"Server Key") }
    }

    const FIRST: &str = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
    const NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const LAST: &str =
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    fn challenged() -> (String, Challenged) {
        ClientFirst::parse(FIRST.as_bytes(), false, &ChannelBindings::default()).unwrap().challenge(record(), NONCE)
    }

    #[test]
    fn the_example_of_rfc_7677_3() {
        let (first, challenged) = challenged();
        assert_eq!(first, "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
        let last = challenged.verify(LAST.as_bytes());
        assert_eq!(last.as_deref(), Some("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
    }

    #[test]
    fn anything_else_proves_nothing_rfc_5802_5_1() {
        let (_, challenged) = challenged();
        for (what, with) in [("c=biws", "c=eSws"), ("k0,p", "k1,p"), ("p=d", "p=e"), (",p=", ",x=1,p="), ("ndVQ=", "ndVQ=,x=1")] {
            let changed = LAST.replace(what, with);
            assert_ne!(changed, LAST);
            assert_eq!(challenged.verify(changed.as_bytes()), None, "{changed}");
        }
    }

    #[test]
    fn a_nobody_looks_like_somebody_and_has_no_password() {
        let (one, again) = (ScramRecord::decoy("eve", Some(&record())), ScramRecord::decoy("eve", Some(&record())));
        assert_eq!((&one.salt, one.iterations), (&again.salt, record().iterations));
        assert_eq!(one.salt.len(), record().salt.len());
        assert_ne!(one.salt, ScramRecord::decoy("bob", Some(&record())).salt);
        assert!(!one.matches("pencil") && record().matches("pencil"));
        let first = ClientFirst::parse(FIRST.as_bytes(), false, &ChannelBindings::default()).unwrap();
        assert_eq!(first.challenge(one, NONCE).1.verify(LAST.as_bytes()), None);
    }

    #[test]
    fn a_channel_is_bound_or_not_as_was_offered_rfc_5802_6() {
        let none = ChannelBindings::default();
        let both = ChannelBindings { exporter: Some([7; 32]), end_point: Some([8; 48].into()) };
        let older = ChannelBindings { exporter: None, ..both.clone() };
        let parse = |flag: &str, plus, bindings: &ChannelBindings| {
            ClientFirst::parse(format!("{flag},,n=user,r=x").as_bytes(), plus, bindings).is_some()
        };
        assert!(parse("n", false, &both) && parse("y", false, &none));
        for kind in ["p=tls-exporter", "p=tls-server-end-point"] {
            assert!(parse(kind, true, &both) && !parse(kind, false, &both) && !parse(kind, true, &none), "{kind}");
        }
        assert!(parse("p=tls-server-end-point", true, &older) && !parse("p=tls-exporter", true, &older));
        assert!(!parse("y", false, &both) && !parse("y", false, &older), "somebody has cut the offer out");
        assert!(!parse("n", true, &both) && !parse("p=tls-unique", true, &both));
    }

    #[test]
    fn names_are_unescaped_and_nobody_acts_for_another_rfc_5802_5_1() {
        let user = |first: &str| ClientFirst::parse(first.as_bytes(), false, &ChannelBindings::default()).map(|first| first.user);
        assert_eq!(user("n,,n=a=2Cb=3Dc,r=x").as_deref(), Some("a,b=c"));
        assert_eq!(user("n,a=bob,n=bob,r=x").as_deref(), Some("bob"));
        for wrong in ["n,a=root,n=bob,r=x", "n,,n=a=2cb,r=x", "n,,n=,r=x", "n,,n=a,r=", "n,,m=1,n=a,r=x", "n,n=a", ""] {
            assert_eq!(user(wrong), None, "{wrong}");
        }
    }
}
