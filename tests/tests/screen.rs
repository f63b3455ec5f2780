//! What a stranger meets at RCPT: lists in DNS, the greylist, its reputation and how it greets. The daemon asks a DNS server on
//! loopback for all of it.
#![allow(clippy::unwrap_used)]

use postern_tests::client::Client;
use postern_tests::daemon::Daemon;
use postern_tests::dns::Behaviour;
use postern_tests::scene::{STRANGER, Scene};
use postern_tests::wait::until;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

/// What the DNS of the scene says besides; `{reversed}` is a client's address, backwards.
const ZONE: &str = "
    relay.test A 127.0.0.1
    remote.test MX 10 mx.remote.test
    mx.remote.test A 127.0.0.9
    9.0.0.127.bl.test A 127.0.0.2
    10.0.0.127.bl.test A 127.0.0.10
    11.0.0.127.bl.test A 127.255.255.254
    9.0.0.127.wl.test A 127.0.5.2
    12.0.0.127.wl.test A 127.0.5.2
    12.0.0.127.bl.test A 127.0.0.2
    20.0.0.127.wl.test A 127.0.5.2
";

fn scene(screen: &str) -> Scene {
    let scene = Scene::with(|kdl| format!("{kdl}screen {{\n{screen}\n}}\n"));
    scene.dns.replace_zone(ZONE);
    scene
}

fn visit(scene: &Scene, last: u8) -> Client {
    let mut client = Client::dial_from(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)), scene.daemon.address("mx")).unwrap();
    client.expect_reply(220);
    client.expect("EHLO mx.remote.test", 250);
    client
}

/// The code and text of the reply to one recipient.
fn rcpt(scene: &Scene, last: u8, to: &str) -> (u16, String) {
    let mut client = visit(scene, last);
    client.expect("MAIL FROM:<a@remote.test>", 250);
    let reply = client.command(&format!("RCPT TO:<{to}>"));
    (reply.code, reply.lines.join(" "))
}

#[test]
fn lists_refuse_at_rcpt_and_never_because_they_are_broken() {
    let scene = scene(
        "dnsbl \"bl.test\" weight=3 codes=\"127.0.0.2-9\"\ndnsbl \"silent.test\" weight=9\ndnswl \"wl.test\" weight=-2\nthreshold 2",
    );
    // The silence of one list costs a resolver's patience and no mail.
    for last in 1..20 {
        scene.dns.set(&format!("{last}.0.0.127.silent.test"), Behaviour::Silent);
    }
    let began = Instant::now();
    assert_eq!(rcpt(&scene, 13, "alice@example.com").0, 250);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    // Listed by 3 and welcome by 2 is 1, which is below the threshold.
    assert_eq!(rcpt(&scene, 9, "alice@example.com").0, 250);
    assert_eq!(rcpt(&scene, 10, "alice@example.com").0, 250, "a code that does not count");
    assert_eq!(rcpt(&scene, 11, "alice@example.com").0, 250, "an error of the list");
    let log = scene.daemon.log();
    assert!(log.contains("a list says that it cannot be asked so"), "{log}");
}

#[test]
fn a_listed_client_is_told_so_for_every_recipient_but_the_postmaster() {
    let scene = scene("dnsbl \"bl.test\" weight=3 codes=\"127.0.0.2-9\"\nthreshold 3");
    let (code, text) = rcpt(&scene, 9, "alice@example.com");
    assert_eq!(code, 554, "{text}");
    assert!(text.contains("5.7.1") && text.contains("block list"), "{text}");
    assert_eq!(rcpt(&scene, 9, "postmaster@example.com").0, 250);
    assert_eq!(rcpt(&scene, 9, "x@elsewhere.test").0, 554);
    until("the log names list and code", || {
        let log = scene.daemon.log();
        (log.contains("client-listed") && log.contains("bl.test=127.0.0.2")).then_some(())
    });
    // Whoever may relay is not asked about.
    let mut trusted = scene.trusted();
    trusted.expect("MAIL FROM:<alice@example.com>", 250);
    trusted.expect("RCPT TO:<alice@example.com>", 250);
}

