//! Points that a client collects by what goes wrong with it, and that fade by half in the time that the site names. Nothing is
//! counted while its mail is deferred for them, so whoever stops recovers. Lost at a restart, and bounded.

use super::Recent;
use crate::net::client_key;
use ipnet::IpNet;
use postern_schema::decide::{Reason, ReputationFact};
use postern_schema::site::{Check, Reputation, Site};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// For a command that is wrong.
pub const ERROR: f64 = 1.0;
/// For talking before the greeting.
pub const EARLY: f64 = 4.0;

/// See the module.
#[derive(Default)]
pub struct Reputations(Mutex<Recent<IpNet, Points>>);

#[derive(Clone, Copy)]
struct Points {
    amount: f64,
    at: Instant,
}

impl Points {
    fn faded(self, halflife: Duration, now: Instant) -> f64 {
        let halves = now.saturating_duration_since(self.at).as_secs_f64() / halflife.as_secs_f64().max(1.0);
        self.amount * (-halves).exp2()
    }
}

/// What a refusal counts: guesses at addresses and attempts to relay more than slips, what somebody else calls spam most.
fn weight(reason: Reason) -> f64 {
    match reason {
        Reason::UnknownMailbox | Reason::NullMxDomain => 2.0,
        Reason::SenderDomainNonexistent | Reason::SenderDomainNullMx | Reason::HeloNotFqdn => 1.0,
        Reason::RelayDenied | Reason::SpfFailed | Reason::DmarcFailed | Reason::ClientListed => 4.0,
        _ => 0.0,
    }
}

impl Reputations {
    fn points(&self) -> MutexGuard<'_, Recent<IpNet, Points>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what a decision says of a stranger.
    pub fn decided(&self, client: IpAddr, reason: Reason, site: &Site, now: Instant) {
        self.blame(client, weight(reason), site, now);
    }

    /// Counts so many points against a client, where the site counts any, and the client is not spared.
    pub fn blame(&self, client: IpAddr, points: f64, site: &Site, now: Instant) {
        let Some(Reputation { halflife, .. }) = site.screen.reputation else { return };
        if points == 0.0 || super::is_spared(client, Check::Reputation, site) {
            return;
        }
        let (key, mut known) = (client_key(client), self.points());
        let amount = known.find(&key).map_or(0.0, |points| points.faded(halflife, now)) + points;
        known.note(key, Points { amount, at: now });
    }

    /// The fact behind [`postern_schema::decide::Need::Reputation`].
    pub fn fact(&self, client: IpAddr, site: &Site, now: Instant) -> ReputationFact {
        let Some(Reputation { halflife, limit, .. }) = site.screen.reputation else { return ReputationFact::Good };
        let points = self.points().find(&client_key(client)).map_or(0.0, |points| points.faded(halflife, now));
        if points >= f64::from(limit) { ReputationFact::Poor } else { ReputationFact::Good }
    }

    /// How many clients have points.
    pub fn known(&self) -> usize {
        self.points().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn points_fade_by_half() {
        let now = Instant::now();
        let points = Points { amount: 40.0, at: now };
        assert_eq!(points.faded(HOUR, now), 40.0);
        assert_eq!(points.faded(HOUR, now + HOUR), 20.0);
        assert_eq!(points.faded(HOUR, now + 3 * HOUR), 5.0);
        assert!(points.faded(Duration::ZERO, now + HOUR) < 0.001, "a time of zero does not divide by it");
    }

    #[test]
    fn a_refusal_that_follows_from_points_adds_none() {
        assert_eq!(weight(Reason::PoorReputation), 0.0);
        assert_eq!(weight(Reason::Greylisted), 0.0);
        assert!(weight(Reason::UnknownMailbox) > 0.0);
    }
}
