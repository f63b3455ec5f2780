//! The window, the rate, and death, by the numbers.

use super::*;

const NONE: Limits = Limits { concurrency: None, rate: None, pause_after_defer: None, rest: REST };
const REST_MS: u64 = 60_000;

/// Opens sessions until no more are given.
fn open_all(throttle: &mut Throttle, limits: &Limits) -> u32 {
    while throttle.open(limits, 0) == Admission::Go {}
    throttle.sessions()
}

#[test]
fn a_new_peer_gets_five_sessions_and_a_good_one_twenty() {
    let mut throttle = Throttle::default();
    assert_eq!(open_all(&mut throttle, &NONE), 5);
    let mut successes = 0;
    while throttle.limit(&NONE) < CAP {
        open_all(&mut throttle, &NONE);
        throttle.succeeded(&NONE, false);
        successes += 1;
    }
    // One window of successes for each step from 5 to 20.
    assert!((150..250).contains(&successes), "{successes}");
    (0..1000).for_each(|_| throttle.succeeded(&NONE, false));
    assert_eq!(open_all(&mut throttle, &NONE), CAP);
}

#[test]
fn a_peer_that_is_hardly_used_gets_no_wider_window() {
    let mut throttle = Throttle::default();
    assert_eq!(throttle.open(&NONE, 0), Admission::Go);
    (0..1000).for_each(|_| throttle.succeeded(&NONE, false));
    assert_eq!(throttle.limit(&NONE), 5);
}

#[test]
fn the_site_sets_the_cap() {
    let limits = Limits { concurrency: Some(2), ..NONE };
    assert_eq!(open_all(&mut Throttle::default(), &limits), 2);
}

#[test]
fn five_failures_in_a_row_are_death_and_one_session_probes() {
    let mut throttle = Throttle::default();
    assert_eq!(open_all(&mut throttle, &NONE), 5);
    let mut failures = 0;
    while !throttle.failed(&NONE, 1000) {
        failures += 1;
    }
    assert_eq!(failures, 4, "before the last");
    (0..5).for_each(|_| throttle.close(false));
    let over = 1000 + REST_MS;
    assert_eq!(throttle.open(&NONE, over - 1), Admission::Dead(over));
    assert_eq!(throttle.open(&NONE, over), Admission::Go, "the probe");
    assert_eq!(throttle.open(&NONE, over), Admission::Full, "and no second one");
    throttle.failed(&NONE, over);
    throttle.close(false);
    assert_eq!(throttle.open(&NONE, over + 1), Admission::Dead(over + REST_MS));
    assert_eq!(throttle.open(&NONE, over + REST_MS), Admission::Go);
    throttle.succeeded(&NONE, false);
    assert_eq!(throttle.open(&NONE, over + REST_MS), Admission::Go, "it lives");
}

#[test]
fn a_peer_with_a_session_that_works_is_not_dead() {
    let mut throttle = Throttle::default();
    open_all(&mut throttle, &NONE);
    throttle.succeeded(&NONE, true);
    (0..100).for_each(|_| assert!(!throttle.failed(&NONE, 0)));
    assert_eq!(throttle.limit(&NONE), 1);
    throttle.close(true);
    assert!(throttle.failed(&NONE, 0));
}

#[test]
fn a_success_between_failures_keeps_it_alive() {
    let mut throttle = Throttle::default();
    for _ in 0..1000 {
        assert!(!throttle.failed(&NONE, 0));
        throttle.succeeded(&NONE, false);
    }
}

#[test]
fn a_rate_spreads_messages_and_survives_a_restart() {
    let limits = Limits { rate: Some(Rate { count: 100, per: Duration::from_secs(60) }), ..NONE };
    let (mut throttle, mut now, mut sent) = (Throttle::default(), 1_000_000, 0);
    while now < 1_060_000 {
        match throttle.send(&limits, now) {
            Admission::Go => sent += 1,
            // A timer that is late by a millisecond.
            Admission::NotBefore(at) => now = at + 1,
            other => panic!("{other:?}"),
        }
        if sent == 50 {
            let next = throttle.next_message_ms();
            throttle = Throttle::default();
            throttle.resume(next);
        }
    }
    assert!((99..=101).contains(&sent), "{sent} in a minute");
}

