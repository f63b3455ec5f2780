//! Mail for which there is no way just now waits, says why, and goes once there is one: a route that the site has lost, a resolver that
//! is down, a relayhost that refuses, a snapshot that cannot be loaded.
#![allow(clippy::unwrap_used)]

use postern_tests::client::Client;
use postern_tests::daemon::binaries::binaries;
use postern_tests::daemon::{Daemon, Options, Site};
use postern_tests::dns::{Behaviour, DnsServer};
use postern_tests::load::Load;
use postern_tests::peer::{Act, Peer, Script, Stage};
use postern_tests::wait;
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A site with one mailbox, and what is said beside it.
fn kdl(more: &str) -> String {
    let rest = r#"network "here" "127.0.0.1" relay=#true reason="the test"
queue { retry "1s" up-to="2s" }
"#;
    Site::small_kdl("alice@example.com", &format!("{rest}{more}"))
}

fn with_relay(peer: &Peer, mailboxes: &str) -> String {
    let port = peer.address().port();
    kdl(&format!(
        "domain \"example.com\" {{ {mailboxes} }}\nrelay \"sink\" host=\"sink.test\" port={port} {{ tls \"none\" }}\nroute to=\"*\" via=\"sink\""
    ))
}

fn send(daemon: &Daemon, to: &str) {
    let mut client = Client::connect(daemon.address("mx"));
    client.hello();
    assert_eq!(client.send_message("alice@example.com", &[to], b"Subject: waits\r\n\r\ntext\r\n").code, 250);
    client.quit();
}

/// Waits until `status` says that one recipient of a domain waits, with a reason that holds this; answers with the id.
fn waits_for(daemon: &Daemon, destination: &str, reason: &str) -> String {
    wait::until(&format!("{reason} in the status"), || {
        let status = daemon.status();
        let lines = status["shape"]["destinations"].as_array().unwrap().clone();
        let line = lines.into_iter().find(|line| line["destination"] == destination)?;
        let says = line["head"]["reason"].as_str().is_some_and(|text| text.contains(reason));
        says.then(|| line["head"]["id"].as_str().unwrap().to_owned())
    })
}

fn generation_of(daemon: &Daemon, id: &str) -> Value {
    let shown = daemon.control(&["queue", "show", id, "--json"]).success();
    serde_json::from_str::<Value>(&shown).unwrap()["recipients"][0]["generation"].clone()
}

#[test]
fn a_route_that_disappears_holds_its_mail_until_it_is_back() {
    let peer = Peer::start(Script::new("sink.test").on(Stage::Mail, Act::Defer));
    let dns = DnsServer::start("sink.test A 127.0.0.1");
    let whole = with_relay(&peer, "mailbox \"alice\"");
    let site = Site::new(&whole);
    let first = site.build();
    let daemon = Daemon::start(Options::of(&site).dns(dns.address()));
    send(&daemon, "friend@elsewhere.test");
    let id = waits_for(&daemon, "elsewhere.test", "450");
    assert_eq!(generation_of(&daemon, &id), first[..16]);

    // The new site knows no way there.
    let port = peer.address().port();
    let without = kdl(&format!(
        "domain \"example.com\" {{ mailbox \"alice\" }}\nrelay \"sink\" host=\"sink.test\" port={port} {{ tls \"none\" }}\nroute to=\"other.test\" via=\"sink\""
    ));
    let second = site.rebuild(&without);
    daemon.control(&["reload"]).success();
    peer.follow(Script::new("sink.test"));
    daemon.control(&["queue", "flush"]).success();
    assert_eq!(waits_for(&daemon, "elsewhere.test", "No route"), id);
    assert_eq!(generation_of(&daemon, &id), second[..16], "the attempt says which site had no way");
    assert_eq!(peer.messages(), 0);

    site.rebuild(&whole);
    daemon.control(&["reload"]).success();
    assert_eq!(peer.wait_for(1)[0].recipients, ["friend@elsewhere.test"]);
}

#[test]
fn a_mailbox_that_disappears_holds_its_mail_until_it_is_back() {
    let peer = Peer::start(Script::new("sink.test"));
    let dns = DnsServer::start("sink.test A 127.0.0.1");
    let whole = with_relay(&peer, "mailbox \"alice\"; mailbox \"bob\"");
    let site = Site::new(&whole);
    site.build();
    let daemon = Daemon::start(Options::of(&site).dns(dns.address()));
    // It waits, held, while the site changes.
    let folder = site.state().join("mail");
    fs::write(&folder, "no folder can be made here").unwrap();
    send(&daemon, "bob@example.com");
    let id = waits_for(&daemon, "example.com", "cannot deliver");
    site.rebuild(&with_relay(&peer, "mailbox \"alice\""));
    daemon.control(&["reload"]).success();
    fs::remove_file(&folder).unwrap();
    daemon.control(&["queue", "flush"]).success();
    assert_eq!(waits_for(&daemon, "example.com", "Mailbox unavailable"), id);
    site.rebuild(&whole);
    daemon.control(&["reload"]).success();
    assert!(String::from_utf8_lossy(&site.maildir("bob@example.com").wait_for(1)[0]).contains("Subject: waits"));
}

