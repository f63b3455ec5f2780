//! Real servers as receivers: mail of every kind goes from our daemon to Postfix, Exim, OpenSMTPD, chasquid and Dovecot's LMTP, and
//! arrives as it was sent.
//!
//! A server that is not installed is skipped, and it is said so; under `CI=true` that is a failure.
#![allow(clippy::unwrap_used)]

use postern_tests::client::Client;
use postern_tests::daemon::{Daemon, Options, Site};
use postern_tests::receiver::{self, Receiver};
use postern_tests::scene::stored;
use postern_tests::wait;

/// A site whose mail for `receiver.test` goes to a server, at a level.
fn daemon(receiver: &Receiver, level: &str) -> (Site, Daemon) {
    let port = receiver.port;
    let transport = match receiver.lmtp {
        true => format!("lmtp=\"inet:127.0.0.1:{port}\""),
        false => format!("smtp=\"127.0.0.1\" port={port} tls=\"{level}\""),
    };
    let rest = format!(
        r#"tls {{ self-signed }}
domain "example.com" {{ mailbox "carl" }}
domain "receiver.test" class="relay" via="out"
transport "out" {transport}
queue {{ retry "1s" up-to="2s" }}
log format="json"
"#
    );
    let site = Site::small("carl@example.com", &rest);
    site.build();
    let daemon = Daemon::start(Options::of(&site));
    (site, daemon)
}

/// The recipients of attempts that are over, with status and reply, once there are so many.
fn outcomes(daemon: &Daemon, count: usize) -> Vec<(String, String, String)> {
    wait::until("every attempt is over", || {
        let all: Vec<_> = daemon.attempts().into_iter().filter(|(_, status, _)| status != "deferred").collect();
        (all.len() >= count).then_some(all)
    })
}

/// A message of some kind: what follows MAIL FROM, its recipients, and its text.
struct Sent {
    parameters: &'static str,
    recipients: &'static [&'static str],
    message: Vec<u8>,
    /// The status of each recipient.
    becomes: &'static [&'static str],
}

fn message(subject: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "From: <friend@elsewhere.test>\r\nTo: <alice@receiver.test>\r\nSubject: {subject}\r\nDate: Sat, 28 Nov 2026 12:00:00 +0000\r\nMessage-ID: <{subject}@elsewhere.test>\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn kinds(receiver: &Receiver) -> Vec<Sent> {
    const ALICE: &[&str] = &["alice@receiver.test"];
    let line = b"A line of a large message, with a dot below it.\r\n..\r\n.x\r\n";
    let plain = |parameters, recipients, message, becomes| Sent { parameters, recipients, message, becomes };
    let mut all = vec![
        plain("", ALICE, message("plain", b"Hello.\r\n.\r\n..\r\nEnd.\r\n"), &["sent"]),
        plain(
            "",
            &["alice@receiver.test", "nobody@receiver.test", "bob@receiver.test"],
            message("several", b"Hello.\r\n"),
            &["sent", "bounced", "sent"],
        ),
        plain(" BODY=8BITMIME", ALICE, message("eight", "Grüße, 例え\r\n".as_bytes()), &["sent"]),
        plain("", ALICE, message("large", &line.repeat(100_000)), &["sent"]),
    ];
    if receiver.smtputf8 {
        let text = message("utf8-grüße", "Grüße\r\n".as_bytes());
        all.push(plain(" BODY=8BITMIME SMTPUTF8", &["ünal@receiver.test"], text, &["sent"]));
    }
    all
}

fn send(daemon: &Daemon, sent: &Sent) {
    let mut client = Client::connect(daemon.address("mx"));
    client.hello();
    client.expect(&format!("MAIL FROM:<friend@elsewhere.test>{}", sent.parameters), 250);
    for recipient in sent.recipients {
        client.expect(&format!("RCPT TO:<{recipient}>"), 250);
    }
    client.expect("DATA", 354);
    let text = sent.message.split_inclusive(|octet| *octet == b'\n');
    let stuffed: Vec<u8> = text.flat_map(|line| [if line.starts_with(b".") { &b"."[..] } else { b"" }, line].concat()).collect();
    client.send(&stuffed);
    client.send(b".\r\n");
    client.expect_reply(250);
}

fn delivers(start: fn() -> Option<Receiver>) {
    let Some(receiver) = start() else { return };
    let levels: &[&str] = if receiver.tls { &["none", "encrypt"] } else { &["none"] };
    for level in levels {
        let (_site, daemon) = daemon(&receiver, level);
        let before = receiver.messages().len();
        let (mut expected, mut over) = (Vec::new(), 0);
        for sent in &kinds(&receiver) {
            send(&daemon, sent);
            over += sent.recipients.len();
            let found = outcomes(&daemon, over);
            for (recipient, wanted) in sent.recipients.iter().zip(sent.becomes) {
                let (_, status, reply) = found.iter().rev().find(|(to, ..)| to == recipient).unwrap();
                assert_eq!(status, wanted, "{} at {level}, {recipient}: {reply}\n{}", receiver.name, receiver.log());
            }
            expected.push(stored(&sent.message));
        }
        let arrived = wait::until("every message has arrived", || {
            let all = receiver.messages();
            let have = |text: &Vec<u8>| all.iter().any(|found| ends_with(found, text));
            (all.len() > before && expected.iter().all(have)).then_some(all.len())
        });
        assert!(arrived > before);
        let lines = daemon.log();
        let reached = if *level == "none" { "\"tls_level\":\"none\"" } else { "\"tls_level\":\"encrypt\"" };
        assert!(lines.contains(reached), "{} at {level}: {lines}", receiver.name);
    }
}

/// Whether a stored message ends with what was sent, whatever line ends it was stored with.
fn ends_with(found: &[u8], sent: &[u8]) -> bool {
    let bare = |text: &[u8]| text.iter().copied().filter(|octet| *octet != b'\r').collect::<Vec<u8>>();
    bare(found).ends_with(&bare(sent))
}

#[test]
fn postfix_takes_our_mail() {
    delivers(receiver::postfix);
}

#[test]
fn exim_takes_our_mail() {
    delivers(receiver::exim);
}

#[test]
fn opensmtpd_takes_our_mail() {
    delivers(receiver::opensmtpd);
}

#[test]
fn chasquid_takes_our_mail() {
    delivers(receiver::chasquid);
}

#[test]
fn dovecot_takes_our_mail_over_lmtp() {
    delivers(receiver::dovecot);
}
