//! How many notices go to strangers. The sender of a message that nobody has logged in for may be forged, so a notice about it
//! may reach somebody who never wrote (RFC 5321 6.2). A few are owed; a flood is an attack on others by way of us, so it is
//! slowed down, and nobody's notice is lost.

use crate::queue::Envelope;
use postern_schema::site::Site;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many may go at once.
const BURST: u32 = 100;
/// And one more each time that this has passed.
const PAUSE: Duration = Duration::from_secs(1);
/// When one that has to wait is looked at again.
pub const AGAIN: Duration = Duration::from_secs(60);

/// See the module.
#[derive(Debug, Default)]
pub struct Backscatter(Mutex<Option<Instant>>);

impl Backscatter {
    /// Whether one more may go now; it counts then.
    pub fn admit(&self, now: Instant) -> bool {
        let mut spent_until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What has gone is paid off by time: the debt may be as large as the burst.
        let debt = spent_until.unwrap_or(now).max(now);
        let fits = debt + PAUSE <= now + PAUSE * BURST;
        if fits {
            *spent_until = Some(debt + PAUSE);
        }
        fits
    }
}

/// Whether the sender of a message is nobody that we know: neither logged in nor in a network that may relay.
pub fn is_of_stranger(envelope: &Envelope, site: &Site) -> bool {
    let is_trusted = |address| site.networks.iter().any(|network| network.relay && network.longest_match(address).is_some());
    envelope.client.as_ref().is_some_and(|client| client.user.is_none() && !is_trusted(client.address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_slowed_to_its_rate() {
        let (backscatter, start) = (Backscatter::default(), Instant::now());
        let admitted = |at| (0..1000).filter(|_| backscatter.admit(at)).count();
        assert_eq!(admitted(start), 100);
        assert_eq!(admitted(start + Duration::from_secs(10)), 10);
        assert_eq!(admitted(start + Duration::from_secs(3600)), 100);
    }
}
