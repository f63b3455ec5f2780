//! The form of addresses of the Sender Rewriting Scheme, without what makes them good: who signs them is the daemon's business, which
//! knows the secrets. See Meng Weng Wong's paper of 2004, whose form libsrs2 and postsrsd use too.
//!
//! ```text
//! alice@sender.example                                   wrote
//! SRS0=HASH=TT=sender.example=alice@first.example        the first forwarder says
//! SRS1=HASH=first.example==HASH=TT=sender.example=alice@second.example
//! ```
//!
//! A second forwarder does not put its own layer around the first: it notes the first one's host and leads bounces back there.

use crate::name::{HostName, LocalPart, Mailbox};

/// Days for which an address is good: as long as any queue keeps a message, and the bounce of it, with room.
pub const MAX_AGE_DAYS: u16 = 21;
/// Days count modulo this: two letters of base32.
const DAYS: u16 = 1 << 10;
/// RFC 4648 6.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// An address taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SrsAddress {
    /// Of a first forwarder.
    Srs0 {
        /// What signs the rest.
        hash: Box<str>,
        /// The day that it was made, modulo 1024.
        day: u16,
        /// Whose mail it is.
        sender: Mailbox,
    },
    /// Of a later one.
    Srs1 {
        /// What signs the rest.
        hash: Box<str>,
        /// The first forwarder.
        host: HostName,
        /// Its address without `SRS0`: the separator and what follows.
        rest: Box<str>,
    },
}

/// Whether a local part begins like one of these addresses, in whatever case.
pub fn is_srs(local: &str) -> bool {
    tail(local, "SRS0").or_else(|| tail(local, "SRS1")).is_some()
}

/// What stands behind the tag, separator and all. Three separators are in use.
fn tail<'a>(local: &'a str, tag: &str) -> Option<&'a str> {
    let (head, tail) = local.split_at_checked(tag.len())?;
    (head.eq_ignore_ascii_case(tag) && tail.starts_with(['=', '+', '-'])).then_some(tail)
}

/// The number of a day as it stands in addresses.
pub fn day_of(seconds_since_epoch: u64) -> u16 {
    // Below 1024 by the division.
    (seconds_since_epoch / 86_400 % u64::from(DAYS)) as u16
}

/// Whether an address of that day is too old today, or from a day to come. One day is given to clocks that differ.
pub fn is_expired(day: u16, today: u16) -> bool {
    let age = (today + DAYS - day % DAYS) % DAYS;
    age > MAX_AGE_DAYS && age != DAYS - 1
}

/// Two letters.
pub fn day_text(day: u16) -> String {
    let letter = |bits: u16| char::from(BASE32[usize::from(bits & 31)]);
    [letter(day >> 5), letter(day)].iter().collect()
}

fn day(text: &str) -> Option<u16> {
    let [high, low] = text.as_bytes() else { return None };
    let value = |letter: &u8| BASE32.iter().position(|known| known.eq_ignore_ascii_case(letter));
    Some((value(high)? * 32 + value(low)?) as u16)
}

impl SrsAddress {
    /// Takes a local part apart; `None` for one that has not the form.
    pub fn parse(local: &str) -> Option<SrsAddress> {
        if let Some(tail) = tail(local, "SRS0") {
            let mut parts = tail[1..].splitn(4, '=');
            let (hash, day_text, host, local) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
            let sender = Mailbox::new(LocalPart::from_content(local).ok()?, HostName::parse(host).ok()?);
            return Some(SrsAddress::Srs0 { hash: hash.into(), day: day(day_text)?, sender });
        }
        let tail = tail(local, "SRS1")?;
        let mut parts = tail[1..].splitn(3, '=');
        let (hash, host, rest) = (parts.next()?, parts.next()?, parts.next()?);
        let is_srs0 = rest.starts_with(['=', '+', '-']);
        is_srs0.then(|| Some(SrsAddress::Srs1 { hash: hash.into(), host: HostName::parse(host).ok()?, rest: rest.into() }))?
    }

    /// The layer that forwarding this sender needs, unsigned: the hash is empty.
    pub fn around(sender: &Mailbox, day: u16) -> SrsAddress {
        let local = sender.local.as_str();
        if let Some(rest) = tail(local, "SRS0") {
            return SrsAddress::Srs1 { hash: "".into(), host: sender.host.clone(), rest: rest.into() };
        }
        match SrsAddress::parse(local) {
            // Bounces need not pass by the second forwarder.
            Some(SrsAddress::Srs1 { host, rest, .. }) => SrsAddress::Srs1 { hash: "".into(), host, rest },
            _ => SrsAddress::Srs0 { hash: "".into(), day, sender: sender.clone() },
        }
    }

    /// The same with this hash.
    pub fn signed(self, hash: &str) -> SrsAddress {
        match self {
            SrsAddress::Srs0 { day, sender, .. } => SrsAddress::Srs0 { hash: hash.into(), day, sender },
            SrsAddress::Srs1 { host, rest, .. } => SrsAddress::Srs1 { hash: hash.into(), host, rest },
        }
    }

