//! The secrets of the Sender Rewriting Scheme: they sign the addresses that forwarded mail leaves with, and tell those that come back
//! from those that somebody made up. The form of the addresses is in [`postern_schema::srs`].
//!
//! A hash is HMAC-SHA-256 (RFC 2104) over the rest of the address in lower case, of which eight letters of base32 stand in it: hosts on
//! the way may change the case of a local part, and base32 loses nothing by that. Forty bits are more than anybody tries at RCPT.

use super::{CredentialError, Credentials};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use postern_schema::decide::SrsFact;
use postern_schema::name::{HostName, Mailbox, ReversePath};
use postern_schema::site::{SecretName, Srs};
use postern_schema::srs::{SrsAddress, day_of, is_expired};
use std::fmt;

/// The shortest secret, in octets.
const SECRET_MIN_OCTETS: usize = 16;
/// Letters of a hash.
const HASH_LETTERS: usize = 8;
/// RFC 4648 6.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What signs and verifies for one site.
pub struct SrsKeys {
    srs: Srs,
    /// The first signs, all verify; never none.
    keys: Vec<hmac::Key>,
}

/// The secrets cannot be used.
#[derive(Debug)]
pub enum SrsError {
    /// The file cannot be had.
    Credential(CredentialError),
    /// It holds no secret, or one that is too short.
    Weak(SecretName),
}

impl fmt::Display for SrsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SrsError::Credential(error) => error.fmt(f),
            SrsError::Weak(name) => {
                write!(
                    f,
                    "credential {name} holds no secret, or one of fewer than {SECRET_MIN_OCTETS} octets; one a line, the first signs"
                )
            }
        }
    }
}

impl std::error::Error for SrsError {}

impl fmt::Debug for SrsKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SrsKeys({}, {} secrets)", self.srs.domain, self.keys.len())
    }
}

impl SrsKeys {
    /// Reads the secrets of a site.
    ///
    /// # Errors
    /// [`SrsError`] names the file and what is wrong with it.
    pub fn load(srs: &Srs, credentials: &Credentials) -> Result<SrsKeys, SrsError> {
        let text = credentials.read_private(&srs.secret).map_err(SrsError::Credential)?;
        SrsKeys::new(srs, &text).ok_or_else(|| SrsError::Weak(srs.secret.clone()))
    }

    fn new(srs: &Srs, text: &str) -> Option<SrsKeys> {
        let secrets: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        if secrets.is_empty() || secrets.iter().any(|secret| secret.len() < SECRET_MIN_OCTETS) {
            return None;
        }
        let keys = secrets.iter().map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())).collect();
        Some(SrsKeys { srs: srs.clone(), keys })
    }

    /// The reverse-path that mail of this sender is sent on with; `None` where the address would be longer than any may be.
    pub fn forward(&self, sender: &Mailbox, now_seconds: u64) -> Option<ReversePath> {
        let address = SrsAddress::around(sender, day_of(now_seconds));
        let hash = hash(self.keys.first()?, &address.signed_text());
        let local = address.signed(&hash).to_local()?;
        Some(ReversePath::Mailbox(Mailbox::new(local, HostName::Domain(self.srs.domain.clone()))))
    }

    /// What a bounce address comes to.
    pub fn reverse(&self, address: &Mailbox, now_seconds: u64) -> SrsFact {
        let Some(parsed) = SrsAddress::parse(address.local.as_str()) else { return SrsFact::Forged };
        let given = parsed.hash().to_ascii_uppercase();
        let text = parsed.signed_text();
        let is_signed_by = |key: &hmac::Key| verify_slices_are_equal(hash(key, &text).as_bytes(), given.as_bytes()).is_ok();
        // Every key is tried, so that time does not tell which one it was.
        if self.keys.iter().filter(|key| is_signed_by(key)).count() == 0 {
            return SrsFact::Forged;
        }
        match &parsed {
            SrsAddress::Srs0 { day, .. } if is_expired(*day, day_of(now_seconds)) => SrsFact::Expired,
            // The first forwarder knows how old it is.
            _ => parsed.bounce_to().map_or(SrsFact::Forged, SrsFact::Good),
        }
    }
}

