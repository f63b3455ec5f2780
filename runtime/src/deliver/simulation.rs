//! Many destinations, many senders, one of each that behaves badly, and a clock that is no clock: who waits for whom, in numbers. The
//! parts are those of the daemon ([`FairQueue`], [`Throttle`]) put together as the lanes and [`super::peers`] put them together; what
//! is made up is the other side. The figures are printed; run with `--nocapture` to see them.

use super::fair::FairQueue;
use super::throttle::{Admission, Limits, Throttle};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Sessions towards everybody, as in [`super::peers`]: the second one to a peer is had while half of them are free.
const SESSIONS_MAX: usize = 1000;

/// How the other side behaves.
#[derive(Clone, Copy, Debug)]
enum Behaviour {
    /// Takes so long for a message, in so many sessions; further ones are refused at once.
    Takes { ms: u64, sessions: u32 },
    /// Does not answer within so long.
    Silent { ms: u64 },
}

/// One message for one destination.
#[derive(Clone, Copy, Debug)]
struct Job {
    arrival_ms: u64,
    is_watched: bool,
}

struct Destination {
    behaviour: Behaviour,
    ready: FairQueue<u32, Job>,
    throttle: Throttle,
    open: u32,
    refusals: u32,
    attempts: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Event {
    Arrive { destination: usize, sender: u32, is_watched: bool },
    Done { destination: usize, arrival_ms: u64, is_watched: bool, is_first: bool, works: bool },
    Pump { destination: usize },
}

struct World {
    now_ms: u64,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    destinations: Vec<Destination>,
    sessions: usize,
    count: u64,
    limits: Limits,
    /// How long the watched ones took.
    took_ms: Vec<u64>,
}

impl World {
    fn new(behaviours: impl IntoIterator<Item = Behaviour>) -> World {
        let destination = |behaviour| Destination {
            behaviour,
            ready: FairQueue::default(),
            throttle: Throttle::default(),
            open: 0,
            refusals: 0,
            attempts: 0,
        };
        World {
            now_ms: 1_000_000,
            events: BinaryHeap::new(),
            destinations: behaviours.into_iter().map(destination).collect(),
            sessions: 0,
            count: 0,
            limits: Limits::default(),
            took_ms: Vec::new(),
        }
    }

    fn at(&mut self, ms: u64, event: Event) {
        self.count += 1;
        self.events.push(Reverse((ms, self.count, event)));
    }

    /// Lets so many milliseconds pass.
    fn run(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        while let Some(Reverse((at, _, _))) = self.events.peek().copied()
            && at <= end
        {
            let Some(Reverse((at, _, event))) = self.events.pop() else { return };
            self.now_ms = at;
            self.take_place(event);
        }
        self.now_ms = end;
    }

    fn take_place(&mut self, event: Event) {
        match event {
            Event::Arrive { destination, sender, is_watched } => {
                let job = Job { arrival_ms: self.now_ms, is_watched };
                self.destinations[destination].ready.push(sender, job);
                self.pump(destination);
            }
            Event::Pump { destination } => self.pump(destination),
            Event::Done { destination, arrival_ms, is_watched, is_first, works } => {
                let to = &mut self.destinations[destination];
                if !works {
                    to.refusals += 1;
                    to.throttle.failed(&self.limits, self.now_ms);
                    // It is tried again, in its turn.
                    to.ready.push(u32::MAX, Job { arrival_ms, is_watched });
                    self.close(destination, false);
                    return self.at(self.now_ms + 1000, Event::Pump { destination });
                }
                if is_watched {
                    self.took_ms.push(self.now_ms - arrival_ms);
                }
                to.throttle.succeeded(&self.limits, is_first);
                let is_surplus = to.throttle.sessions() > to.throttle.limit(&self.limits)
                    || (self.sessions > SESSIONS_MAX / 2 && to.throttle.sessions() > 1);
                if is_surplus || !self.send(destination, false) {
                    self.close(destination, true);
                }
                self.pump(destination);
            }
        }
    }

    fn close(&mut self, destination: usize, has_worked: bool) {
        let to = &mut self.destinations[destination];
        to.throttle.close(has_worked);
        to.open -= 1;
        self.sessions -= 1;
    }

    fn pump(&mut self, destination: usize) {
        loop {
            let to = &mut self.destinations[destination];
            let is_first = to.throttle.sessions() == 0;
            let has_room = self.sessions < if is_first { SESSIONS_MAX } else { SESSIONS_MAX / 2 };
            if to.ready.is_empty() || !has_room {
                return;
            }
            match to.throttle.open(&self.limits, self.now_ms) {
                Admission::Go => {}
                Admission::Dead(until) | Admission::NotBefore(until) => return self.at(until, Event::Pump { destination }),
                Admission::Full => return,
            }
            let to = &mut self.destinations[destination];
            to.open += 1;
            self.sessions += 1;
            self.send(destination, true);
        }
    }

    /// Begins with the next message of a session.
    fn send(&mut self, destination: usize, is_first: bool) -> bool {
        let to = &mut self.destinations[destination];
        let Some(Job { arrival_ms, is_watched }) = to.ready.pop() else { return false };
        to.attempts += 1;
        let (ms, works) = match to.behaviour {
            Behaviour::Takes { ms, sessions } if to.open <= sessions => (ms, true),
            Behaviour::Takes { .. } => (50, false),
            Behaviour::Silent { ms } => (ms, false),
        };
        self.at(self.now_ms + ms, Event::Done { destination, arrival_ms, is_watched, is_first, works });
        true
    }