    /// The hash as it was written.
    pub fn hash(&self) -> &str {
        match self {
            SrsAddress::Srs0 { hash, .. } | SrsAddress::Srs1 { hash, .. } => hash,
        }
    }

    /// What is signed, in lower case: hosts on the way may change the case of a local part.
    pub fn signed_text(&self) -> String {
        match self {
            SrsAddress::Srs0 { day, sender, .. } => {
                format!("0={}={}={}", day_text(*day), sender.host, sender.local.as_str()).to_lowercase()
            }
            SrsAddress::Srs1 { host, rest, .. } => format!("1={host}={rest}").to_lowercase(),
        }
    }

    /// Where a bounce to it goes next; `None` where that would be no address.
    pub fn bounce_to(&self) -> Option<Mailbox> {
        match self {
            SrsAddress::Srs0 { sender, .. } => Some(sender.clone()),
            SrsAddress::Srs1 { host, rest, .. } => {
                Some(Mailbox::new(LocalPart::from_content(&format!("SRS0{rest}")).ok()?, host.clone()))
            }
        }
    }

    /// The local part; `None` where it would be longer than any.
    pub fn to_local(&self) -> Option<LocalPart> {
        let text = match self {
            SrsAddress::Srs0 { hash, day, sender } => {
                format!("SRS0={hash}={}={}={}", day_text(*day), sender.host, sender.local.as_str())
            }
            SrsAddress::Srs1 { hash, host, rest } => format!("SRS1={hash}={host}={rest}"),
        };
        LocalPart::from_content(&text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mailbox(text: &str) -> Mailbox {
        Mailbox::parse(text).unwrap()
    }

    #[test]
    fn the_layers_of_three_forwarders() {
        let first = SrsAddress::around(&mailbox("alice@sender.example"), 0).signed("HHHH");
        let at_first = Mailbox::new(first.to_local().unwrap(), HostName::parse("first.example").unwrap());
        assert_eq!(at_first.to_string(), "SRS0=HHHH=AA=sender.example=alice@first.example");
        let second = SrsAddress::around(&at_first, 1).signed("GGGG");
        let at_second = Mailbox::new(second.to_local().unwrap(), HostName::parse("second.example").unwrap());
        assert_eq!(at_second.to_string(), "SRS1=GGGG=first.example==HHHH=AA=sender.example=alice@second.example");
        let third = SrsAddress::around(&at_second, 2).signed("FFFF").to_local().unwrap();
        assert_eq!(third.as_str(), "SRS1=FFFF=first.example==HHHH=AA=sender.example=alice");
        assert_eq!(SrsAddress::parse(third.as_str()).unwrap().bounce_to().unwrap(), at_first);
        assert_eq!(SrsAddress::parse(at_first.local.as_str()).unwrap().bounce_to().unwrap(), mailbox("alice@sender.example"));
    }

    #[test]
    fn the_tag_and_its_separators() {
        for text in ["SRS0=a=AA=b.example=c", "srs0+a=AA=b.example=c", "sRs1-a=b.example=-x=AA=c.example=d"] {
            assert!(is_srs(text) && SrsAddress::parse(text).is_some(), "{text}");
        }
        for text in
            ["SRS0", "SRS0=", "SRS0=a=AA=b.example", "SRS0=a=A1=b.example=c", "SRS1=a=b.example=x", "SRS2=a=AA=b.example=c"]
        {
            assert_eq!(SrsAddress::parse(text), None, "{text}");
        }
        assert!(!is_srs("SRS0alice") && !is_srs("SR\u{e4}0=") && is_srs("SRS0="));
    }

    #[test]
    fn an_address_is_good_for_three_weeks_also_over_the_end_of_the_count() {
        for (day, today, expired) in
            [(0, 0, false), (0, 21, false), (0, 22, true), (1020, 10, false), (1020, 20, true), (5, 4, false), (9, 4, true)]
        {
            assert_eq!(is_expired(day, today), expired, "{day} on {today}");
        }
        assert_eq!(day_of(86_400 * 1025 + 7), 1);
    }

    proptest! {
        #[test]
        fn what_is_put_together_comes_apart_again(local in "[!-~]{1,40}", host in "[a-z]{1,12}\\.example", day in 0u16..1024) {
            let sender = Mailbox::new(LocalPart::from_content(&local).unwrap(), HostName::parse(&host).unwrap());
            let address = SrsAddress::around(&sender, day).signed("ABCDEFGH");
            let text = address.to_local().unwrap();
            prop_assert_eq!(SrsAddress::parse(text.as_str()), Some(address));
        }

        #[test]
        fn whatever_comes_is_read_without_a_panic(local in "\\PC{0,60}|[Ss][Rr][Ss][01][=+-].{0,60}") {
            if let Some(address) = SrsAddress::parse(&local) {
                let _ = (address.bounce_to(), address.to_local(), address.signed_text());
            }
        }
    }
}
