//! Reload is one step: every transaction ends on the snapshot that it began with, and a snapshot that cannot be served changes
//! nothing.
#![allow(clippy::unwrap_used)]

use postern_tests::client::stuff;
use postern_tests::load::{Load, number_of};
use postern_tests::scene::{AWKWARD, Scene, kdl};
use postern_tests::wait;
use rustix::process::Signal;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// The site with a mailbox more, and without the alias.
fn changed(scene: &Scene) -> String {
    let old = kdl(scene.relay.address().port());
    let new = old.replace("    alias \"info\" \"alice\" \"bob\"\n", "    mailbox \"carol\"\n");
    assert_ne!(old, new);
    new
}

fn digest(scene: &Scene) -> String {
    scene.daemon.status()["digest"].as_str().unwrap().to_owned()
}

#[test]
fn a_transaction_ends_on_the_snapshot_that_it_began_with() {
    let scene = Scene::start();
    let mut client = scene.stranger();
    client.expect("MAIL FROM:<a@remote.test>", 250);
    client.expect("RCPT TO:<carol@example.com>", 550);

    let new = scene.site.rebuild(&changed(&scene));
    scene.daemon.control(&["reload"]).success();
    assert_eq!(digest(&scene), new);

    // Still the old one: carol is unknown and info is an alias.
    client.expect("RCPT TO:<carol@example.com>", 550);
    client.expect("RCPT TO:<info@example.com>", 250);
    client.expect("DATA", 354);
    client.send(&stuff(AWKWARD));
    client.expect_reply(250);
    for address in ["alice@example.com", "bob@example.com"] {
        scene.site.maildir(address).wait_for(1);
    }

    // The next transaction of the same connection is on the new one.
    client.expect("MAIL FROM:<a@remote.test>", 250);
    client.expect("RCPT TO:<info@example.com>", 550);
    client.expect("RCPT TO:<carol@example.com>", 250);
    client.expect("DATA", 354);
    client.send(&stuff(AWKWARD));
    client.expect_reply(250);
    scene.site.maildir("carol@example.com").wait_for(1);
}

/// The digest of the plan from the snapshot in force to the site of these lines.
fn reviewed(scene: &Scene, kdl: &str) -> String {
    scene.site.write("site.kdl", kdl);
    let (old, new) = (scene.site.snapshots().join("current"), scene.site.source());
    let outcome = scene.site.postern(&["plan", old.to_str().unwrap(), new.to_str().unwrap(), "--json"]);
    assert_eq!(outcome.status, 2, "there are differences: {outcome}");
    let plan: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    plan["digest"].as_str().unwrap().to_owned()
}

#[test]
fn a_plan_is_applied_as_it_was_reviewed_or_not_at_all() {
    let scene = Scene::start();
    let first = digest(&scene);
    let wanted = changed(&scene);
    let plan = reviewed(&scene, &wanted);

    // Somebody builds something else before it is applied.
    let other = scene.site.rebuild(&wanted.replace("mailbox \"carol\"", "mailbox \"mallory\""));
    let outcome = scene.daemon.control(&["reload", "--plan", &plan]);
    assert_eq!(outcome.status, 1, "{outcome}");
    assert_eq!(digest(&scene), first);

    let new = scene.site.rebuild(&wanted);
    assert_ne!(new, other);
    scene.daemon.control(&["reload", "--plan", &plan]).success();
    assert_eq!(digest(&scene), new);

    // A plan is one step: what it began with is no longer in force.
    assert_eq!(scene.daemon.control(&["reload", "--plan", &plan]).status, 1);
    assert_eq!(digest(&scene), new);
}

#[test]
fn sighup_reloads_too() {
    let scene = Scene::start();
    let new = scene.site.rebuild(&changed(&scene));
    scene.daemon.signal(Signal::HUP);
    wait::until("the new snapshot", || (digest(&scene) == new).then_some(()));
    assert_eq!(scene.daemon.status()["generation"], 2);
}

#[test]
fn an_unchanged_snapshot_is_fine() {
    let scene = Scene::start();
    let before = digest(&scene);
    scene.daemon.control(&["reload"]).success();
    assert_eq!(digest(&scene), before);
}

/// Puts a file into the folder of snapshots and points `current` at it.
fn publish(scene: &Scene, name: &str, octets: &[u8]) {
    let folder = scene.site.snapshots();
    fs::write(folder.join(name), octets).unwrap();
    point(&folder, name);
}

fn point(folder: &Path, name: &str) {
    let _ = fs::remove_file(folder.join("next"));
    symlink(name, folder.join("next")).unwrap();
    fs::rename(folder.join("next"), folder.join("current")).unwrap();
}

