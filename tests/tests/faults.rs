//! The daemon dies at every moment that has a name, and is started again: what was acknowledged arrives, and nothing arrives twice but
//! where the table says so. The table is printed, and stands in `docs/durability.md` as it is printed.
#![allow(clippy::unwrap_used)]

use postern_tests::client::Client;
use postern_tests::daemon::binaries::workspace;
use postern_tests::daemon::{Daemon, Options, Site};
use postern_tests::dns::DnsServer;
use postern_tests::peer::{Act, Peer, Script, Stage};
use postern_tests::wait;
use posternd::fault::{Case, Point, Told};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// A site with one mailbox, and a relayhost that refuses one recipient.
struct Scene {
    site: Site,
    peer: Peer,
    dns: DnsServer,
}

impl Scene {
    fn new() -> Scene {
        let script = Script::new("sink.test").on(Stage::rcpt("never@elsewhere.test"), Act::Reject);
        let peer = Peer::start(script);
        let dns = DnsServer::start("sink.test A 127.0.0.1");
        let rest = format!(
            r#"network "here" "127.0.0.1" relay=#true reason="the test"
domain "example.com" {{ mailbox "alice" }}
relay "sink" host="sink.test" port={} {{ tls "none" }}
route to="*" via="sink"
queue {{ retry "1s" up-to="2s" }}
"#,
            peer.address().port()
        );
        let site = Site::small("alice@example.com", &rest);
        site.build();
        Scene { site, peer, dns }
    }

    fn options(&self) -> Options {
        Options::of(&self.site).dns(self.dns.address())
    }

    fn arrivals(&self, case: Case) -> usize {
        match case {
            // Of the one that is refused, what arrives is the notice.
            Case::Mailbox | Case::Refused => self.site.maildir("alice@example.com").len(),
            Case::Relay | Case::LargeRelay | Case::SecondStart => {
                self.peer.transactions().iter().filter(|taken| taken.accepted).count()
            }
        }
    }
}

/// Sends one message; whether it was acknowledged.
fn send(daemon: &Daemon, case: Case) -> bool {
    let to = match case {
        Case::Mailbox => "alice@example.com",
        Case::Refused => "never@elsewhere.test",
        Case::Relay | Case::LargeRelay | Case::SecondStart => "friend@elsewhere.test",
    };
    let lines = if case == Case::LargeRelay { 6000 } else { 3 };
    let text = format!("Subject: one\r\n\r\n{}", "A line of the message, which is not very long.\r\n".repeat(lines));
    let address = daemon.address("mx");
    // The connection ends with the daemon, in the midst of anything.
    let sent = catch_unwind(AssertUnwindSafe(|| {
        let mut client = Client::connect(address);
        client.hello();
        client.send_message("alice@example.com", &[to], text.as_bytes()).code
    }));
    sent.is_ok_and(|code| code == 250)
}

/// Dies at the moment, starts again, and answers with whether the client was told, and how often the message arrived.
fn live_through(point: Point) -> (bool, usize) {
    let (scene, case) = (Scene::new(), point.case());
    let mut told = false;
    if case == Case::SecondStart {
        let daemon = Daemon::start(scene.options());
        told = send(&daemon, case);
        scene.peer.wait_for(1);
        empty_queue(&daemon);
        daemon.stop();
    }
    // It may die before it is ready.
    if let Ok(mut daemon) = Daemon::try_start(scene.options().environment("POSTERN_FAULT", point.as_str())) {
        if case != Case::SecondStart {
            told = send(&daemon, case);
        }
        let died = wait::poll(Duration::from_secs(20), || (!daemon.is_running()).then_some(()));
        assert!(died.is_some(), "{}: the moment did not come", point.as_str());
    }
    let daemon = Daemon::start(scene.options());
    let (least, _) = point.arrivals();
    let arrived = wait::poll(Duration::from_secs(20), || (scene.arrivals(case) >= least).then_some(()));
    assert!(arrived.is_some(), "{}: {} arrived", point.as_str(), scene.arrivals(case));
    empty_queue(&daemon);
    let arrivals = scene.arrivals(case);
    daemon.stop();
    (told, arrivals)
}

fn empty_queue(daemon: &Daemon) {
    wait::until("an empty queue", || {
        let queue = daemon.status()["queue"].clone();
        (queue["recovering"] == false && queue["active"] == 0 && queue["deferred"] == 0).then_some(())
    });
}

fn row(point: Point) -> String {
    let told = match point.told() {
        Told::No => "no",
        Told::Perhaps => "perhaps",
        Told::Yes => "yes",
    };
    let case = match point.case() {
        Case::Mailbox => "to a mailbox",
        Case::Relay => "to a relay",
        Case::LargeRelay => "large, to a relay",
        Case::Refused => "refused, its notice",
        Case::SecondStart => "at the second start",
    };
    format!("| `{}` | {case} | {told} | {} |", point.as_str(), point.arrivals().0)
}

#[test]
fn the_daemon_dies_at_every_moment_and_nothing_is_lost() {
    // What the clients meet with when the daemon dies is no failure of the test.
    std::panic::set_hook(Box::new(|info| {
        if !info.to_string().contains("tests/src/client.rs") {
            eprintln!("{info}");
        }
    }));
    let mut table = String::new();
    let points = std::sync::Mutex::new(Point::ALL.into_iter());
    let found = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some(point) = { points.lock().unwrap().next() } {
                    let result = live_through(point);
                    found.lock().unwrap().push((point, result));
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort_by_key(|(point, _)| *point as usize);
    assert_eq!(found.len(), Point::ALL.len());
    for (point, (told, arrivals)) in found {
        let (least, most) = point.arrivals();
        table.push_str(&format!("{} told {told}, arrived {arrivals}\n", row(point)));
        assert!((least..=most).contains(&arrivals), "{}: {arrivals} arrived\n{table}", point.as_str());
        match point.told() {
            Told::No => assert!(!told, "{}: acknowledged\n{table}", point.as_str()),
            Told::Yes => assert!(told, "{}: not acknowledged\n{table}", point.as_str()),
            Told::Perhaps => {}
        }
        assert!(!told || arrivals > 0, "{}: acknowledged and lost\n{table}", point.as_str());
    }
    eprintln!("{table}");
}

#[test]
fn the_table_is_in_the_documentation() {
    let text = std::fs::read_to_string(workspace().join("docs/durability.md")).unwrap();
    let wanted: String = Point::ALL.into_iter().map(|point| row(point) + "\n").collect();
    assert!(text.contains(&wanted), "docs/durability.md must hold these rows:\n{wanted}");
}
