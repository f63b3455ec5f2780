//! What senders hear of their mail, end to end: success, delay, relaying and failure as they ask for it (RFC 3461), in reports that
//! programs read (RFC 3464) and texts that people read, in English and in Japanese; and who hears nothing.
#![allow(clippy::unwrap_used)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use postern_tests::client::{Client, stuff};
use postern_tests::daemon::{Daemon, Options, Site};
use postern_tests::dns::DnsServer;
use postern_tests::peer::{Act, Peer, Script, Stage};
use postern_tests::wait;

const MESSAGE: &[u8] =
    b"From: alice@example.com\r\nTo: friends@elsewhere.test\r\nSubject: about the house\r\n\r\nThe roof leaks.\r\n";

/// A site whose mail goes to a host that tells senders nothing, to one that does, and else by MX.
struct Scene {
    plain: Peer,
    telling: Peer,
    site: Site,
    daemon: Daemon,
    _dns: DnsServer,
}

impl Scene {
    fn new(queue: &str) -> Scene {
        let script = Script::new("sink.test")
            .on(Stage::rcpt("never@plain.test"), Act::Say("550 5.1.1 nobody of that name".into()))
            .on(Stage::rcpt("late@plain.test"), Act::Defer)
            .on(Stage::rcpt("patient@plain.test"), Act::Defer);
        let plain = Peer::start(script);
        let telling = Peer::start(Script::new("sink.test").extensions(&["PIPELINING", "8BITMIME", "DSN"]));
        let dns = DnsServer::start("sink.test A 127.0.0.1\nnull.test MX 0 .");
        let [of_plain, of_telling] = [&plain, &telling].map(|peer| peer.address().port());
        let site = Site::small(
            "alice@example.com",
            &format!(
                r#"network "here" "127.0.0.1" relay=#true reason="the test"
domain "example.com" {{ mailbox "alice"; mailbox "bob" }}
relay "plain" host="sink.test" port={of_plain} {{ tls "none" }}
relay "telling" host="sink.test" port={of_telling} {{ tls "none" }}
route to="plain.test" via="plain"
route to="telling.test" via="telling"
route to="*" via="direct"
queue {{ retry "1s" up-to="1s"; {queue} }}
log format="json"
"#
            ),
        );
        site.build();
        let daemon = Daemon::start(Options::of(&site).dns(dns.address()));
        Scene { plain, telling, site, daemon, _dns: dns }
    }

    /// What follows MAIL FROM, and what follows each RCPT TO.
    fn send(&self, from: &str, to: &[&str]) {
        let mut client = Client::connect(self.daemon.address("mx"));
        client.hello();
        client.expect(&format!("MAIL FROM:{from}"), 250);
        to.iter().for_each(|to| drop(client.expect(&format!("RCPT TO:{to}"), 250)));
        client.expect("DATA", 354);
        client.send(&stuff(MESSAGE));
        client.expect_reply(250);
    }

    /// Every notice that alice has, with its lines unfolded.
    fn notices(&self) -> Vec<String> {
        let texts = self.site.maildir("alice@example.com").messages();
        let texts = texts.into_iter().map(|text| String::from_utf8(text).unwrap().replace("\n\t", " "));
        texts.filter(|text| text.contains("report-type=delivery-status")).collect()
    }

    /// The notice with these fields about an address.
    fn notice(&self, address: &str, fields: &[&str]) -> String {
        let about = format!("Final-Recipient: rfc822; {address}\n");
        let group = |text: &str| text.split("\n\n").find(|group| group.contains(&about)).map(str::to_owned);
        let found = wait::poll(wait::PATIENCE, || {
            let has = |group: &str| fields.iter().all(|field| format!("\n{group}").contains(&format!("\n{field}")));
            self.notices().into_iter().find(|text| group(text).is_some_and(|group| has(&group)))
        });
        found.unwrap_or_else(|| panic!("{fields:?} about {address} is not in {:#?}\n{}", self.notices(), self.daemon.log()))
    }

    fn nothing_is_left(&self) {
        wait::until("an empty queue", || {
            let queue = self.daemon.status()["queue"].clone();
            ["active", "deferred", "hold"].iter().all(|state| queue[*state] == 0).then_some(())
        });
    }
}

/// Whether a text holds these words, wherever its lines are broken.
fn says(text: &str, words: &str) -> bool {
    let plain = |text: &str| text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    plain(text).contains(&plain(words))
}

