//! A daemon under pressure: no descriptors, too many sessions, slow and noisy clients. It says "later" early, does not spin, and is
//! itself again when the pressure is gone.
#![allow(clippy::unwrap_used)]

use postern_tests::client::Client;
use postern_tests::daemon::Daemon;
use postern_tests::scene::{STRANGER, Scene};
use postern_tests::wait::{poll, until};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;
use std::time::{Duration, Instant};

/// The processor time that a process has used, in ticks of a hundredth of a second.
fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_ascii_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

fn stranger(scene: &Scene, last: u8) -> Client {
    Client::dial_from(IpAddr::V4(Ipv4Addr::new(127, 0, 7, last)), scene.daemon.address("mx")).unwrap()
}

#[test]
fn without_descriptors_clients_hear_421_and_the_processor_is_idle() {
    let scene = Scene::start();
    let pid = scene.daemon.pid();
    let open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count() as u64;
    let limit = |most: u64| {
        let pid = Pid::from_raw(pid as i32).unwrap();
        prlimit(Some(pid), Resource::Nofile, Rlimit { current: Some(most), maximum: Some(most.max(4096)) }).unwrap();
    };
    limit(open + 8);
    let mut inside = Vec::new();
    let mut refused = 0;
    for number in 0..40 {
        let mut client = stranger(&scene, number);
        match client.try_reply().unwrap().unwrap().code {
            220 => inside.push(client),
            421 => refused += 1,
            code => panic!("{code}"),
        }
    }
    assert!(refused >= 30 && !inside.is_empty(), "{refused} refused, {} inside", inside.len());
    let before = ticks(pid);
    assert_eq!(poll(Duration::from_secs(2), || None::<()>), None);
    let used = ticks(pid) - before;
    assert!(used < 40, "{used} hundredths of a second in two seconds");
    // Whoever was inside is served, and when somebody leaves, somebody comes in.
    let mut client = inside.pop().unwrap();
    client.hello();
    client.quit();
    drop(inside);
    let greeted = || {
        let mut client = stranger(&scene, 99);
        (client.try_reply().ok()??.code == 220).then_some(())
    };
    until("a new client is greeted", greeted);
    limit(4096);
    // Those that have just left may still hold their descriptors.
    until("the spare descriptor is back", greeted);
    scene.stranger().send_message("a@remote.test", &["alice@example.com"], b"Subject: after\r\n\r\nx\r\n");
    until("the log says why", || scene.daemon.log().contains("cannot accept").then_some(()));
}

#[test]
fn a_full_disk_is_452_and_no_reason_to_spin_and_is_over_when_there_is_room() {
    let may = Command::new("unshare").args(["--map-root-user", "--mount", "true"]).status();
    if !may.is_ok_and(|status| status.success()) {
        let _ = writeln!(io::stderr(), "SKIPPED: this system gives nobody a disk of their own; a full one goes untried");
        return;
    }
    let scene = Scene::start().replace_daemon(|daemon| {
        let options = daemon.options().clone().disk("200m");
        daemon.stop();
        Daemon::start(options)
    });
    let pid = scene.daemon.pid();
    let send = || scene.trusted().send_message("a@example.com", &["friend@elsewhere.test"], b"Subject: x\r\n\r\nx\r\n").code;
    assert_eq!(send(), 250);
    let filler = format!("/proc/{pid}/root{}", scene.site.state().join("filler").display());
    fs::write(&filler, vec![0; 150 << 20]).unwrap();
    assert_eq!(send(), 452);
    let before = ticks(pid);
    assert_eq!(poll(Duration::from_secs(2), || None::<()>), None);
    let used = ticks(pid) - before;
    assert!(used < 40, "{used} hundredths of a second in two seconds");
    fs::remove_file(&filler).unwrap();
    assert_eq!(send(), 250);
}

#[test]
fn sessions_beyond_the_limit_hear_421_at_once_and_the_next_is_served() {
    let scene = Scene::with(|kdl| kdl + "limits sessions=3\n");
    let mut inside: Vec<Client> = (1..=3).map(|last| stranger(&scene, last)).collect();
    inside.iter_mut().for_each(|client| drop(client.expect_reply(220)));
    let began = Instant::now();
    stranger(&scene, 4).expect_reply(421);
    assert!(began.elapsed() < Duration::from_secs(5));
    inside.pop();
    until("a place", || {
        let mut client = stranger(&scene, 5);
        (client.try_reply().ok()??.code == 220).then_some(())
    });
    until("the log says why", || scene.daemon.log().contains("session-limit").then_some(()));
}