#[test]
fn the_greylist_survives_a_restart_and_spares_the_welcome() {
    let mut scene = scene("dnswl \"wl.test\"\nthreshold 1\ngreylist after=\"1s\"");
    let (code, text) = rcpt(&scene, 13, "alice@example.com");
    assert_eq!(code, 451, "{text}");
    assert!(text.contains("4.7.1"), "{text}");
    assert_eq!(rcpt(&scene, 20, "alice@example.com").0, 250, "a welcome list knows it");
    std::thread::sleep(Duration::from_millis(1100));
    scene = scene.replace_daemon(|daemon| {
        let options = daemon.options().clone();
        daemon.stop();
        Daemon::start(options)
    });
    assert_eq!(rcpt(&scene, 13, "alice@example.com").0, 250, "it came back");
    assert_eq!(rcpt(&scene, 13, "bob@example.com").0, 451, "another recipient");
    // What was written is spoiled: it is set aside, and the daemon serves.
    let path = scene.site.state().join("greylist");
    until("it is written", || fs::metadata(&path).ok().filter(|data| data.len() > 100));
    scene = scene.replace_daemon(|daemon| {
        let options = daemon.options().clone();
        daemon.stop();
        fs::write(&path, b"nonsense").unwrap();
        Daemon::start(options)
    });
    assert!(path.with_extension("damaged").exists());
    assert_eq!(rcpt(&scene, 13, "alice@example.com").0, 451, "it is forgotten, and asked to come back");
}

#[test]
fn a_client_that_guesses_is_put_off_and_recovers() {
    let scene = scene("reputation halflife=\"2s\" limit=6");
    let mut client = visit(&scene, 13);
    client.expect("MAIL FROM:<a@remote.test>", 250);
    for name in ["x", "y", "z"] {
        client.expect(&format!("RCPT TO:<{name}@example.com>"), 550);
    }
    // Nobody tells it any more which addresses there are.
    client.expect("RCPT TO:<w@example.com>", 450);
    client.expect("RCPT TO:<alice@example.com>", 450);
    assert_eq!(rcpt(&scene, 14, "alice@example.com").0, 250, "another client");
    until("it recovers", || (rcpt(&scene, 13, "alice@example.com").0 == 250).then_some(()));
}

#[test]
fn how_a_stranger_greets() {
    let scene = scene("require \"fqdn-helo\" \"resolvable-helo\"");
    for (helo, code) in [("localhost", 504), ("mx.remote.test", 250), ("[127.0.0.9]", 250), ("nobody.remote.test", 450)] {
        let mut client = Client::dial_from(STRANGER, scene.daemon.address("mx")).unwrap();
        client.expect_reply(220);
        client.expect(&format!("EHLO {helo}"), 250);
        client.expect("MAIL FROM:<a@remote.test>", 250);
        assert_eq!(client.command("RCPT TO:<alice@example.com>").code, code, "{helo}");
    }
}

#[test]
fn a_network_is_spared_what_it_is_spared() {
    let scene = Scene::with(|kdl| {
        kdl + "network \"lab\" \"127.0.0.9\" {\n    exempt \"dnsbl\" \"greylist\"\n}\n\
            screen {\n    dnsbl \"bl.test\"\n    greylist after=\"1h\"\n    require \"fqdn-helo\"\n}\n"
    });
    scene.dns.replace_zone(ZONE);
    assert_eq!(rcpt(&scene, 9, "alice@example.com").0, 250);
    assert_eq!(rcpt(&scene, 12, "alice@example.com").0, 554);
    let mut client = Client::dial_from(STRANGER, scene.daemon.address("mx")).unwrap();
    client.expect_reply(220);
    client.expect("EHLO localhost", 250);
    client.expect("MAIL FROM:<a@remote.test>", 250);
    client.expect("RCPT TO:<alice@example.com>", 504);
}