    /// People who write a message now and then: a hundred senders, one message each second, to all destinations from a place on.
    fn people(&mut self, from: usize, seconds: u64) {
        let places = self.destinations.len() - from;
        for second in 0..seconds {
            let at = self.now_ms + 1000 * second;
            for one in 0..10 {
                let number = (second * 10 + one) as usize;
                let event = Event::Arrive { destination: from + number % places, sender: number as u32 % 100, is_watched: true };
                self.at(at + one * 97, event);
            }
        }
    }

    /// The middle, the 99th of a hundred, and the longest, in milliseconds.
    fn figures(&mut self) -> (u64, u64, u64) {
        self.took_ms.sort_unstable();
        let at = |part: f64| self.took_ms[((self.took_ms.len() - 1) as f64 * part) as usize];
        (at(0.5), at(0.99), at(1.0))
    }
}

const ORDINARY: Behaviour = Behaviour::Takes { ms: 500, sessions: 1000 };

fn report(what: &str, (middle, late, last): (u64, u64, u64)) {
    eprintln!("simulation: {what:<64} middle {middle:>6} ms, 99 % {late:>6} ms, longest {last:>6} ms");
}

#[test]
fn a_million_recipients_of_one_sender_hold_up_nobody() {
    let quiet = {
        let mut world = World::new(vec![ORDINARY; 50]);
        world.people(0, 300);
        world.run(350_000);
        world.figures()
    };
    report("3,000 messages of 100 people, 50 destinations", quiet);
    let mut world = World::new(vec![ORDINARY; 50]);
    for number in 0..1_000_000u32 {
        world.destinations[number as usize % 50].ready.push(1_000_000, Job { arrival_ms: world.now_ms, is_watched: false });
    }
    (0..50).for_each(|destination| world.at(world.now_ms, Event::Pump { destination }));
    world.people(0, 300);
    world.run(350_000);
    assert_eq!(world.took_ms.len(), 3000);
    let figures = world.figures();
    report("the same, beside 1,000,000 recipients of one sender", figures);
    let left: usize = world.destinations.iter().map(|to| to.ready.len()).sum();
    eprintln!("simulation: {} of the million were sent meanwhile", 1_000_000 - left);
    assert!(left > 0, "the flood was over too soon to say anything");
    // One message of the flood may be before mine, and one may be under way in each session.
    assert!(figures.1 <= quiet.1 + 1000 && figures.2 <= quiet.2 + 2000, "{figures:?} against {quiet:?}");
}

#[test]
fn slow_and_silent_destinations_hold_up_nobody() {
    let mut behaviours = vec![Behaviour::Takes { ms: 60_000, sessions: 1000 }; 30];
    behaviours.extend(vec![Behaviour::Silent { ms: 30_000 }; 30]);
    behaviours.extend(vec![ORDINARY; 50]);
    let mut world = World::new(behaviours);
    for number in 0..60_000u32 {
        let job = Job { arrival_ms: world.now_ms, is_watched: false };
        world.destinations[number as usize % 60].ready.push(number % 7, job);
    }
    (0..60).for_each(|destination| world.at(world.now_ms, Event::Pump { destination }));
    world.people(60, 300);
    world.run(350_000);
    assert_eq!(world.took_ms.len(), 3000);
    let figures = world.figures();
    report("3,000 messages, beside 30 slow and 30 silent destinations with 1,000 each", figures);
    assert!(figures.2 <= 2000, "{figures:?}");
}

#[test]
fn the_window_finds_what_a_peer_allows() {
    for (allowed, most_refused) in [(1000, 0), (8, 30), (2, 60), (1, 90)] {
        let mut world = World::new([Behaviour::Takes { ms: 200, sessions: allowed }]);
        for number in 0..5_000u32 {
            world.destinations[0].ready.push(number % 7, Job { arrival_ms: world.now_ms, is_watched: true });
        }
        world.at(world.now_ms, Event::Pump { destination: 0 });
        world.run(300_000);
        let to = &world.destinations[0];
        let window = to.throttle.limit(&world.limits);
        eprintln!(
            "simulation: a peer with room for {allowed:>4} sessions: window {window:>2}, {:>3} of {:>4} attempts refused, {:>5} delivered",
            to.refusals,
            to.attempts,
            world.took_ms.len()
        );
        assert!(to.refusals <= most_refused * to.attempts / 100, "{} of {}", to.refusals, to.attempts);
        if allowed == 1000 {
            // It starts with 5 and ends with 20 (Postfix's defaults).
            assert_eq!(window, 20);
        }
    }
}

#[test]
fn a_dead_destination_is_probed_and_not_hammered() {
    let mut world = World::new([Behaviour::Silent { ms: 1_000 }]);
    for number in 0..1000u32 {
        world.destinations[0].ready.push(number % 7, Job { arrival_ms: world.now_ms, is_watched: true });
    }
    world.at(world.now_ms, Event::Pump { destination: 0 });
    world.run(3_600_000);
    let attempts = world.destinations[0].attempts;
    eprintln!("simulation: a dead destination with 1,000 messages waiting: {attempts} attempts in an hour");
    assert!((30..=90).contains(&attempts), "one a minute: {attempts}");
    world.destinations[0].behaviour = ORDINARY;
    world.run(120_000);
    assert_eq!(world.took_ms.len(), 1000, "once it lives, everything goes there within two minutes");
}