#[test]
fn errors_make_replies_late_and_then_end_the_session() {
    let scene = Scene::start();
    let mut client = Client::dial_from(STRANGER, scene.daemon.address("mx")).unwrap();
    client.expect_reply(220);
    let began = Instant::now();
    let mut codes = Vec::new();
    loop {
        client.try_send(b"NONSENSE\r\n").unwrap();
        match client.try_reply() {
            Ok(Some(reply)) => codes.push(reply.code),
            _ => break,
        }
        if codes.last() == Some(&421) {
            break;
        }
    }
    assert_eq!((codes.len(), codes.last()), (20, Some(&421)), "{codes:?}");
    // Ten of them were late by a second each.
    assert!(began.elapsed() > Duration::from_secs(8), "{:?}", began.elapsed());
}

/// One host of IPv6 has a /64 to itself, so that is what counts as one client.
#[test]
fn networks_of_ipv6_share_a_limit_by_their_prefix() {
    let scene = Scene::with(|kdl| kdl + "screen { limit connections=2; }\n");
    let gateway = scene.daemon.address("gateway");
    let come = |client: &str| {
        let mut balancer = Client::dial_from(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 13)), gateway).unwrap();
        balancer.send(format!("PROXY TCP6 {client} 2001:db8::25 4000 25\r\n").as_bytes());
        let code = balancer.reply().code;
        (balancer, code)
    };
    let inside = ["2001:db8:0:1::1", "2001:db8:0:1:ffff::2"].map(come);
    assert_eq!(inside.each_ref().map(|(_, code)| *code), [220, 220]);
    assert_eq!(come("2001:db8:0:1:1::3").1, 421);
    assert_eq!(come("2001:db8:0:2::1").1, 220);
    drop(inside);
    until("there is room again", || (come("2001:db8:0:1:1::3").1 == 220).then_some(()));
}

/// The scene of a daemon whose patience is so many times shorter than it would be.
fn hurried(times: &str) -> Scene {
    Scene::start().replace_daemon(|daemon| {
        let options = daemon.options().clone().environment("POSTERN_HURRY", times);
        daemon.stop();
        Daemon::start(options)
    })
}

/// RFC 5321 4.5.3.2.7: five minutes of silence, here two and a half seconds, half an hour of nothing but talk, here a quarter of a minute;
/// and a message may take two minutes, here a second, and as long beyond that as 500 octets a second take.
#[test]
fn whoever_is_silent_or_slow_hears_421_and_whoever_is_not_is_served() {
    let scene = hurried("120");
    let patient = || {
        let mut client = Client::dial_from(STRANGER, scene.daemon.address("mx")).unwrap();
        client.expect_reply(220);
        client.hello();
        client
    };
    let begin = |client: &mut Client| {
        client.expect("MAIL FROM:<a@remote.test>", 250);
        client.expect("RCPT TO:<bob@example.com>", 250);
        client.expect("DATA", 354);
    };
    let mut silent = patient();
    silent.expect_reply(421);
    silent.expect_close();

    // Never silent for long, and never done: 100 octets a fifth of a second would do, and 20 do not.
    let drip = |octets: usize| {
        let mut client = patient();
        begin(&mut client);
        for _ in 0..20 {
            if client.try_send(&[&vec![b'x'; octets - 2][..], b"\r\n"].concat()).is_err() {
                break;
            }
            assert_eq!(poll(Duration::from_millis(200), || None::<()>), None);
        }
        let _ = client.try_send(b".\r\n");
        client.try_reply().unwrap().unwrap().code
    };
    let [slow, steady] =
        std::thread::scope(|scope| [20, 400].map(|octets| scope.spawn(move || drip(octets))).map(|one| one.join().unwrap()));
    assert_eq!((slow, steady), (421, 250));
    assert_eq!(scene.site.maildir("bob@example.com").wait_for(1).len(), 1, "what was cut is not there");

    let (mut talker, began) = (patient(), Instant::now());
    let code = until("the talker is cut", || {
        talker.try_send(b"NOOP\r\n").ok()?;
        let code = talker.try_reply().ok()??.code;
        assert_eq!(poll(Duration::from_millis(500), || None::<()>), None);
        (code != 250).then_some(code)
    });
    assert_eq!(code, 421);
    assert!(began.elapsed() > Duration::from_secs(14), "{:?}", began.elapsed());
}
