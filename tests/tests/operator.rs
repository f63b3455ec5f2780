//! What an operator sees of the mail: the queue and its shape, the life of one message, numbers for Prometheus, and a log that
//! the programs made for Postfix's can read.
//!
//! Where pflogsumm is not installed its test is skipped, and says so; under `POSTERN_ORACLES=required` that is a failure.
#![allow(clippy::unwrap_used)]

use postern_tests::client::Client;
use postern_tests::daemon::binaries::{binaries, workspace};
use postern_tests::daemon::{Daemon, Options, Site};
use postern_tests::dns::DnsServer;
use postern_tests::peer::{Act, Peer, Script, Stage};
use postern_tests::scene::AWKWARD;
use postern_tests::wait;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

/// Everything that an operator may want to look at.
struct Scene {
    site: Site,
    daemon: Daemon,
    peer: Peer,
    _dns: DnsServer,
}

/// A site with one mailbox and a relayhost that takes some recipients, puts one off and refuses one.
fn stage(format: &str) -> Scene {
    let script = Script::new("sink.test")
        .on(Stage::rcpt("later@elsewhere.test"), Act::Say("451 4.7.1 come back later".into()))
        .on(Stage::rcpt("never@elsewhere.test"), Act::Say("550 5.1.1 nobody of that name".into()));
    let peer = Peer::start(script);
    let dns = DnsServer::start("sink.test A 127.0.0.1");
    let site = Site::new(&format!(
        r#"site "mail.example.com" {{ postmaster "alice@example.com"; address "192.0.2.25" }}
listen "mx" port=0 address="127.0.0.1"
network "here" "127.0.0.1" relay=#true reason="the test"
domain "example.com" {{ mailbox "alice" }}
relay "sink" host="sink.test" port={} {{ tls "none" }}
route to="elsewhere.test" via="sink"
metrics listen="127.0.0.1:0"
log format="{format}"
"#,
        peer.address().port()
    ));
    site.build();
    let daemon = Daemon::start(Options::of(&site).dns(dns.address()));
    Scene { site, daemon, peer, _dns: dns }
}

