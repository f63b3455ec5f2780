//! The real Dovecot as a store of users: every mechanism that it offers, from a client of other people, through our submission
//! listener; what a user hears while it is away; and the other way round, our own login at a Postfix that asks it.
//!
//! Dovecot or Python that is not installed is skipped, and it is said so; under `POSTERN_ORACLES=required` that is a failure.
#![allow(clippy::unwrap_used)]

use postern_tests::client::Client;
use postern_tests::daemon::binaries::workspace;
use postern_tests::daemon::{Daemon, Options, Site};
use postern_tests::dns::DnsServer;
use postern_tests::dovecot::{Dovecot, PASSWORD, program, token};
use postern_tests::receiver;
use postern_tests::scene::{RELAY_LOGIN, Scene, kdl};
use postern_tests::wait::until;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Whether a program can be run; where not, it is said, or it is a failure.
fn is_there(program: &Path) -> bool {
    let quiet = || Stdio::null();
    let is_there = Command::new(program).arg("--version").stdin(quiet()).stdout(quiet()).stderr(quiet()).status().is_ok();
    if !is_there {
        assert!(std::env::var_os("POSTERN_ORACLES").is_none(), "{} is not installed", program.display());
        let _ = writeln!(std::io::stderr(), "SKIPPED: {} is not installed; what it would find goes unnoticed", program.display());
    }
    is_there
}

fn log_in(scene: &Scene, user: &str, password: &str, mechanisms: &[&str]) -> Vec<String> {
    let port = scene.daemon.address("submission").port().to_string();
    let script = workspace().join("tests/peers/sasl_login.py");
    let output = Command::new("python3").arg(script).args([&port, user, password]).args(mechanisms).output().unwrap();
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), scene.daemon.log());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn whatever_dovecot_offers_is_a_login() {
    if !is_there(program()) || !is_there(Path::new("python3")) {
        return;
    }
    let mut dovecot = Dovecot::new("plain login cram-md5 digest-md5 scram-sha-256 anonymous");
    let store = format!("dovecot \"unix:{}\"", dovecot.path("auth-client").display());
    let credentials = [("relay-password", format!("{}\n", RELAY_LOGIN.1))];
    let scene = Scene::of(|port| kdl(port).replace("passwd secret=\"users\"", &store), &credentials, RELAY_LOGIN);

    // While it is away nobody hears "no".
    assert_eq!(log_in(&scene, "alice", PASSWORD, &["PLAIN"]), ["PLAIN 454"]);
    until("the log says why", || scene.daemon.log().contains("is it running").then_some(()));
    dovecot.start();
    // Its mechanisms are asked for again after a few seconds.
    until("the mechanisms are known", || (log_in(&scene, "alice", PASSWORD, &["CRAM-MD5"]) == ["CRAM-MD5 235"]).then_some(()));
    assert_eq!(
        log_in(&scene, "alice", PASSWORD, &["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-256"]),
        ["PLAIN 235", "LOGIN 235", "CRAM-MD5 235", "DIGEST-MD5 235", "SCRAM-SHA-256 235"]
    );
    // Each failure waits longer for its answer, so there are few.
    assert_eq!(log_in(&scene, "alice", "looking-glass", &["CRAM-MD5"]), ["CRAM-MD5 535"]);
    assert_eq!(log_in(&scene, "bob", "x", &["PLAIN"]), ["PLAIN 535"]);

    // The name that Dovecot has for somebody is the one that may send: of another case is the same user.
    let mut client = scene.mail_program("submission");
    let hello = client.hello();
    assert!(hello.text().contains("AUTH ") && !hello.text().contains("ANONYMOUS"), "{}", hello.text());
    assert_eq!(client.auth_plain("Alice", PASSWORD).code, 235);
    client.expect("MAIL FROM:<bob@example.com>", 553);
    client.expect("MAIL FROM:<alice@example.com>", 250);

    dovecot.stop();
    assert_eq!(log_in(&scene, "alice", PASSWORD, &["CRAM-MD5"]), ["CRAM-MD5 454"]);
    dovecot.start();
    assert_eq!(log_in(&scene, "alice", PASSWORD, &["CRAM-MD5"]), ["CRAM-MD5 235"]);
    assert!(!scene.daemon.log().contains(PASSWORD), "a password is in the log");
}

/// What becomes of a message whose relay is Postfix, which offers these mechanisms: by which we log in, its status, and the reply.
fn relayed(dovecot: &Dovecot, offered: &str, login: &str, secret: &str) -> Option<(String, String, String)> {
    let receiver = receiver::postfix_with_login(&dovecot.path("auth-client"), offered)?;
    let dns = DnsServer::start("receiver.test A 127.0.0.1");
    let port = receiver.port;
    let site = Site::small(
        "carl@example.com",
        &format!(
            r#"network "here" "127.0.0.1" relay=#true reason="the test"
domain "example.com" {{ mailbox "carl" }}
relay "up" host="receiver.test" port={port} {{ tls "verify"; {login} }}
route to="*" via="up"
queue {{ retry "1s" up-to="2s" }}
log format="json"
"#
        ),
    );
    site.credential("secret", secret);
    site.build();
    let daemon = Daemon::start(Options::of(&site).dns(dns.address()).authority(&receiver.authority()));
    let mut client = Client::connect(daemon.address("mx"));
    client.hello();
    assert_eq!(client.send_message("carl@example.com", &["alice@receiver.test"], b"Subject: by login\r\n\r\nx\r\n").code, 250);
    let (_, status, reply) = until("an attempt", || daemon.attempts().into_iter().next());
    let by = daemon.events("connected").first().and_then(|line| line["login"].as_str().map(str::to_owned)).unwrap_or_default();
    if status == "sent" {
        until("the message has arrived", || (receiver.messages().len() == 1).then_some(()));
    } else {
        assert!(receiver.messages().is_empty());
    }
    assert!(!daemon.log().contains(secret), "a secret is in the log");
    assert!(!reply.is_empty(), "{}{}", dovecot.log(), receiver.log());
    Some((by, status, reply))
}

#[test]
fn we_log_in_at_a_postfix_that_asks_dovecot() {
    if !is_there(program()) {
        return;
    }
    let mut dovecot = Dovecot::new("plain login scram-sha-256 xoauth2 oauthbearer");
    dovecot.start();
    let (password, bearer) = (r#"login "alice" secret="secret""#, r#"login "alice" secret="secret" bearer=#true"#);
    let good = token("alice");
    for (offered, login, secret, by, status) in [
        ("plain login scram-sha-256", password, PASSWORD, "SCRAM-SHA-256", "sent"),
        ("plain login", password, PASSWORD, "PLAIN", "sent"),
        ("login", password, PASSWORD, "LOGIN", "sent"),
        ("plain xoauth2 oauthbearer", bearer, &*good, "XOAUTH2", "sent"),
        ("plain oauthbearer", bearer, &*good, "OAUTHBEARER", "sent"),
        // That is about us, so the mail waits.
        ("scram-sha-256", password, "looking-glass", "", "deferred"),
        ("xoauth2", bearer, "no-token-of-anybody", "", "deferred"),
        ("oauthbearer", bearer, "no-token-of-anybody", "", "deferred"),
        // A token is never said as a password, nor a password as a token.
        ("plain login scram-sha-256", bearer, &*good, "", "deferred"),
        ("xoauth2 oauthbearer", password, PASSWORD, "", "deferred"),
    ] {
        let Some((found, became, reply)) = relayed(&dovecot, offered, login, secret) else { return };
        assert_eq!((&*found, &*became), (by, status), "{offered}, {login}: {reply}\n{}", dovecot.log());
    }
}
