//! How often logins failed of late, by address and by account: whoever guesses is slowed down, then locked out for a while.
//!
//! An account counts whether it exists or not, and whoever is locked out hears the same whatever the password: nobody learns
//! here which accounts there are. An address from which the account was used before is not kept out of it by what others do.
//! Nothing is written down: a restart forgets it all.

use crate::net::{Levels, client_key};
use ipnet::IpNet;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Failures that one address may have at once; then one each [`FADE`].
const ADDRESS_FAILURES: f64 = 10.0;
/// The same for one account, over all addresses that it was never used from.
const ACCOUNT_FAILURES: f64 = 20.0;
/// The time in which one failure fades.
const FADE: Duration = Duration::from_secs(60);
/// The time in which an address is forgotten that an account was used from.
const REMEMBER: Duration = Duration::from_secs(30 * 86_400);
/// The pause before the first failure is answered; each further one doubles it.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(8);

/// What is remembered. Bounded, whoever comes.
#[derive(Default)]
pub struct Guesses {
    memory: Mutex<Memory>,
    /// A name may be as long as a line, so only its hash is kept; and nobody can choose names with equal ones.
    names: RandomState,
}

#[derive(Default)]
struct Memory {
    addresses: Levels<IpNet>,
    accounts: Levels<u64>,
    used_from: Levels<(u64, IpNet)>,
}

impl Guesses {
    /// Whether this address may try this account now.
    pub fn may_try(&self, address: IpAddr, account: &str, now: Instant) -> bool {
        self.memory().may_try(client_key(address), self.names.hash_one(account), now)
    }

    /// Counts a failure. Its answer has to wait so long from the moment at which the login began. `None`: while it was looked into,
    /// others have failed so often that nobody is to learn of this one.
    pub fn failed(&self, address: IpAddr, account: &str, now: Instant) -> Option<Duration> {
        let mut memory = self.memory();
        let (key, account) = (client_key(address), self.names.hash_one(account));
        if !memory.may_try(key, account, now) {
            return None;
        }
        memory.accounts.add(account, FADE, now);
        let failures = memory.addresses.add(key, FADE, now);
        Some(PAUSE.mul_f64((failures.floor() - 1.0).clamp(0.0, 8.0).exp2()).min(PAUSE_MAX))
    }

    /// Remembers that the account was used from there.
    pub fn succeeded(&self, address: IpAddr, account: &str, now: Instant) {
        let mut memory = self.memory();
        let key = (self.names.hash_one(account), client_key(address));
        memory.used_from.forget(&key);
        memory.used_from.add(key, REMEMBER, now);
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn may_try(&self, address: IpNet, account: u64, now: Instant) -> bool {
        if self.addresses.level(&address, FADE, now) + 1.0 > ADDRESS_FAILURES {
            return false;
        }
        let is_known = self.used_from.level(&(account, address), REMEMBER, now) > 0.0;
        is_known || self.accounts.level(&account, FADE, now) + 1.0 <= ACCOUNT_FAILURES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn address(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
    }

    #[test]
    fn an_address_is_slowed_then_locked_out_and_then_forgiven() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        let pauses: Vec<u64> = (0..10).map(|_| guesses.failed(address(1), "alice", now).unwrap().as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 8, 8, 8, 8, 8, 8]);
        assert!(!guesses.may_try(address(1), "bob", now));
        assert_eq!(guesses.failed(address(1), "alice", now), None, "one that began before");
        assert!(guesses.may_try(address(2), "alice", now));
        assert!(guesses.may_try(address(1), "bob", now + FADE + Duration::from_secs(1)));
    }

    #[test]
    fn an_account_is_locked_but_not_to_its_owner() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        guesses.succeeded(address(200), "alice", now);
        for account in ["alice", "nobody"] {
            for last in 1..=20 {
                guesses.failed(address(last), account, now);
            }
            assert!(!guesses.may_try(address(100), account, now), "{account}");
        }
        assert!(guesses.may_try(address(200), "alice", now));
        assert!(!guesses.may_try(address(200), "nobody", now));
        assert!(guesses.may_try(address(100), "carol", now));
    }
}