#[test]
fn senders_hear_what_they_ask_for_rfc_3461() {
    let scene = Scene::new("");
    scene.send(
        "<alice@example.com> RET=HDRS ENVID=first+2Bone",
        &[
            "<bob@example.com> NOTIFY=SUCCESS",
            "<good@plain.test> NOTIFY=SUCCESS ORCPT=rfc822;old@plain.test",
            "<good@telling.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;old@telling.test",
            "<quiet@plain.test>",
            "<never@plain.test> NOTIFY=NEVER",
        ],
    );
    let delivered = scene.notice("bob@example.com", &["Action: delivered", "Status: 2.0.0"]);
    assert!(delivered.contains("\nOriginal-Envelope-Id: first+one\n"), "{delivered}");
    assert!(
        says(&delivered, "has reached the recipients below") && delivered.contains("\nReporting-MTA: dns; mail.example.com\n")
    );
    assert!(!delivered.contains("The roof leaks."), "{delivered}");
    let relayed = scene.notice("good@plain.test", &["Action: relayed", "Original-Recipient: rfc822;old@plain.test"]);
    assert!(says(&relayed, "sends no reports"), "{relayed}");
    // The other host is told what the sender asked for, and sees to it.
    let taken = scene.telling.wait_for(1).remove(0);
    assert!(taken.parameters.contains("RET=HDRS") && taken.parameters.contains("ENVID=first+2Bone"), "{}", taken.parameters);
    let commands = scene.telling.commands();
    let asked = |line: &str| line.contains("NOTIFY=SUCCESS,FAILURE") && line.contains("ORCPT=rfc822;old@telling.test");
    assert!(commands.iter().any(|(_, line)| line.starts_with("RCPT TO:<good@telling.test>") && asked(line)), "{commands:?}");
    assert!(scene.plain.commands().iter().all(|(_, line)| !line.contains("NOTIFY=") && !line.contains("RET=")));
    scene.nothing_is_left();
    for about in ["good@telling.test", "quiet@plain.test", "never@plain.test"] {
        assert!(scene.notices().iter().all(|text| !text.contains(about)), "{about}: {:?}", scene.notices());
    }
}

#[test]
fn failures_are_told_with_what_comes_back_and_nobody_hears_of_a_notice() {
    let scene = Scene::new("");
    scene.send("<alice@example.com>", &["<never@plain.test>"]);
    let fields =
        ["Action: failed", "Status: 5.1.1", "Diagnostic-Code: smtp; 550 5.1.1 nobody of that name", "Remote-MTA: dns; sink.test"];
    let notice = scene.notice("never@plain.test", &fields);
    for expected in
        ["Return-Path: <>\n", "Auto-Submitted: auto-replied\n", "does not know this address", "Subject: about the house"]
    {
        assert!(says(&notice, expected), "{expected}: {notice}");
    }
    assert!(notice.contains("text/rfc822-headers") && !notice.contains("The roof leaks."), "{notice}");

    scene.send("<alice@example.com> RET=FULL", &["<x@null.test>"]);
    let notice = scene.notice("x@null.test", &["Action: failed", "Status: 5.1.10", "Diagnostic-Code: X-Postern; 556"]);
    assert!(notice.contains("Content-Type: message/rfc822") && notice.contains("The roof leaks."), "{notice}");

    scene.send("<alice@example.com>", &["<x@gone.test>"]);
    scene.notice("x@gone.test", &["Action: failed", "Status: 5.1.2"]);

    scene.send("<>", &["<never@plain.test>"]);
    wait::until("the log says that nobody hears of it", || scene.daemon.events("nobody is told").pop());
    scene.nothing_is_left();
    assert_eq!(scene.notices().len(), 3);
}

#[test]
fn a_delay_is_told_once_and_an_end_too() {
    let scene = Scene::new("warn-after \"2s\"; lifetime \"6s\"; bounce-lifetime \"5s\"");
    scene.send("<alice@example.com>", &["<late@plain.test>", "<patient@plain.test> NOTIFY=FAILURE"]);
    let delayed = scene.notice("late@plain.test", &["Action: delayed", "Status: 4.2.0"]);
    assert!(says(&delayed, "You need do nothing") && !delayed.contains("patient@plain.test"), "{delayed}");
    for address in ["late@plain.test", "patient@plain.test"] {
        let over = scene.notice(address, &["Action: failed", "Status: 5.4.7"]);
        assert!(says(&over, "The time for which we try to deliver a message is over"), "{over}");
    }
    scene.nothing_is_left();
    let told = scene.notices().iter().filter(|text| text.contains("\nAction: delayed\n")).count();
    assert_eq!(told, 1, "{:?}", scene.notices());
}

#[test]
fn a_japanese_site_writes_in_japanese_and_english() {
    let scene = Scene::new("language \"ja\"");
    scene.send("<alice@example.com>", &["<never@plain.test>"]);
    let notice = scene.notice("never@plain.test", &["Action: failed", "Status: 5.1.1"]);
    assert!(notice.is_ascii() && notice.contains("\nSubject: =?utf-8?B?"), "{notice}");
    let part = notice.split("Content-Transfer-Encoding: base64\n\n").nth(1).unwrap().split("\n--").next().unwrap();
    let text = String::from_utf8(BASE64.decode(part.replace('\n', "")).unwrap()).unwrap();
    let places =
        ["相手先のサーバーに、このアドレスは存在しません。", "does not know this address"].map(|words| text.find(words).unwrap());
    assert!(places[0] < places[1] && text.contains("550 5.1.1 nobody of that name"), "{text}");
}
