//! How long a client may take. It may be silent for a while at any point, but what it sends has to come at a least rate too, or
//! it could hold a session for ever with one octet every few minutes.

use crate::rehearsal::patience;
use std::time::{Duration, Instant};

/// The least rate, in octets a second, beyond what is free.
const RATE_OCTETS: u64 = 500;
/// How long a client may be silent (RFC 5321 4.5.3.2.7 wants five minutes at least).
const SILENCE: Duration = Duration::from_secs(300);

/// A stretch of a session that has to end.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    deadline: Instant,
}

impl Pace {
    /// Begins now; so long costs nothing.
    pub fn begin(now: Instant, free: Duration) -> Pace {
        Pace { deadline: now + free }
    }

    /// So many octets came.
    pub fn took(&mut self, octets: usize) {
        self.deadline += Duration::from_millis(octets as u64 * 1000 / RATE_OCTETS);
    }

    /// Until when the next octet has to be there.
    pub fn patience(&self, now: Instant) -> Instant {
        self.deadline.min(now + patience(SILENCE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_and_slowness_have_an_end() {
        let now = Instant::now();
        let minute = Duration::from_secs(60);
        let mut pace = Pace::begin(now, minute);
        assert_eq!(pace.patience(now), now + minute);
        // A minute's worth at the least rate.
        pace.took(30_000);
        assert_eq!(pace.patience(now), now + 2 * minute);
        pace.took(1 << 20);
        assert_eq!(pace.patience(now), now + SILENCE);
    }
}
