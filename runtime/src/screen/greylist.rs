//! Greylisting (RFC 6647): a client that is new with a sender and a recipient is asked to come back. Pure but for what it
//! remembers, which is behind [`Remembrance`]: this host's own memory today ([`super::Memory`]), one that several hosts share
//! some day.

use aws_lc_rs::digest::{Context, SHA256};
use ipnet::IpNet;
use postern_schema::decide::GreylistFact;
use postern_schema::name::{Mailbox, ReversePath};
use postern_schema::site::Greylist;
use std::net::IpAddr;
use std::time::Duration;

/// What is known is noted anew when it was last noted so long ago: it need not be exact to the message.
const NOTED_ANEW: u64 = 3_600_000;

/// What is remembered by: a digest, so that no address stands in a file, and every entry is of one size.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Key(pub [u8; 16]);

/// What is remembered, in milliseconds since the epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// When it came first.
    pub first_ms: u64,
    /// When it came last.
    pub last_ms: u64,
    /// How often it has come back; 0: it waits.
    pub passes: u32,
}

/// A memory. What it forgets is asked to come back once more, and no more than that.
pub trait Remembrance: Send + Sync {
    /// What is known of a key.
    fn recall(&self, key: Key) -> Option<Entry>;
    /// Remembers it.
    fn note(&self, key: Key, entry: Entry);
}

/// One recipient of one message from one client.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// The client.
    pub client: IpAddr,
    /// The reverse-path.
    pub sender: &'a ReversePath,
    /// The recipient.
    pub recipient: &'a Mailbox,
}

impl Key {
    fn of(parts: &[&str]) -> Key {
        let mut context = Context::new(&SHA256);
        for part in parts {
            context.update(part.as_bytes());
            context.update(&[0]);
        }
        let mut key = [0; 16];
        key.copy_from_slice(&context.finish().as_ref()[..16]);
        Key(key)
    }
}

/// The prefix that counts as one client: large senders come back from another host of the same network.
fn prefix(client: IpAddr, policy: &Greylist) -> String {
    let client = client.to_canonical();
    let bits = if client.is_ipv4() { policy.mask4 } else { policy.mask6 };
    IpNet::new(client, bits).map_or_else(|_| client.to_string(), |network| network.trunc().to_string())
}

/// A sender without what lists and bounce tags change from one message to the next: numbers, and what follows a `+`.
fn sender(path: &ReversePath) -> String {
    let Some(mailbox) = path.mailbox().map(Mailbox::folded) else { return String::new() };
    let local = mailbox.local.as_str();
    let local = local.split_once('+').map_or(local, |(before, _)| before);
    let mut plain = String::with_capacity(local.len());
    for character in local.chars() {
        let character = if character.is_ascii_digit() { '#' } else { character };
        if character != '#' || !plain.ends_with('#') {
            plain.push(character);
        }
    }
    format!("{plain}@{}", mailbox.host)
}

