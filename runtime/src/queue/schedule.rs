//! When the next attempt is, and when to give up (RFC 5321 4.5.4.1). Pure: `now` is an argument, and what spreads the attempts
//! of many messages is computed from their ids. The deliverer asks after each attempt that failed.

use super::envelope::Envelope;
use postern_schema::name::ReversePath;
use postern_schema::reply::Reply;
use postern_schema::site::QueuePolicy;
use std::time::Duration;

/// Pauses are made longer or shorter by up to this part of them, in thousandths.
const JITTER_PER_MILLE: u64 = 100;

/// The least pauses after the first refusals of a greylist, most of which open after five minutes.
const GREYLIST_PAUSES: [Duration; 2] = [Duration::from_secs(6 * 60), Duration::from_secs(15 * 60)];

/// What follows a failed attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Another one, not before this time (milliseconds since the epoch).
    Retry {
        /// When.
        at_ms: u64,
    },
    /// Nothing: the message was in the queue for its whole lifetime.
    Expired,
}

/// Says what follows a failed attempt: `attempts` of them so far for this recipient, this one included.
///
/// The last attempt is made when the lifetime ends, not up to one pause earlier.
pub fn after_failure(policy: &QueuePolicy, envelope: &Envelope, attempts: u16, reply: &Reply, now_ms: u64) -> Next {
    let expiry_ms = expiry_ms(policy, envelope);
    if now_ms >= expiry_ms {
        return Next::Expired;
    }
    let spread = jittered(policy.pause(attempts), envelope.id.number(), attempts);
    let least = GREYLIST_PAUSES.get(usize::from(attempts.max(1)) - 1).copied().filter(|_| is_greylisting(reply));
    let pause_ms = millis(spread.max(least.unwrap_or_default()));
    Next::Retry { at_ms: now_ms.saturating_add(pause_ms).min(expiry_ms) }
}

/// From when on a time lies so far ahead that no pause leads there: it comes from a clock that was wrong, and counts as past.
pub fn too_far_ms(policy: &QueuePolicy, now_ms: u64) -> u64 {
    const SLACK: Duration = Duration::from_secs(24 * 3600);
    now_ms.saturating_add(millis(policy.retry_cap.max(policy.retry).saturating_mul(2).saturating_add(SLACK)))
}

/// Whether a host says that it does not know us yet.
fn is_greylisting(reply: &Reply) -> bool {
    let text = reply.text.to_ascii_lowercase();
    reply.code.is_transient() && ["greylist", "graylist", "grey-list", "gray-list"].iter().any(|word| text.contains(word))
}

/// When the sender of a message is told that it takes long; `None`: never.
pub fn warning_ms(policy: &QueuePolicy, envelope: &Envelope) -> Option<u64> {
    let is_wanted = !policy.warn_after.is_zero() && envelope.reverse_path != ReversePath::Null;
    is_wanted.then(|| envelope.arrival_ms.saturating_add(millis(policy.warn_after)))
}

/// When the message's time is over; a bounce has a lifetime of its own.
pub fn expiry_ms(policy: &QueuePolicy, envelope: &Envelope) -> u64 {
    let lifetime = match envelope.reverse_path {
        ReversePath::Null => policy.bounce_lifetime,
        ReversePath::Mailbox(_) => policy.lifetime,
    };
    envelope.arrival_ms.saturating_add(millis(lifetime))
}

/// Spreads a pause by up to [`JITTER_PER_MILLE`] either way, always the same for the same message and attempt: messages that
/// failed together do not come back together.
fn jittered(pause: Duration, id: u64, attempts: u16) -> Duration {
    let spread = mix(id ^ u64::from(attempts) << 48) % (2 * JITTER_PER_MILLE + 1);
    let per_mille = 1000 - JITTER_PER_MILLE + spread;
    Duration::from_millis((u128::from(millis(pause)) * u128::from(per_mille) / 1000) as u64).max(QueuePolicy::PAUSE_MIN)
}

