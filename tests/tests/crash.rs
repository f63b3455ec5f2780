//! What was acknowledged survives SIGKILL at any moment: it arrives, into a mailbox exactly once, at the relayhost at least once.
#![allow(clippy::unwrap_used)]

use postern_tests::load::{Load, LoadReport, number_of};
use postern_tests::scene::Scene;
use postern_tests::wait;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How often the daemon is killed.
const KILLS: u64 = 8;
/// The longest that it lives, in milliseconds.
const LONGEST_LIFE: u64 = 500;
/// How long what was acknowledged may take to arrive in the end.
const ARRIVAL: Duration = Duration::from_secs(60);

/// Numbers that look random, from a seed that is printed: xorshift64*.
struct Chance(u64);

impl Chance {
    fn new() -> Chance {
        let seed = std::env::var("POSTERN_SEED").ok().and_then(|text| text.parse().ok());
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64 | 1;
        let seed = seed.unwrap_or_else(clock);
        eprintln!("POSTERN_SEED={seed}");
        Chance(seed)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % limit
    }
}

/// Loads the daemon for a while and kills it meanwhile. The scene goes on with a new one.
fn live_and_die(scene: Scene, load: &Load, life: Duration) -> (Scene, LoadReport) {
    let mut report = LoadReport::default();
    let scene = scene.replace_daemon(|daemon| {
        thread::scope(|scope| {
            let running = scope.spawn(|| load.run());
            thread::sleep(life);
            let daemon = daemon.restart();
            report = running.join().unwrap();
            daemon
        })
    });
    (scene, report)
}

/// How often each number is among the messages.
fn count(messages: impl IntoIterator<Item = Vec<u8>>) -> BTreeMap<u64, usize> {
    let mut counts = BTreeMap::new();
    for message in messages {
        *counts.entry(number_of(&message).expect("only the load is sent here")).or_default() += 1;
    }
    counts
}

/// Kills the daemon again and again under load to one recipient; returns the numbers of what was acknowledged.
fn torture(scene: Scene, recipient: &str, size_octets: usize) -> (Scene, Vec<u64>) {
    let mut chance = Chance::new();
    let mut scene = scene;
    let mut acknowledged = Vec::new();
    let mut unanswered = 0;
    for kill in 0..KILLS {
        let load = Load {
            sessions: 1 + chance.below(12) as usize,
            messages: 1_000_000,
            first: kill * 1_000_000,
            size_octets,
            pipelines: kill % 2 == 0,
            stop: Arc::new(AtomicBool::new(false)),
            ..Load::to(scene.daemon.address("mx"), recipient)
        };
        let life = Duration::from_millis(20 + chance.below(LONGEST_LIFE));
        let (next, report) = live_and_die(scene, &load, life);
        scene = next;
        assert_eq!(report.refused, 0, "{:?}", report.trouble);
        unanswered += report.unanswered;
        acknowledged.extend(report.acknowledged);
    }
    eprintln!("{KILLS} kills, {} acknowledged, {unanswered} without an answer", acknowledged.len());
    assert!(acknowledged.len() > KILLS as usize, "the load did not get through");
    (scene, acknowledged)
}

#[test]
fn every_acknowledged_message_is_in_the_mailbox_once() {
    let (scene, acknowledged) = torture(Scene::start(), "info@example.com", 2048);
    for address in ["alice@example.com", "bob@example.com"] {
        let maildir = scene.site.maildir(address);
        let missing = || {
            let found = count(maildir.messages());
            acknowledged.iter().filter(|number| !found.contains_key(number)).count()
        };
        let arrived = wait::poll(ARRIVAL, || (maildir.len() >= acknowledged.len() && missing() == 0).then_some(()));
        assert!(arrived.is_some(), "{} of {} are missing for {address}", missing(), acknowledged.len());
        empty_queue(&scene);
        let twice: Vec<u64> = count(maildir.messages()).into_iter().filter(|(_, times)| *times > 1).map(|(n, _)| n).collect();
        assert!(twice.is_empty(), "{} were delivered twice to {address}: {twice:?}", twice.len());
    }
}

#[test]
fn every_acknowledged_message_reaches_the_relayhost() {
    let (scene, acknowledged) = torture(Scene::start(), "friend@elsewhere.test", 4096);
    let taken = || count(scene.relay.transactions().into_iter().filter(|taken| taken.accepted).map(|taken| taken.data));
    let missing = || {
        let taken = taken();
        acknowledged.iter().filter(|number| !taken.contains_key(number)).count()
    };
    let arrived = wait::poll(ARRIVAL, || (scene.relay.messages() >= acknowledged.len() && missing() == 0).then_some(()));
    assert!(arrived.is_some(), "{} of {} are missing", missing(), acknowledged.len());
    empty_queue(&scene);
    // A message may go out again if the daemon died between the relayhost's yes and the record of it: at most two for each
    // connection that was open then, the one that was under way and the one before.
    let again: usize = taken().values().map(|times| times - 1).sum();
    eprintln!("{again} sent more than once");
    assert!(again <= 2 * scene.relay.connections(), "{again} duplicates over {} connections", scene.relay.connections());
}

fn empty_queue(scene: &Scene) {
    wait::until("an empty queue", || {
        let queue = scene.daemon.status()["queue"].clone();
        (queue["recovering"] == false && queue["active"] == 0 && queue["deferred"] == 0).then_some(())
    });
}