#[test]
fn mail_waits_while_dns_is_down() {
    let peer = Peer::start(Script::new("sink.test"));
    let dns = DnsServer::start("sink.test A 127.0.0.1");
    dns.set("sink.test", Behaviour::ServFail);
    let site = Site::new(&with_relay(&peer, "mailbox \"alice\""));
    site.build();
    let daemon = Daemon::start(Options::of(&site).dns(dns.address()));
    send(&daemon, "friend@elsewhere.test");
    waits_for(&daemon, "elsewhere.test", "sink cannot be found");
    assert_eq!((peer.connections(), daemon.status()["queue"]["deferred"].clone()), (0, 1.into()));
    dns.set("sink.test", Behaviour::Answer);
    // A failure of DNS is remembered for half a minute.
    assert_eq!(peer.wait_within(1, Duration::from_secs(60)), 1);
}

#[test]
fn mail_waits_while_the_relayhost_refuses_us() {
    let peer = Peer::start(Script::new("sink.test").on(Stage::Banner, Act::Say("554 5.7.1 we do not know you".into())));
    let dns = DnsServer::start("sink.test A 127.0.0.1");
    let site = Site::new(&with_relay(&peer, "mailbox \"alice\""));
    site.build();
    let daemon = Daemon::start(Options::of(&site).dns(dns.address()));
    send(&daemon, "friend@elsewhere.test");
    waits_for(&daemon, "elsewhere.test", "we do not know you");
    peer.follow(Script::new("sink.test"));
    assert_eq!(peer.wait_for(1).len(), 1);
    assert!(site.maildir("alice@example.com").is_empty(), "its sender hears nothing of it");
}