/// The finalizer of SplitMix64: neighbours end far apart.
fn mix(mut value: u64) -> u64 {
    value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Capped at some hundred thousand years, so that sums and products of it stay in range.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).min(1 << 53)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::envelope::{Generation, Recipient};
    use crate::queue::id::QueueId;
    use postern_schema::name::Mailbox;
    use proptest::prelude::*;

    const ARRIVAL: u64 = 1_795_285_000_000;
    const HOUR_MS: u64 = 3_600_000;
    const LATER: Reply = Reply::LOCAL_ERROR;

    fn envelope(sender: &str, id: u64) -> Envelope {
        let address = Mailbox::parse("bob@example.net").unwrap();
        Envelope {
            id: QueueId::from_number(id),
            arrival_ms: ARRIVAL,
            reverse_path: ReversePath::parse(sender).unwrap(),
            recipients: vec![Recipient { address, given: None, notify: None, orcpt: None, sent_as: Default::default() }].into(),
            smtp_utf8: false,
            eight_bit: false,
            tls_wish: Default::default(),
            ret: None,
            envid: None,
            client: None,
            generation: Generation(0),
            body_octets: 0,
            body_file: None,
        }
    }

    /// The times of all attempts when every one fails, the first at arrival.
    fn attempts(policy: &QueuePolicy, envelope: &Envelope) -> Vec<u64> {
        let mut times = vec![envelope.arrival_ms];
        // The count of a recipient stops at its limit, and the attempts go on.
        let count = |times: &[u64]| u16::try_from(times.len()).unwrap_or(u16::MAX);
        while let Next::Retry { at_ms } = after_failure(policy, envelope, count(&times), &LATER, times[times.len() - 1]) {
            times.push(at_ms);
        }
        times
    }

    #[test]
    fn pauses_double_up_to_the_cap() {
        let policy = QueuePolicy::default();
        let seconds: Vec<u64> = (1..8).map(|n| policy.pause(n).as_secs()).collect();
        assert_eq!(seconds, [300, 600, 1200, 2400, 4800, 7200, 7200]);
        assert_eq!(policy.pause(u16::MAX).as_secs(), 7200);
    }

    /// Run with `--nocapture` to see them.
    #[test]
    fn the_times_of_attempts() {
        let greylisted = Reply::local_trouble("4.7.1 Greylisted, try again later".to_owned());
        for (what, sender, reply) in
            [("plain refusals", "a@b.c", &LATER), ("a greylist", "a@b.c", &greylisted), ("a bounce", "", &LATER)]
        {
            let (policy, envelope) = (QueuePolicy::default(), envelope(sender, 3));
            let mut times = vec![ARRIVAL];
            while let Next::Retry { at_ms } = after_failure(&policy, &envelope, times.len() as u16, reply, times[times.len() - 1])
            {
                times.push(at_ms);
            }
            let minutes: Vec<u64> = times.iter().map(|at| (at - ARRIVAL) / 60_000).collect();
            let (first, last) = (&minutes[..7], minutes[minutes.len() - 1]);
            eprintln!(
                "simulation: {what}: attempts after {first:?} … minutes, {} in all, the last after {} h",
                minutes.len(),
                last / 60
            );
            assert_eq!(last, if sender.is_empty() { 24 * 60 } else { 5 * 24 * 60 });
            assert!(what != "a greylist" || (minutes[1] == 6 && (20..=23).contains(&minutes[2])), "{minutes:?}");
        }
    }

    #[test]
    fn odd_policies_still_pause() {
        let zero = Duration::ZERO;
        let policy = QueuePolicy { retry: zero, retry_cap: zero, factor_percent: 0, ..QueuePolicy::default() };
        assert_eq!(policy.pause(9), QueuePolicy::PAUSE_MIN);
        let policy = QueuePolicy { retry_cap: Duration::MAX, factor_percent: u32::MAX, ..QueuePolicy::default() };
        assert!(policy.pause(u16::MAX) > Duration::from_secs(1 << 40));
        assert!(matches!(after_failure(&policy, &envelope("a@b.c", 1), u16::MAX, &LATER, ARRIVAL), Next::Retry { .. }));
    }

    #[test]
    fn a_bounce_is_given_up_after_a_day_and_mail_after_five() {
        let policy = QueuePolicy::default();
        for (sender, days) in [("", 1), ("alice@example.com", 5)] {
            let times = attempts(&policy, &envelope(sender, 77));
            assert_eq!(times.last(), Some(&(ARRIVAL + days * 24 * HOUR_MS)), "the last attempt is at the very end");
            assert!(times.len() as u64 > days * 12, "{} attempts", times.len());
            // RFC 5321 4.5.4.1: two attempts in the first hour are what a sender may expect.
            assert!(times.iter().filter(|at| **at < ARRIVAL + HOUR_MS).count() >= 2);
        }
    }

    #[test]
    fn a_greylist_is_asked_again_once_it_is_open() {
        let greylisted = Reply::local_trouble("4.7.1 Greylisted, try again later".to_owned());
        let minutes = |attempts: u16, reply: &Reply| {
            let Next::Retry { at_ms } = after_failure(&QueuePolicy::default(), &envelope("a@b.c", 5), attempts, reply, ARRIVAL)
            else {
                panic!()
            };
            (at_ms - ARRIVAL) / 60_000
        };
        assert_eq!((minutes(1, &greylisted), minutes(2, &greylisted)), (6, 15));
        assert!(minutes(1, &LATER) < 6);
    }

    #[test]
    fn a_bounce_is_never_late() {
        let policy = QueuePolicy::default();
        assert_eq!(warning_ms(&policy, &envelope("", 1)), None);
        assert_eq!(warning_ms(&policy, &envelope("a@b.c", 1)), Some(ARRIVAL + 4 * HOUR_MS));
    }

    #[test]
    fn a_message_without_lifetime_is_tried_once() {
        let policy = QueuePolicy { lifetime: Duration::ZERO, ..QueuePolicy::default() };
        assert_eq!(after_failure(&policy, &envelope("a@b.c", 1), 1, &LATER, ARRIVAL), Next::Expired);
    }

    #[test]
    fn no_pause_leads_too_far() {
        let policy = QueuePolicy::default();
        for attempts in [1, 5, 100, u16::MAX] {
            let next = after_failure(&policy, &envelope("a@b.c", 9), attempts, &LATER, ARRIVAL);
            assert!(matches!(next, Next::Retry { at_ms } if at_ms < too_far_ms(&policy, ARRIVAL)));
        }
        // The clock was a week ahead when the attempt was made.
        let week = 7 * 24 * HOUR_MS;
        let ahead = Envelope { arrival_ms: ARRIVAL + week, ..envelope("a@b.c", 9) };
        let Next::Retry { at_ms } = after_failure(&policy, &ahead, 1, &LATER, ARRIVAL + week) else { panic!() };
        assert!(at_ms > too_far_ms(&policy, ARRIVAL));
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_stop_the_attempts() {
        let policy = QueuePolicy::default();
        let Next::Retry { at_ms } = after_failure(&policy, &envelope("a@b.c", 1), 1, &LATER, ARRIVAL - 24 * HOUR_MS) else {
            panic!()
        };
        assert!(at_ms < ARRIVAL - 23 * HOUR_MS);
    }

    proptest! {
        #[test]
        fn every_message_comes_back_later_and_ends(
            id in any::<u64>(), retry in 0u64..100_000, cap in 0u64..100_000, factor in 0u32..1000, lifetime in 0u64..600_000,
        ) {
            let policy = QueuePolicy {
                retry: Duration::from_secs(retry),
                retry_cap: Duration::from_secs(cap),
                factor_percent: factor,
                lifetime: Duration::from_secs(lifetime.min(1000 * cap.max(1))),
                ..QueuePolicy::default()
            };
            let envelope = envelope("alice@example.com", id);
            let times = attempts(&policy, &envelope);
            prop_assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert_eq!(times[times.len() - 1], expiry_ms(&policy, &envelope));
            prop_assert_eq!(&times, &attempts(&policy, &envelope), "no randomness");
        }

        #[test]
        fn pauses_are_spread_by_a_tenth_at_most(id in any::<u64>(), attempts in 1u16..200) {
            let policy = QueuePolicy { lifetime: Duration::from_secs(1 << 30), ..QueuePolicy::default() };
            let plain = millis(policy.pause(attempts));
            let Next::Retry { at_ms } = after_failure(&policy, &envelope("a@b.c", id), attempts, &LATER, ARRIVAL) else { panic!() };
            let real = at_ms - ARRIVAL;
            prop_assert!(real >= plain * 9 / 10 && real <= plain * 11 / 10, "{} for {}", real, plain);
        }
    }

    #[test]
    fn messages_that_failed_together_come_back_apart() {
        let policy = QueuePolicy::default();
        let at = |id: u64| match after_failure(&policy, &envelope("a@b.c", id << 10), 1, &LATER, ARRIVAL) {
            Next::Retry { at_ms } => at_ms,
            Next::Expired => panic!(),
        };
        let mut times: Vec<u64> = (0..1000).map(at).collect();
        times.sort_unstable();
        let mean = times.iter().map(|at| at - ARRIVAL).sum::<u64>() / 1000;
        assert!((295_000..305_000).contains(&mean), "{mean}");
        times.dedup();
        assert!(times.len() > 190, "only {} different times", times.len());
    }
}
