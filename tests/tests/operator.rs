//! What an operator sees of the mail: the queue and its shape, the life of one message, numbers for Prometheus, and a log that
//! the programs made for Postfix's can read.
//!
//! pflogsumm, fail2ban, promtool and a validator of JSON Schema are held against it where they are installed.
#![allow(clippy::unwrap_used)]

use postern_tests::client::Client;
use postern_tests::daemon::binaries::{binaries, workspace};
use postern_tests::daemon::{Daemon, Options, Site, passwd_line};
use postern_tests::dns::DnsServer;
use postern_tests::oracle::{is_there, skip};
use postern_tests::peer::{Act, Peer, Script, Stage};
use postern_tests::scene::AWKWARD;
use postern_tests::wait;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

/// Everything that an operator may want to look at.
struct Scene {
    site: Site,
    daemon: Daemon,
    peer: Peer,
    _dns: DnsServer,
}

/// A site with one mailbox and a relayhost that takes some recipients, puts one off and refuses one.
fn stage(format: &str) -> Scene {
    stage_with(format, "", |options| options)
}

/// The same with more in its `site`, and a daemon that is started in another way.
fn stage_with(format: &str, host: &str, change: impl FnOnce(Options) -> Options) -> Scene {
    let script = Script::new("sink.test")
        .on(Stage::rcpt("later@elsewhere.test"), Act::Say("451 4.7.1 come back later".into()))
        .on(Stage::rcpt("never@elsewhere.test"), Act::Say("550 5.1.1 nobody of that name".into()));
    let peer = Peer::start(script);
    let dns = DnsServer::start("sink.test A 127.0.0.1");
    let site = Site::new(&format!(
        r#"site "mail.example.com" {{ postmaster "alice@example.com"; address "192.0.2.25"; {host} }}
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
    let daemon = Daemon::start(change(Options::of(&site).dns(dns.address())));
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
    let address = metrics_of(&stage);
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

/// Where the numbers are served.
fn metrics_of(stage: &Scene) -> String {
    wait::until("the address of the metrics", || {
        let line = stage.daemon.log().lines().find(|line| line.contains("metrics are served"))?.to_owned();
        Some(serde_json::from_str::<serde_json::Value>(&line).unwrap()["address"].as_str().unwrap().to_owned())
    })
}

#[test]
fn promtool_reads_the_numbers_and_the_alerts() {
    if !is_there("promtool", &["--version"]) {
        return;
    }
    let stage = stage("json");
    mail(&stage);
    wait::until("one recipient waits", || (stage.daemon.status()["queue"]["deferred"] == 1).then_some(()));
    let mut stream = TcpStream::connect(metrics_of(&stage)).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let numbers = answer.split_once("\r\n\r\n").unwrap().1;
    let promtool = |arguments: &[&str], input: &str| {
        let mut command = Command::new("promtool");
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (
            output.status.success(),
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
        )
    };
    let (is_fine, said) = promtool(&["check", "metrics"], numbers);
    assert!(is_fine && said.trim().is_empty(), "{said}");
    let (is_fine, _) = promtool(&["check", "metrics"], &numbers.replacen("counter", "cuonter", 1));
    assert!(!is_fine, "promtool takes anything");
    let alerts = workspace().join("docs/monitoring/alerts.yaml");
    let (is_fine, said) = promtool(&["check", "rules", alerts.to_str().unwrap()], "");
    assert!(is_fine, "{said}");
    // Each class that there can be is there, and no more than that: a stranger cannot make the answer grow.
    assert!(numbers.contains("postern_queue_recipients{state=\"deferred\",class=\"relay\"} 1"), "{numbers}");
    assert!(numbers.lines().count() < 300, "{} lines", numbers.lines().count());
}

#[test]
fn fail2ban_finds_refusals_and_failed_logins() {
    if !is_there("fail2ban-regex", &["--version"]) {
        return;
    }
    let site = Site::new(
        r#"site "mail.example.com" { postmaster "alice@example.com"; address "192.0.2.25" }
tls { self-signed }
listen "mx" port=0 address="127.0.0.1"
listen "submissions" port=0 address="127.0.0.1"
users "staff" { passwd secret="users" }
domain "example.com" { mailbox "alice" }
route to="*" via="direct"
log format="postfix"
"#,
    );
    site.credential("users", &passwd_line("alice", "secret"));
    site.build();
    let dns = DnsServer::start("");
    let daemon = Daemon::start(Options::of(&site).dns(dns.address()));
    let stranger = |number: u8, recipient: &str| {
        let mut client = Client::dial_from([127, 0, 0, number].into(), daemon.address("mx")).unwrap();
        client.expect_reply(220);
        client.hello();
        client.command("MAIL FROM:<eve@example.org>");
        assert!(client.command(&format!("RCPT TO:<{recipient}>")).code >= 500);
        client.quit();
    };
    stranger(21, "nobody@example.com");
    stranger(22, "somebody@elsewhere.test");
    let mut client = Client::connect_tls(daemon.address("submissions"));
    client.hello();
    assert_eq!(client.auth_plain("alice", "guess").code, 535);
    client.quit();
    // One who does nothing wrong.
    let mut client = Client::dial_from([127, 0, 0, 24].into(), daemon.address("mx")).unwrap();
    client.expect_reply(220);
    client.hello();
    assert_eq!(client.send_message("friend@example.org", &["alice@example.com"], b"Subject: x\r\n\r\ntext\r\n").code, 250);
    client.quit();
    wait::until("all of it is in the log", || {
        let log = daemon.log();
        (log.contains("authentication failed") && log.matches("NOQUEUE").count() == 2 && log.contains("status=sent"))
            .then_some(())
    });
    let log = site.path("mail.log");
    fs::write(&log, daemon.log()).unwrap();
    let output = Command::new("fail2ban-regex").args(["-o", "ip"]).arg(&log).arg("postfix[mode=aggressive]").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut found: Vec<&str> = said.lines().map(str::trim).filter(|line| line.starts_with("127.")).collect();
    found.sort_unstable();
    assert_eq!(found, ["127.0.0.1", "127.0.0.21", "127.0.0.22"], "{output:?}\n{}", daemon.log());
}

#[test]
fn every_way_to_choose_messages() {
    let stage = stage("json");
    mail(&stage);
    wait::until("one recipient waits", || (stage.daemon.status()["queue"]["deferred"] == 1).then_some(()));
    let count = |verb: &str, filter: &[&str]| {
        let arguments = [&["queue", verb][..], filter, &["--dry-run", "--json"]].concat();
        serde_json::from_str::<serde_json::Value>(&stage.daemon.control(&arguments).success()).unwrap()["messages"].clone()
    };
    let listed: serde_json::Value = serde_json::from_str(&stage.daemon.control(&["queue", "list", "--json"]).success()).unwrap();
    let id = listed[0]["id"].as_str().unwrap().to_owned();
    for verb in ["flush", "hold", "requeue", "delete"] {
        for filter in [
            &[id.as_str()][..],
            &["--from", "alice@example.com"],
            &["--to", "later@elsewhere.test"],
            &["--domain", "ELSEWHERE.test"],
            &["--relay", "sink"],
            &["--older-than", "0s"],
            &["--reason", "come back"],
            &["--all"],
        ] {
            assert_eq!(count(verb, filter), 1, "{verb} {filter:?}");
        }
        for filter in [
            &["0000000000000001"][..],
            &["--from", "<>"],
            &["--to", "good@elsewhere.test"],
            &["--domain", "example.com"],
            &["--relay", "direct"],
            &["--older-than", "1h"],
            &["--reason", "no such reason"],
            &["--relay", "sink", "--from", "<>"],
        ] {
            assert_eq!(count(verb, filter), 0, "{verb} {filter:?}");
        }
    }
    // Held, it stays; released, it goes on.
    for (verb, state) in [("hold", "hold"), ("release", "deferred")] {
        stage.daemon.control(&["queue", verb, "--relay", "sink"]).success();
        assert_eq!(stage.daemon.status()["queue"][state], 1, "{verb}");
    }
    for verb in ["hold", "release", "delete"] {
        let slip = stage.daemon.control(&["queue", verb]);
        assert!(slip.status == 1 && slip.stderr.contains("--all"), "{verb}: {slip}");
    }

    // The header is shown, the text only to who asks for it.
    let shown = stage.daemon.control(&["queue", "show", &id]).success();
    assert!(shown.contains("Received: ") && shown.contains("octets of text, which --body shows"), "{shown}");
    let text = String::from_utf8_lossy(AWKWARD).split_once("\r\n\r\n").unwrap().1.lines().next().unwrap().to_owned();
    assert!(!shown.contains(&text), "{shown}");
    assert!(stage.daemon.control(&["queue", "show", &id, "--body"]).success().contains(&text));
    let gone = stage.daemon.control(&["queue", "delete", &id]).success();
    assert!(gone.contains("messages: 1"), "{gone}");
    assert_eq!(stage.daemon.status()["queue"]["deferred"], 0);
}

#[test]
fn every_answer_fits_its_schema() {
    let stage = stage("json");
    mail(&stage);
    wait::until("one recipient waits", || (stage.daemon.status()["queue"]["deferred"] == 1).then_some(()));
    let listed = stage.daemon.control(&["queue", "list", "--json"]).success();
    let id = serde_json::from_str::<serde_json::Value>(&listed).unwrap()[0]["id"].as_str().unwrap().to_owned();
    let names = text(&Command::new(&binaries().posternd).arg("schema").output().unwrap());
    let mut answers = vec![
        ("status", stage.daemon.control(&["status", "--json"]).success()),
        ("queue-list", listed),
        ("queue-show", stage.daemon.control(&["queue", "show", &id, "--json"]).success()),
        ("queue-show", stage.daemon.control(&["queue", "show", &id, "--body", "--json"]).success()),
        ("queue-change", stage.daemon.control(&["queue", "hold", &id, "--json"]).success()),
        ("reload", stage.daemon.control(&["reload", "--json"]).success()),
    ];
    let state = stage.site.state();
    let trace = || Command::new(&binaries().posternd).args(["trace", &id, "--json", "--state"]).arg(&state).output().unwrap();
    wait::until("the history", || trace().status.success().then_some(()));
    answers.push(("trace", text(&trace())));
    // Those of reports are in tests/tests/reports.rs, which has some.
    let is_shown = |name: &str| name.starts_with("report-") || answers.iter().any(|(known, _)| *known == name);
    assert!(names.lines().all(is_shown), "{names}");
    if !is_there("check-jsonschema", &["--version"]) {
        return;
    }
    let check = |schema: &str, answer: &str| {
        let [of_schema, of_answer] = ["schema.json", "answer.json"].map(|name| stage.site.path(name));
        fs::write(&of_schema, schema).unwrap();
        fs::write(&of_answer, answer).unwrap();
        Command::new("check-jsonschema").arg("--schemafile").args([&of_schema, &of_answer]).output().unwrap()
    };
    for (name, answer) in &answers {
        let schema = text(&Command::new(&binaries().posternd).args(["schema", name]).output().unwrap());
        let output = check(&schema, answer);
        assert!(output.status.success(), "{name}: {}\n{answer}", String::from_utf8_lossy(&output.stdout));
        assert!(!check(&schema, "\"nothing\"").status.success(), "the schema of {name} takes anything");
        let [path, _] = ["schema.json", "answer.json"].map(|name| stage.site.path(name));
        let meta = Command::new("check-jsonschema").arg("--check-metaschema").arg(path).output().unwrap();
        assert!(meta.status.success(), "{name}: {}", String::from_utf8_lossy(&meta.stdout));
    }
}

#[test]
fn what_is_damaged_is_set_aside_and_shown() {
    let stage = stage("json");
    mail(&stage);
    wait::until("one recipient waits", || (stage.daemon.status()["queue"]["deferred"] == 1).then_some(()));
    assert_eq!(stage.daemon.status()["damaged"]["pieces"], 0);
    let options = stage.daemon.options().clone();
    stage.daemon.stop();
    let spool = stage.site.state().join("spool");
    let segment =
        fs::read_dir(&spool).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.extension() == Some("log".as_ref()));
    let segment = segment.unwrap();
    let mut octets = fs::read(&segment).unwrap();
    // In the midst of the first message, which is delivered: what comes behind it is not hurt.
    octets[300] ^= 1;
    fs::write(&segment, octets).unwrap();
    let daemon = Daemon::start(options);
    let status =
        wait::until("the queue is read", || Some(daemon.status()).filter(|status| status["queue"]["recovering"] == false));
    assert_eq!((&status["queue"]["deferred"], &status["damaged"]["pieces"]), (&1.into(), &1.into()), "{status:#}");
    let copy = status["damaged"]["last"]["saved-as"].as_str().unwrap().to_owned();
    assert!(fs::exists(&copy).unwrap() && fs::exists(format!("{copy}.reason")).unwrap(), "{copy}");
    assert!(daemon.control(&["status"]).success().contains("checksum"));
}

#[test]
fn pflogsumm_counts_what_we_count() {
    let program = ["/usr/sbin/pflogsumm", "/usr/bin/pflogsumm"].into_iter().find(|path| fs::exists(path).unwrap());
    let Some(program) = program else { return skip("pflogsumm") };
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

#[test]
fn the_postmaster_is_told_of_what_the_site_names_and_of_nothing_else() {
    // A quarter of an hour is three seconds.
    let stage = stage_with("json", "notify \"2bounce\" \"policy\"", |options| options.environment("POSTERN_HURRY", "300"));
    for _ in 0..3 {
        let mut client = Client::connect(stage.daemon.address("mx"));
        client.hello();
        client.command("MAIL FROM:<alice@example.com>");
        assert_eq!(client.command("RCPT TO:<nobody@example.com>").code, 550);
    }
    let mut client = Client::connect(stage.daemon.address("mx"));
    client.hello();
    // A notice that nobody takes; and one whose sender is told, which is of no class that is asked for.
    assert_eq!(client.send_message("", &["never@elsewhere.test"], AWKWARD).code, 250);
    assert_eq!(client.send_message("alice@example.com", &["never@elsewhere.test"], AWKWARD).code, 250);
    let told = || {
        let texts = stage.site.maildir("alice@example.com").messages();
        let texts = texts.iter().map(|text| String::from_utf8_lossy(text).into_owned());
        texts.filter(|text| text.contains("\nSubject: mail.example.com: ")).collect::<Vec<_>>()
    };
    let texts = wait::until("two notices", || Some(told()).filter(|texts| texts.len() >= 2));
    let of = |class: &str| texts.iter().find(|text| text.contains(&format!(" of class {class}\n"))).unwrap();
    let policy = of("policy");
    assert!(policy.starts_with("Return-Path: <>\n") && policy.contains("Subject: mail.example.com: 3 events "), "{policy}");
    assert_eq!(policy.matches("nobody@example.com").count(), 3, "{policy}");
    assert!(policy.contains("site.kdl:1"), "it says who asked for it: {policy}");
    let double = of("2bounce");
    assert!(double.contains("to=never@elsewhere.test") && double.contains("1 event "), "{double}");
    // What is said of the notices themselves leads to no more of them.
    wait::until("an empty queue", || (stage.daemon.status()["queue"]["active"] == 0).then_some(()));
    assert_eq!(told().len(), 2);
}
