//! Counters that fade: how much of something a client did of late. What is done with that is for [`super::admission`] and for
//! [`crate::auth`]. Time is an argument, and memory is bounded, whoever comes.

use crate::screen::Recent;
use ipnet::IpNet;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// What counts as one client: an IPv4 address, and of IPv6 the /64 that one host has to itself.
pub fn client_key(address: IpAddr) -> IpNet {
    prefix(address, 32)
}

/// What counts as one network: a /24 or a /64.
pub fn network_key(address: IpAddr) -> IpNet {
    prefix(address, 24)
}

fn prefix(address: IpAddr, bits: u8) -> IpNet {
    let address = address.to_canonical();
    let bits = if address.is_ipv4() { bits } else { 64 };
    IpNet::new(address, bits).map_or(IpNet::from(address), |network| network.trunc())
}

/// Counters by key.
pub struct Levels<K>(Recent<K, Level>);

#[derive(Clone, Copy)]
struct Level {
    amount: f64,
    at: Instant,
}

impl Level {
    fn faded(self, fade: Duration, now: Instant) -> f64 {
        let gone = now.saturating_duration_since(self.at).as_secs_f64() / fade.as_secs_f64().max(f64::MIN_POSITIVE);
        (self.amount - gone).max(0.0)
    }
}

impl<K> Default for Levels<K> {
    fn default() -> Levels<K> {
        Levels(Recent::default())
    }
}

impl<K: Hash + Eq> Levels<K> {
    /// How much there is, when one fades in each `fade`.
    pub fn level(&self, key: &K, fade: Duration, now: Instant) -> f64 {
        self.0.find(key).map_or(0.0, |level| level.faded(fade, now))
    }

    /// Adds one, and says how much there is then.
    pub fn add(&mut self, key: K, fade: Duration, now: Instant) -> f64 {
        let amount = self.level(&key, fade, now) + 1.0;
        self.0.note(key, Level { amount, at: now });
        amount
    }

    /// Drops what is known of a key.
    pub fn forget(&mut self, key: &K) {
        self.0.forget(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_was_added_fades_one_by_one() {
        let (mut levels, now) = (Levels::default(), Instant::now());
        assert_eq!(levels.add("a", SECOND, now), 1.0);
        assert_eq!(levels.add("a", SECOND, now), 2.0);
        assert_eq!(levels.level(&"a", SECOND, now + SECOND), 1.0);
        assert_eq!(levels.level(&"a", SECOND, now + 9 * SECOND), 0.0);
        levels.forget(&"a");
        assert_eq!(levels.level(&"a", SECOND, now), 0.0);
    }

    #[test]
    fn one_client_is_an_address_or_a_64() {
        let key = |text: &str| client_key(text.parse().unwrap()).to_string();
        assert_eq!(key("192.0.2.1"), "192.0.2.1/32");
        assert_eq!(key("::ffff:192.0.2.1"), "192.0.2.1/32");
        assert_eq!(key("2001:db8:1:2:3::4"), "2001:db8:1:2::/64");
        assert_eq!(network_key("192.0.2.1".parse().unwrap()).to_string(), "192.0.2.0/24");
    }
}