#[test]
fn a_peer_that_said_not_now_is_left_alone() {
    let limits = Limits { pause_after_defer: Some(Duration::from_secs(30)), ..NONE };
    let mut throttle = Throttle::default();
    assert_eq!(throttle.send(&limits, 5), Admission::Go);
    throttle.deferred(&limits, 10);
    assert_eq!(throttle.send(&limits, 11), Admission::NotBefore(30_010));
    assert_eq!(throttle.send(&limits, 30_010), Admission::Go);
}

/// A peer that serves so many sessions at once, of 300 ms each, and the throttle in front of it, in simulated time. Says the
/// window and the share of sessions that were refused, once it has settled.
fn simulate(capacity: u32, limits: &Limits) -> (u32, f64) {
    let mut throttle = Throttle::default();
    let (mut ends, mut now, mut refused, mut tried) = (std::collections::VecDeque::new(), 0u64, 0u32, 0u32);
    for step in 0..20_000 {
        now += 10;
        while ends.front().is_some_and(|end| *end <= now) {
            ends.pop_front();
            throttle.succeeded(limits, true);
            throttle.close(true);
        }
        while throttle.open(limits, now) == Admission::Go {
            let counts = step >= 10_000;
            tried += u32::from(counts);
            if ends.len() as u32 >= capacity {
                refused += u32::from(counts);
                throttle.failed(limits, now);
                throttle.close(false);
                break;
            }
            ends.push_back(now + 300);
        }
    }
    (throttle.limit(limits), f64::from(refused) / f64::from(tried.max(1)))
}

#[test]
fn the_window_finds_what_a_peer_can_bear() {
    let (window, refused) = simulate(8, &NONE);
    assert!((7..=10).contains(&window), "{window}");
    assert!(refused < 0.15, "{refused}");
    assert_eq!(simulate(100, &NONE), (CAP, 0.0));
    let (window, refused) = simulate(2, &NONE);
    assert!(window <= 5 && refused < 0.5, "{window}, {refused}");
}

#[test]
fn a_clock_that_was_wrong_stops_nobody() {
    const DAY_MS: u64 = 86_400_000;
    let limits = Limits {
        rate: Some(Rate { count: 60, per: Duration::from_secs(3600) }),
        pause_after_defer: Some(Duration::from_secs(600)),
        ..Limits::default()
    };
    let mut throttle = Throttle::default();
    // The clock is a day ahead, and set right after that.
    assert_eq!(throttle.send(&limits, 2 * DAY_MS), Admission::Go);
    throttle.deferred(&limits, 2 * DAY_MS);
    assert_eq!(throttle.send(&limits, DAY_MS), Admission::Go);
    assert_eq!(throttle.send(&limits, DAY_MS), Admission::NotBefore(DAY_MS + 60_000), "the rate holds from then on");
    let mut throttle = Throttle::default();
    while !throttle.failed(&limits, 2 * DAY_MS) {}
    assert!(matches!(throttle.open(&limits, 2 * DAY_MS), Admission::Dead(_)));
    assert_eq!(throttle.open(&limits, DAY_MS), Admission::Go, "one session finds out");
    // Forward: whatever waited is over.
    let mut throttle = Throttle::default();
    assert_eq!(throttle.send(&limits, DAY_MS), Admission::Go);
    assert_eq!(throttle.send(&limits, 2 * DAY_MS), Admission::Go);
}

#[test]
fn a_new_rate_holds_at_once() {
    let rate = |count| Limits { rate: Some(Rate { count, per: Duration::from_secs(3600) }), ..Limits::default() };
    let mut throttle = Throttle::default();
    assert_eq!(throttle.send(&rate(1), 1_000_000_000), Admission::Go);
    assert_eq!(throttle.send(&rate(1), 1_000_001_000), Admission::NotBefore(1_003_600_000));
    // A reload allows one a second.
    assert_eq!(throttle.send(&rate(3600), 1_000_001_000), Admission::Go);
}