fn hash(key: &hmac::Key, text: &str) -> String {
    let tag = hmac::sign(key, text.as_bytes());
    let first = tag.as_ref().iter().take(5).fold(0_u64, |bits, octet| bits << 8 | u64::from(*octet));
    (0..HASH_LETTERS).rev().map(|place| char::from(BASE32[(first >> (5 * place) & 31) as usize])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use postern_schema::name::{Domain, LocalPart};
    use postern_schema::site::Origin;
    use proptest::prelude::*;

    const DAY: u64 = 86_400;
    const NOW: u64 = 20_000 * DAY;

    fn keys(secrets: &str) -> Option<SrsKeys> {
        let domain = Domain::parse("forwarder.example").unwrap();
        SrsKeys::new(&Srs { domain, secret: SecretName::parse("srs").unwrap(), origin: Origin::DEFAULT }, secrets)
    }

    fn forwarded(keys: &SrsKeys, sender: &str) -> Mailbox {
        keys.forward(&Mailbox::parse(sender).unwrap(), NOW).unwrap().mailbox().unwrap().clone()
    }

    const FIRST: &str = "a secret of seventeen";
    const SECOND: &str = "another one, not shorter";

    /// `printf '0=ra=sender.example=alice' | openssl dgst -sha256 -hmac 'a secret of seventeen' -binary | head -c 5 | base32`
    #[test]
    fn an_address_of_a_known_secret() {
        let address = forwarded(&keys(FIRST).unwrap(), "Alice@sender.example");
        assert_eq!(address.to_string(), "SRS0=R55DEXYH=RA=sender.example=Alice@forwarder.example");
    }

    #[test]
    fn it_is_good_for_three_weeks_in_any_case() {
        let keys = keys(FIRST).unwrap();
        let address = forwarded(&keys, "alice@sender.example");
        let lower = Mailbox::parse(&address.to_string().to_lowercase()).unwrap();
        let good = SrsFact::Good(Mailbox::parse("alice@sender.example").unwrap());
        assert_eq!(keys.reverse(&address, NOW), good);
        assert_eq!(keys.reverse(&lower, NOW + 21 * DAY), good);
        assert_eq!(keys.reverse(&address, NOW + 22 * DAY), SrsFact::Expired);
    }

    #[test]
    fn a_new_secret_goes_first_and_the_old_one_verifies() {
        let (old, both, new) = (keys(FIRST).unwrap(), keys(&format!("{SECOND}\n\n{FIRST}\n")).unwrap(), keys(SECOND).unwrap());
        let given = forwarded(&old, "alice@sender.example");
        assert!(matches!(both.reverse(&given, NOW), SrsFact::Good(_)));
        assert_eq!(new.reverse(&given, NOW), SrsFact::Forged);
        assert_eq!(forwarded(&both, "alice@sender.example"), forwarded(&new, "alice@sender.example"));
    }

    #[test]
    fn whatever_is_changed_in_it_is_noticed() {
        let keys = keys(FIRST).unwrap();
        let address = forwarded(&keys, "alice@sender.example").to_string();
        for (from, to) in [("alice", "mallory"), ("sender.", "render."), ("=RA=", "=RB="), ("SRS0=", "SRS0=A"), ("SRS0", "SRS1")]
        {
            let changed = Mailbox::parse(&address.replacen(from, to, 1)).unwrap();
            assert_eq!(keys.reverse(&changed, NOW), SrsFact::Forged, "{changed}");
        }
    }

    #[test]
    fn a_second_forwarder_leads_bounces_back_to_the_first() {
        let keys = keys(FIRST).unwrap();
        let first = "SRS0=HASH=RA=sender.example=alice@first.example";
        let second = forwarded(&keys, first);
        assert!(second.to_string().starts_with("SRS1="), "{second}");
        assert_eq!(keys.reverse(&second, NOW + 100 * DAY), SrsFact::Good(Mailbox::parse(first).unwrap()));
    }

    #[test]
    fn weak_secrets_are_refused() {
        for text in ["", "\n\n", "short", &format!("{FIRST}\nshort")] {
            assert!(keys(text).is_none(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn the_way_back_leads_to_the_sender(local in "[!-~]{1,64}", host in "[a-z]{1,20}\\.example", days in 0u64..=21) {
            let keys = keys(FIRST).unwrap();
            let sender = Mailbox::new(LocalPart::from_content(&local).unwrap(), HostName::parse(&host).unwrap());
            let address = keys.forward(&sender, NOW).unwrap().mailbox().unwrap().clone();
            let heard = Mailbox::parse(&address.to_string()).unwrap();
            prop_assert_eq!(keys.reverse(&heard, NOW + days * DAY), SrsFact::Good(sender));
        }

        #[test]
        fn no_address_that_nobody_gave_is_good(local in "SRS[01][=+-][A-Z2-7]{8}=[A-Z]{2}=[a-z]{1,8}\\.example=[a-z]{1,8}|\\PC{1,60}") {
            let Ok(local) = LocalPart::from_content(&local) else { return Ok(()) };
            let address = Mailbox::new(local, HostName::parse("forwarder.example").unwrap());
            prop_assert!(!matches!(keys(FIRST).unwrap().reverse(&address, NOW), SrsFact::Good(_)));
        }
    }
}