fn hex(octets: &[u8]) -> String {
    Sha256::digest(octets).iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The octets of another good snapshot, which is not published.
fn another(scene: &Scene) -> Vec<u8> {
    let out = scene.site.path("elsewhere");
    scene.site.write("site.kdl", &changed(scene));
    let arguments = ["build", scene.site.source().to_str().unwrap(), "--out", out.to_str().unwrap()].map(str::to_owned);
    scene.site.postern(&arguments.each_ref().map(String::as_str)).success();
    fs::read(out.join("current")).unwrap()
}

#[test]
fn a_snapshot_that_cannot_be_served_changes_nothing() {
    let scene = Scene::start();
    let old = digest(&scene);
    let good = another(&scene);
    let name = format!("{}.mdb", hex(&good));

    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let future = future_format(&good);
    let damaged: [(&str, String, Vec<u8>, &str); 6] = [
        ("one bit flipped", name.clone(), flipped, "cut or damaged"),
        ("cut in half", name.clone(), good[..good.len() / 2].to_vec(), "cut or damaged"),
        ("empty", name.clone(), Vec::new(), "cut or damaged"),
        ("not named by its digest", "today.mdb".to_owned(), good.clone(), "not named by its digest"),
        ("no snapshot at all", format!("{}.mdb", hex(b"hello")), b"hello".to_vec(), "makes no sense"),
        ("of a later format", format!("{}.mdb", hex(&future)), future.clone(), "snapshot format 65535"),
    ];
    for (what, file, octets, reason) in damaged {
        publish(&scene, &file, &octets);
        let outcome = scene.daemon.control(&["reload"]);
        assert_eq!(outcome.status, 1, "{what}: {outcome}");
        assert!(outcome.stderr.contains(reason), "{what}: {outcome}");
        assert_eq!(digest(&scene), old, "{what}");
        fs::remove_file(scene.site.snapshots().join(&file)).unwrap();
    }
    // `current` leads nowhere now.
    assert_eq!(scene.daemon.control(&["reload"]).status, 1);
    assert_eq!(scene.stranger().send_message("", &["info@example.com"], AWKWARD).code, 250);
    scene.site.maildir("bob@example.com").wait_for(1);

    publish(&scene, &name, &good);
    scene.daemon.control(&["reload"]).success();
    assert_eq!(format!("{}.mdb", digest(&scene)), name);
}

/// The same snapshot, but for its format version. The version stands behind its key in a leaf of LMDB.
fn future_format(good: &[u8]) -> Vec<u8> {
    let mut octets = good.to_vec();
    let places: Vec<usize> = good.windows(10).enumerate().filter(|(_, w)| w.starts_with(b"format")).map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "a snapshot says its format");
    for at in places {
        octets[at + 6..at + 10].copy_from_slice(&65535_u32.to_le_bytes());
    }
    octets
}

#[test]
fn a_site_whose_certificate_is_missing_changes_nothing() {
    let scene = Scene::start();
    let old = digest(&scene);
    let identity = postern_tests::tls::Authority::new().issue("mail.example.com");
    scene.site.write("tls/mail.pem", &identity.chain);
    let certificate = "tls {\n    certificate \"mail.example.com\" chain=\"tls/mail.pem\" key-secret=\"tls-mail\"\n}";
    let new = kdl(scene.relay.address().port()).replace("tls { self-signed }", certificate);
    let digest_of_new = scene.site.rebuild(&new);

    let outcome = scene.daemon.control(&["reload"]);
    assert_eq!(outcome.status, 1, "{outcome}");
    assert!(outcome.stderr.contains("tls-mail"), "{outcome}");
    assert_eq!(digest(&scene), old);

    scene.site.credential("tls-mail", &identity.key);
    scene.daemon.control(&["reload"]).success();
    assert_eq!(digest(&scene), digest_of_new);
}

/// Ends a load when it goes out of scope, however that comes about: a failed assertion must not leave it running.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn no_message_is_lost_while_snapshots_change_under_load() {
    let scene = Scene::start();
    let old = kdl(scene.relay.address().port());
    let new = changed(&scene);
    let load = Load { sessions: 8, messages: u64::MAX, ..Load::to(scene.daemon.address("mx"), "alice@example.com") };
    let report = thread::scope(|scope| {
        let running = scope.spawn(|| load.run());
        let stop = Stop(load.stop.clone());
        for kdl in [&new, &old, &new, &old, &new] {
            let digest = scene.site.rebuild(kdl);
            scene.daemon.control(&["reload"]).success();
            assert_eq!(self::digest(&scene), digest);
        }
        drop(stop);
        running.join().unwrap()
    });
    assert_eq!((report.refused, report.unanswered, report.trouble), (0, 0, None));
    let maildir = scene.site.maildir("alice@example.com");
    let arrived: BTreeSet<u64> = maildir.wait_for(report.acknowledged.len()).iter().filter_map(|m| number_of(m)).collect();
    assert_eq!(arrived, report.acknowledged.into_iter().collect());
}

#[test]
fn an_earlier_snapshot_comes_back_while_it_is_still_in_use() {
    let scene = Scene::start();
    let old = kdl(scene.relay.address().port());
    let first = digest(&scene);
    // This session holds the first snapshot until its transaction ends.
    let mut client = scene.stranger();
    client.expect("MAIL FROM:<a@remote.test>", 250);
    scene.site.rebuild(&changed(&scene));
    scene.daemon.control(&["reload"]).success();
    assert_eq!(scene.site.rebuild(&old), first);
    scene.daemon.control(&["reload"]).success();
    assert_eq!(digest(&scene), first);
    client.expect("RCPT TO:<info@example.com>", 250);
}

#[test]
fn a_listener_comes_and_goes_with_a_reload() {
    let scene = Scene::start();
    let old = kdl(scene.relay.address().port());
    let with_second = format!("{old}listen \"second\" kind=\"mx\" port=0 address=\"127.0.0.1\"\n");
    scene.site.rebuild(&with_second);
    scene.daemon.control(&["reload"]).success();
    let listeners = || scene.daemon.status()["listeners"].as_array().unwrap().clone();
    let second = listeners().into_iter().find(|entry| entry["name"] == "second").expect("the new listener");
    let address = second["address"].as_str().unwrap().parse().unwrap();
    postern_tests::client::Client::connect(address).quit();
    // The others kept their sockets: a client that was about to connect still can.
    assert!(listeners().iter().any(|entry| entry["address"] == scene.daemon.address("mx").to_string()));

    scene.site.rebuild(&old);
    scene.daemon.control(&["reload"]).success();
    wait::until("the socket to close", || std::net::TcpStream::connect(address).is_err().then_some(()));
}
