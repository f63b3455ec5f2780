//! How many sessions a peer gets at once, and how often it is given a message. Pure: `now` is an argument.
//!
//! The window begins at [`START`] and follows the peer: it widens by one when a whole window of successes has come together, and
//! each failure narrows it by one, so that a peer at its limit refuses one session of that many
//! (Postfix, SCHEDULER_README). When [`START`] sessions fail in a row, and none works, the peer counts as dead: nothing is tried
//! for a while, then one session probes it. A rate spreads messages evenly; the time of the next one is all that has to be remembered of it.

use postern_schema::site::Rate;
use std::time::Duration;

/// Sessions at once towards a peer of which nothing is known (`initial_destination_concurrency`).
const START: u32 = 5;
/// The most sessions at once where the site does not say (`default_destination_concurrency_limit`).
pub const CAP: u32 = 20;
/// How long a dead peer is left alone where the site does not try again sooner (`transport_retry_time`).
const REST: Duration = Duration::from_secs(60);

/// What the site demands of the way a peer is treated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The most sessions at once; `None`: [`CAP`].
    pub concurrency: Option<u32>,
    /// The most messages in a time.
    pub rate: Option<Rate>,
    /// How long the peer is left alone after it said not now.
    pub pause_after_defer: Option<Duration>,
    /// How long a dead peer is left alone.
    pub rest: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { concurrency: None, rate: None, pause_after_defer: None, rest: REST }
    }
}

impl Limits {
    /// Those of a site whose first pause is this long: a dead peer is not left alone for longer.
    pub fn of_retry(retry: Duration) -> Limits {
        Limits { rest: REST.min(retry), ..Limits::default() }
    }
}

/// Whether something may begin now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// It may, and is counted.
    Go,
    /// Not before somebody else ends.
    Full,
    /// Not before this time, in milliseconds since the epoch.
    NotBefore(u64),
    /// Not before this time either, and what waits for the peer need not wait here: it is dead.
    Dead(u64),
}

/// What is known of one peer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Throttle {
    window: u32,
    /// Successes since it moved.
    successes: u32,
    sessions: u32,
    /// Those of them that have carried a message.
    working: u32,
    /// Failures since the last success.
    failures: u32,
    dead_until_ms: u64,
    next_message_ms: u64,
}

impl Default for Throttle {
    fn default() -> Throttle {
        Throttle { window: START, successes: 0, sessions: 0, working: 0, failures: 0, dead_until_ms: 0, next_message_ms: 0 }
    }
}

impl Throttle {
    /// Asks for one more session.
    pub fn open(&mut self, limits: &Limits, now_ms: u64) -> Admission {
        if self.is_dead() {
            // The rest is over: one session finds out.
            // A rest that is longer than a rest can be comes from a clock that was wrong.
            let rests = now_ms < self.dead_until_ms && self.dead_until_ms - now_ms <= limits.rest.as_millis() as u64;
            return match (rests, self.sessions) {
                (true, _) => Admission::Dead(self.dead_until_ms),
                (false, 0) => self.admit(),
                (false, _) => Admission::Full,
            };
        }
        if self.sessions >= self.limit(limits) { Admission::Full } else { self.admit() }
    }

    fn admit(&mut self) -> Admission {
        self.sessions += 1;
        Admission::Go
    }

    /// Asks for one more message.
    pub fn send(&mut self, limits: &Limits, now_ms: u64) -> Admission {
        let spacing_ms = limits.rate.map_or(0, |Rate { count, per }| per.as_millis() as u64 / count.max(1));
        let longest_ms = spacing_ms.max(limits.pause_after_defer.map_or(0, |pause| pause.as_millis() as u64));
        // A pause that is longer than any that the site demands comes from a clock that was wrong, or from another site.
        if self.next_message_ms > now_ms + longest_ms {
            self.next_message_ms = now_ms;
        }
        if now_ms < self.next_message_ms {
            return Admission::NotBefore(self.next_message_ms);
        }
        if spacing_ms > 0 {
            // The time that was, not the time that is: what a timer comes late by is not lost.
            let due_ms = if now_ms - self.next_message_ms < spacing_ms { self.next_message_ms } else { now_ms };
            self.next_message_ms = due_ms + spacing_ms;
        }
        Admission::Go
    }

    /// A session is over; it had carried a message or not.
    pub fn close(&mut self, has_worked: bool) {
        self.sessions = self.sessions.saturating_sub(1);
        self.working = self.working.saturating_sub(has_worked.into());
    }

    /// A message was taken, or refused for good: the peer works. Whether it is the first of its session.
    pub fn succeeded(&mut self, limits: &Limits, is_first: bool) {
        self.failures = 0;
        self.dead_until_ms = 0;
        self.working += u32::from(is_first);
        // Only a window that is used says something about a wider one.
        if self.sessions >= self.window && self.window < limits.concurrency.unwrap_or(CAP) {
            self.successes += 1;
            if self.successes >= self.window {
                (self.window, self.successes) = (self.window + 1, 0);
            }
        }
    }

    /// The peer took a session but no message, for now.
    pub fn deferred(&mut self, limits: &Limits, now_ms: u64) {
        if let Some(pause) = limits.pause_after_defer {
            self.next_message_ms = self.next_message_ms.max(now_ms + pause.as_millis() as u64);
        }
    }

    /// A session could not be had, or broke. Says whether the peer is dead now.
    pub fn failed(&mut self, limits: &Limits, now_ms: u64) -> bool {
        self.failures += 1;
        self.successes = 0;
        self.window = (self.window - 1).max(1);
        if self.working == 0 && (self.is_dead() || self.failures >= START) {
            self.dead_until_ms = now_ms + limits.rest.as_millis() as u64;
            self.window = START;
        }
        self.is_dead()
    }

    fn is_dead(&self) -> bool {
        self.dead_until_ms > 0
    }

    /// How many sessions there may be.
    pub fn limit(&self, limits: &Limits) -> u32 {
        self.window.min(limits.concurrency.unwrap_or(CAP)).max(1)
    }

    /// How many there are.
    pub fn sessions(&self) -> u32 {
        self.sessions
    }

    /// When the next message may begin, in milliseconds since the epoch; a time that is past: at once.
    pub fn next_message_ms(&self) -> u64 {
        self.next_message_ms
    }

    /// Until when it is left alone; `None`: it is not dead.
    pub fn dead_until_ms(&self) -> Option<u64> {
        self.is_dead().then_some(self.dead_until_ms)
    }

    /// Goes on where another process stopped.
    pub fn resume(&mut self, next_message_ms: u64) {
        self.next_message_ms = self.next_message_ms.max(next_message_ms);
    }

    /// The peer may live again.
    pub fn revive(&mut self) {
        self.dead_until_ms = 0;
        self.failures = 0;
    }

    /// Whether it says no more than a new one would.
    pub fn is_forgettable(&self, now_ms: u64) -> bool {
        self.sessions == 0 && self.next_message_ms <= now_ms && self.dead_until_ms <= now_ms
    }
}

#[cfg(test)]
mod tests;