/// Two messages: one arrives everywhere, the other meets with everything.
fn mail(stage: &Scene) {
    let mut client = Client::connect(stage.daemon.address("mx"));
    client.hello();
    let all = ["alice@example.com", "good@elsewhere.test"];
    assert_eq!(client.send_message("alice@example.com", &all, AWKWARD).code, 250);
    let all = ["later@elsewhere.test", "never@elsewhere.test", "good@elsewhere.test"];
    assert_eq!(client.send_message("alice@example.com", &all, AWKWARD).code, 250);
    client.command("MAIL FROM:<alice@example.com>");
    assert_eq!(client.command("RCPT TO:<nobody@example.com>").code, 550);
    client.quit();
    // Beside what was sent to it, alice gets the notice about the one that was refused.
    stage.site.maildir("alice@example.com").wait_for(2);
    stage.peer.wait_for(2);
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn the_queue_its_shape_and_the_life_of_a_message() {
    let stage = stage("json");
    mail(&stage);
    let status = wait::until("one recipient waits", || {
        Some(stage.daemon.status()).filter(|status| status["queue"]["deferred"] == 1 && status["queue"]["active"] == 0)
    });
    let line = &status["shape"]["destinations"][0];
    assert_eq!((&line["destination"], &line["recipients"], &line["ages"][0]), (&"elsewhere.test".into(), &1.into(), &1.into()));
    assert_eq!(line["head"]["reason"], "451 4.7.1 come back later");
    assert_eq!(status["since-start"]["received"], 2);
    let id = line["head"]["id"].as_str().unwrap().to_owned();

    let state = stage.site.state();
    let mailq = Command::new(&binaries().posternd).arg0("/usr/bin/mailq").env("STATE_DIRECTORY", &state).output().unwrap();
    let listed = text(&mailq);
    assert!(listed.contains(&id) && listed.contains("(451 4.7.1 come back later)"), "{listed}");
    assert!(listed.trim_end().ends_with("in 1 Request."), "{listed}");

    let shown = stage.daemon.control(&["status"]).success();
    assert!(shown.contains("why the oldest of each waits") && shown.contains("come back later"), "{shown}");

    // The history is on disk, whether the daemon runs or not.
    stage.daemon.stop();
    let trace = Command::new(&binaries().posternd).args(["trace", &id, "--state"]).arg(&state).output().unwrap();
    let life = text(&trace);
    for word in [
        "queued",
        "helo=",
        "attempt",
        "come back later",
        "nobody of that name",
        "sender notified",
        "to=alice@example.com",
        "removed",
    ] {
        assert!(life.contains(word), "{word} in\n{life}");
    }
}

#[test]
fn prometheus_is_told_what_the_log_says() {
    let stage = stage("json");
    mail(&stage);
    let address = wait::until("the address of the metrics", || {
        let line = stage.daemon.log().lines().find(|line| line.contains("metrics are served"))?.to_owned();
        Some(serde_json::from_str::<serde_json::Value>(&line).unwrap()["address"].as_str().unwrap().to_owned())
    });
    let ask = |path: &str| {
        let mut stream = TcpStream::connect(&address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(ask("/").starts_with("HTTP/1.1 404 "));
    let answer = ask("/metrics");
    for file in ["docs/monitoring/alerts.yaml", "docs/monitoring/dashboard.json"] {
        let text = fs::read_to_string(workspace().join(file)).unwrap();
        for name in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| word.starts_with("postern_")) {
            assert!(
                answer.contains(&format!("\n{name}{{")) || answer.contains(&format!("\n{name} ")),
                "{file}: {name} is not served"
            );
        }
    }
    wait::until("the numbers are those of the mail", || {
        let answer = ask("/metrics");
        let has = |line: &str| answer.lines().any(|found| found == line);
        [
            "postern_messages_received_total 2",
            "postern_attempts_total{outcome=\"deferred\"} 1",
            "postern_attempts_total{outcome=\"bounced\"} 1",
            // Two of the first message, one of the second, and the notice.
            "postern_attempts_total{outcome=\"sent\"} 4",
            "postern_refused_total{reason=\"unknown-mailbox\"} 1",
            "postern_notices_total 1",
            "postern_queue_messages{state=\"deferred\"} 1",
        ]
        .iter()
        .all(|line| has(line))
        .then_some(())
    });
}

#[test]
fn pflogsumm_counts_what_we_count() {
    let program = ["/usr/sbin/pflogsumm", "/usr/bin/pflogsumm"].into_iter().find(|path| fs::exists(path).unwrap());
    let Some(program) = program else {
        assert!(std::env::var("POSTERN_ORACLES").is_err(), "pflogsumm is required here and is not installed");
        return eprintln!("skipped: pflogsumm is not installed");
    };
    let stage = stage("postfix");
    mail(&stage);
    wait::until("the notice is in the log", || {
        let log = stage.daemon.log();
        (log.matches("status=sent").count() == 4 && log.contains("status=deferred") && log.contains("status=bounced"))
            .then_some(())
    });
    let log = stage.site.path("mail.log");
    fs::write(&log, stage.daemon.log()).unwrap();
    let summary = text(&Command::new(program).arg(&log).output().unwrap());
    let total = |what: &str| {
        let line = summary.lines().find(|line| {
            line.trim_start().split_once(char::is_whitespace).is_some_and(|(_, name)| name.trim().starts_with(what))
        });
        let line = line.unwrap_or_else(|| panic!("no {what} in\n{summary}"));
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap()
    };
    let counts = ["received", "delivered", "deferred", "bounced", "rejected"].map(total);
    assert_eq!(counts, [2, 4, 1, 1, 1], "{summary}");
    assert!(summary.contains("nobody of that name"), "{summary}");
}