/// Where a visit stands, and notes that it came. The fact behind [`postern_schema::decide::Need::Greylist`].
pub fn standing(policy: &Greylist, visit: Visit<'_>, memory: &dyn Remembrance, now_ms: u64) -> GreylistFact {
    let prefix = prefix(visit.client, policy);
    let lasts = |entry: &Entry| entry.last_ms.saturating_add(millis(policy.remember)) > now_ms;
    let touch = |key: Key, entry: Entry| {
        if entry.last_ms.saturating_add(NOTED_ANEW) <= now_ms {
            memory.note(key, Entry { last_ms: now_ms, ..entry });
        }
    };
    let client = Key::of(&["client", &prefix]);
    let of_client = memory.recall(client).filter(lasts);
    if let Some(entry) = of_client.filter(|entry| entry.passes >= policy.enough) {
        touch(client, entry);
        return GreylistFact::Passed;
    }
    let key = Key::of(&["visit", &prefix, &sender(visit.sender), &visit.recipient.folded().to_string()]);
    let known = memory.recall(key);
    // A clock that was set back must not make anybody wait for it.
    let waited = known.filter(|entry| entry.passes == 0).and_then(|entry| now_ms.checked_sub(entry.first_ms));
    let waits = waited.map_or(GreylistFact::New, |waited| GreylistFact::after(Duration::from_millis(waited), policy));
    match (known, waits) {
        (Some(entry), _) if entry.passes > 0 && lasts(&entry) => {
            touch(key, entry);
            GreylistFact::Passed
        }
        (_, GreylistFact::Waiting) => GreylistFact::Waiting,
        (Some(Entry { first_ms, .. }), GreylistFact::Passed) => {
            memory.note(key, Entry { first_ms, last_ms: now_ms, passes: 1 });
            let before = of_client.unwrap_or(Entry { first_ms: now_ms, last_ms: now_ms, passes: 0 });
            memory.note(client, Entry { last_ms: now_ms, passes: before.passes.saturating_add(1), ..before });
            GreylistFact::Passed
        }
        _ => {
            memory.note(key, Entry { first_ms: now_ms, last_ms: now_ms, passes: 0 });
            GreylistFact::New
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Map(Mutex<HashMap<Key, Entry>>);

    impl Remembrance for Map {
        fn recall(&self, key: Key) -> Option<Entry> {
            self.0.lock().unwrap().get(&key).copied()
        }
        fn note(&self, key: Key, entry: Entry) {
            self.0.lock().unwrap().insert(key, entry);
        }
    }

    const MINUTE: u64 = 60_000;
    const DAY: u64 = 86_400_000;
    const START: u64 = 1_000 * DAY;

    fn ask(memory: &Map, client: &str, from: &str, to: &str, now_ms: u64) -> GreylistFact {
        let (from, to) = (ReversePath::parse(from).unwrap(), Mailbox::parse(to).unwrap());
        let visit = Visit { client: client.parse().unwrap(), sender: &from, recipient: &to };
        standing(&Greylist::default(), visit, memory, now_ms)
    }

    #[test]
    fn who_comes_back_in_time_passes_and_stays_known() {
        let memory = Map::default();
        let ask = |minutes| ask(&memory, "198.51.100.7", "a@b.test", "c@d.test", START + minutes * MINUTE);
        assert_eq!(ask(0), GreylistFact::New);
        assert_eq!(ask(4), GreylistFact::Waiting);
        assert_eq!(ask(5), GreylistFact::Passed);
        assert_eq!(ask(6), GreylistFact::Passed);
        let month = 30 * 24 * 60;
        assert_eq!(ask(month), GreylistFact::Passed);
        assert_eq!(ask(2 * month), GreylistFact::Passed, "each message counts anew");
        assert_eq!(ask(4 * month), GreylistFact::New);
    }

    #[test]
    fn who_comes_too_late_is_new() {
        let memory = Map::default();
        let ask = |now| ask(&memory, "198.51.100.7", "a@b.test", "c@d.test", now);
        assert_eq!(ask(START), GreylistFact::New);
        assert_eq!(ask(START + 2 * DAY), GreylistFact::New);
        assert_eq!(ask(START), GreylistFact::New, "the clock was set back");
        assert_eq!(ask(START + 5 * MINUTE), GreylistFact::Passed);
    }

    #[test]
    fn prefixes_and_changing_senders_are_one() {
        let memory = Map::default();
        let at = |client, from, minutes| ask(&memory, client, from, "c@d.test", START + minutes * MINUTE);
        assert_eq!(at("198.51.100.7", "list-bounce-17-x@b.test", 0), GreylistFact::New);
        assert_eq!(at("198.51.100.200", "LIST-bounce-4711-x@b.test", 6), GreylistFact::Passed);
        assert_eq!(at("198.51.101.7", "list-bounce-18-x@b.test", 6), GreylistFact::New);
        assert_eq!(at("2001:db8::1", "a+1@b.test", 0), GreylistFact::New);
        assert_eq!(at("2001:db8::ffff:2", "a+2@b.test", 6), GreylistFact::Passed);
        assert_eq!(at("::ffff:198.51.100.9", "", 0), GreylistFact::New);
        assert_eq!(at("198.51.100.9", "", 6), GreylistFact::Passed);
    }

    #[test]
    fn a_client_that_has_come_back_often_enough_is_asked_no_more() {
        let memory = Map::default();
        let at = |to: &str, minutes| ask(&memory, "198.51.100.7", "a@b.test", to, START + minutes * MINUTE);
        for n in 0..5 {
            assert_eq!(at(&format!("c{n}@d.test"), 0), GreylistFact::New);
        }
        for n in 0..5 {
            assert_eq!(at(&format!("c{n}@d.test"), 6), GreylistFact::Passed);
        }
        assert_eq!(at("new@d.test", 7), GreylistFact::Passed);
        assert_eq!(at("new@d.test", 40 * 24 * 60), GreylistFact::New, "it was away for too long");
    }
}