/// Of every message in the queue, when it is tried next, in milliseconds since the epoch; 0 is now.
fn next_attempts(daemon: &Daemon) -> Vec<u64> {
    let listed = daemon.control(&["queue", "list", "--json"]).success();
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let mut times: Vec<u64> =
        listed.as_array().unwrap().iter().map(|message| message["next-attempt-ms"].as_u64().unwrap_or(0)).collect();
    times.sort_unstable();
    times
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

#[test]
fn a_large_queue_is_known_again_after_a_crash_and_a_flush_lets_it_loose_bit_by_bit() {
    const MESSAGES: usize = 2500;
    let script = || Script::sink().on(Stage::Mail, Act::Defer);
    let peer = Peer::start(script());
    let address = peer.address();
    let dns = DnsServer::start("sink.test A 127.0.0.1");
    let port = address.port();
    let site = Site::new(&kdl(&format!(
        "domain \"example.com\" {{ mailbox \"alice\" }}\nrelay \"sink\" host=\"sink.test\" port={port} {{ tls \"none\" }}\nroute to=\"*\" via=\"sink\""
    )).replace("retry \"1s\" up-to=\"2s\"", "retry \"6h\" up-to=\"6h\""));
    site.build();
    let daemon = Daemon::start(Options::of(&site).dns(dns.address()));
    let load = Load { sessions: 10, messages: MESSAGES as u64, ..Load::to(daemon.address("mx"), "friend@elsewhere.test") };
    let report = load.run();
    assert_eq!(report.acknowledged.len(), MESSAGES, "{:?}", report.trouble);
    let all_wait = |daemon: &Daemon| {
        let queue = daemon.status()["queue"].clone();
        (queue["recovering"] == false && queue["deferred"] == MESSAGES && queue["active"] == 0).then_some(())
    };
    let patience = Duration::from_secs(120);
    assert!(wait::poll(patience, || all_wait(&daemon)).is_some(), "{}", daemon.status()["queue"]);
    let (options, before) = (daemon.options().clone(), next_attempts(&daemon));
    daemon.kill();
    let connections = peer.connections();
    let daemon = Daemon::start(options);
    assert!(wait::poll(patience, || all_wait(&daemon)).is_some(), "{}", daemon.status()["queue"]);
    assert_eq!(next_attempts(&daemon), before, "each waits for its own time");
    assert_eq!(peer.connections(), connections, "and nothing was tried since");

    // A peer that does not answer, so that what is tried at once stays where it is.
    peer.follow(Script::sink().on(Stage::Mail, Act::Hang));
    let earliest = now_ms();
    daemon.control(&["queue", "flush"]).success();
    let latest = now_ms();
    let times = next_attempts(&daemon);
    assert_eq!(times.len(), MESSAGES);
    assert_eq!(times.iter().filter(|at| **at == 0).count(), 1000, "{times:?}");
    let pages = [(&times[1000..2000], 2000), (&times[2000..], 4000)];
    for (page, later) in pages {
        assert!(page.iter().all(|at| (earliest + later..=latest + later).contains(at)), "{later} ms: {page:?}");
    }
    drop(peer);
    let peer = Peer::start_at(Script::sink(), address);
    let arrived = wait::poll(patience, || {
        daemon.control(&["queue", "flush"]).success();
        (peer.wait_within(MESSAGES, Duration::from_secs(2)) >= MESSAGES).then_some(())
    });
    assert!(arrived.is_some(), "{} arrived", peer.messages());
}

#[test]
fn the_status_names_the_limit_that_binds() {
    let dns = DnsServer::start("sink.test A 127.0.0.1");
    for (limit, script, binds) in
        [("rate \"1/h\"", Script::new("sink.test"), "rate"), ("", Script::new("sink.test").on(Stage::Banner, Act::Drop), "dead")]
    {
        let peer = Peer::start(script);
        let port = peer.address().port();
        let site = Site::new(&kdl(&format!(
            "domain \"example.com\" {{ mailbox \"alice\" }}\nrelay \"sink\" host=\"sink.test\" port={port} {{ tls \"none\"; {limit} }}\nroute to=\"*\" via=\"sink\""
        )));
        site.build();
        let daemon = Daemon::start(Options::of(&site).dns(dns.address()));
        for _ in 0..3 {
            send(&daemon, "friend@elsewhere.test");
        }
        let peer = wait::until(&format!("{binds} in the status"), || {
            let status = daemon.status();
            status["peers"].as_array()?.iter().find(|peer| peer["binds"] == binds).cloned()
        });
        assert!(peer["peer"].as_str().unwrap().starts_with("sink.test:"), "{peer}");
        let shown = daemon.control(&["status"]).success();
        assert!(shown.contains(binds), "{shown}");
    }
}

/// `sendmail` with the state folder of a daemon that does not run.
fn hand_in(site: &Site, to: &str) {
    let mut command = Command::new(&binaries().posternd);
    command.arg0("/usr/sbin/sendmail").arg(to).env("STATE_DIRECTORY", site.state()).stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"Subject: waits\n\ntext\n").unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn mail_waits_while_no_snapshot_can_be_loaded() {
    let peer = Peer::start(Script::new("sink.test").first(1, Stage::Mail, Act::Defer));
    let dns = DnsServer::start("sink.test A 127.0.0.1");
    let site = Site::new(&with_relay(&peer, "mailbox \"alice\""));
    site.build();
    let options = Options::of(&site).dns(dns.address());
    let daemon = Daemon::start(options.clone());
    send(&daemon, "friend@elsewhere.test");
    waits_for(&daemon, "elsewhere.test", "450");
    daemon.stop();

    let current = site.snapshots().join("current");
    let good = fs::read_link(&current).unwrap();
    fs::remove_file(&current).unwrap();
    std::os::unix::fs::symlink("nothing.mdb", &current).unwrap();
    let failure = Daemon::try_start(options.clone()).unwrap_err();
    assert_eq!(failure.status, 66, "{failure}");
    // What a program hands in meanwhile waits beside what was queued.
    hand_in(&site, "alice@example.com");
    let mut mailq = Command::new(&binaries().posternd);
    let shown = mailq.arg0("/usr/bin/mailq").env("STATE_DIRECTORY", site.state()).output().unwrap();
    let [listed, said] = [&shown.stdout, &shown.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    assert!(shown.status.success() && listed.contains("friend@elsewhere.test") && listed.contains("(450"), "{listed}{said}");
    assert!(said.contains("1 more message waits to be taken in"), "{said}");
    fs::remove_file(&current).unwrap();
    std::os::unix::fs::symlink(good, &current).unwrap();
    let daemon = Daemon::start(options);
    assert_eq!(peer.wait_for(1).len(), 1);
    assert!(String::from_utf8_lossy(&site.maildir("alice@example.com").wait_for(1)[0]).contains("Subject: waits"));
    drop(daemon);
}
