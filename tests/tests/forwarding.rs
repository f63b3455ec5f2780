//! Mail that is sent on to other sites and what comes back of it, and addresses that turn into others on their way: SRS, owners of
//! aliases, lists, rewritten headers that are signed, archives.
#![allow(clippy::unwrap_used)]

use postern_tests::daemon::{Site, passwd_line};
use postern_tests::peer::{Act, Peer, Script, Stage, Transaction};
use postern_tests::scene::{LOGIN, RELAY_LOGIN, Scene, kdl};
use postern_tests::signatures::{SigningKey, verify};
use postern_tests::wait::until;

const SECRET: &str = "a secret that only this test has\n";
const MESSAGE: &[u8] = b"From: Ann <ann@remote.test>\r\nTo: carol@example.com\r\nSubject: hello\r\n\
    Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@remote.test>\r\n\r\nHello.\r\n";

/// The scene with these lines in its domain and these beside it.
fn scene(in_domain: &str, beside: &str) -> Scene {
    let credentials = [
        ("users", passwd_line(LOGIN.0, LOGIN.1)),
        ("relay-password", format!("{}\n", RELAY_LOGIN.1)),
        ("srs", SECRET.to_owned()),
    ];
    let site = |port| {
        let kdl = kdl(port).replace("    tls \"verify\"\n", "    tls \"verify\"\n    spf-include \"relay.test\"\n");
        kdl.replace("    delimiter \"+\"\n", &format!("    delimiter \"+\"\n{in_domain}")) + beside
    };
    Scene::of(site, &credentials, RELAY_LOGIN)
}

fn forwarding() -> Scene {
    scene("    forward \"carol\" \"carol@far.test\" srs=#true keep-copy=#true\n", "srs secret=\"srs\"\n")
}

fn text(transaction: &Transaction) -> String {
    String::from_utf8_lossy(&transaction.data).into_owned()
}

#[test]
fn forwarded_mail_leaves_in_our_name_and_its_bounce_comes_back() {
    let scene = forwarding();
    assert_eq!(scene.stranger().send_message("ann@remote.test", &["carol@example.com"], MESSAGE).code, 250);
    let forwarded = scene.relay.wait_for(1).remove(0);
    assert_eq!(forwarded.recipients, ["carol@far.test"]);
    let sender = forwarded.reverse_path.clone();
    assert!(sender.starts_with("SRS0=") && sender.ends_with("=remote.test=ann@example.com"), "{sender}");
    let found = text(&forwarded);
    assert!(found.starts_with("Delivered-To: carol@example.com\r\n"), "{found}");
    assert!(found.contains("\r\nFrom: Ann <ann@remote.test>\r\n"), "the author stays: {found}");
    let kept = scene.site.maildir("carol@example.com").wait_for(1).remove(0);
    assert!(kept.starts_with(b"Return-Path: <ann@remote.test>\n"), "{}", kept.escape_ascii());

    // Hosts on the way may change the case.
    let bounce = b"From: MAILER-DAEMON@far.test\r\nSubject: undeliverable\r\n\r\nNo such user.\r\n";
    assert_eq!(scene.stranger().send_message("", &[&sender.to_lowercase()], bounce).code, 250);
    let returned = scene.relay.wait_for(2).remove(1);
    assert_eq!((returned.recipients, &*returned.reverse_path), (vec!["ann@remote.test".to_owned()], ""));
}

#[test]
fn what_is_no_bounce_of_ours_is_refused() {
    let scene = forwarding();
    assert_eq!(scene.stranger().send_message("ann@remote.test", &["carol@example.com"], MESSAGE).code, 250);
    let sender = scene.relay.wait_for(1).remove(0).reverse_path;
    let refused = |from: &str, to: &str| {
        let mut client = scene.stranger();
        client.expect(&format!("MAIL FROM:<{from}>"), 250);
        client.command(&format!("RCPT TO:<{to}>")).text()
    };
    let forged = sender.replace("=ann@", "=eve@");
    assert!(refused("", &forged).contains("5.1.1"), "{forged}");
    assert!(refused("eve@remote.test", &sender).contains("5.7.1"));
    assert!(refused("", "SRS0=x@example.com").contains("5.1.1"));
    until("the log says so", || {
        let log = scene.daemon.log();
        ["srs-invalid", "srs-not-a-bounce"].iter().all(|reason| log.contains(reason)).then_some(())
    });
    assert!(!scene.daemon.log().contains(SECRET.trim()));
}

#[test]
fn a_message_that_comes_round_is_refused() {
    let scene = forwarding();
    let round = [b"Delivered-To: Carol@Example.com\r\n", MESSAGE].concat();
    let reply = scene.stranger().send_message("ann@remote.test", &["carol@example.com"], &round);
    assert!(reply.code == 554 && reply.text().contains("5.4.6"), "{}", reply.text());
    let other = [b"Delivered-To: bob@example.com\r\n", MESSAGE].concat();
    assert_eq!(scene.stranger().send_message("ann@remote.test", &["carol@example.com"], &other).code, 250);
}

#[test]
fn senders_of_our_own_and_bounces_keep_their_sender() {
    let scene = forwarding();
    assert_eq!(scene.trusted().send_message("bob@example.com", &["carol@example.com"], MESSAGE).code, 250);
    assert_eq!(scene.stranger().send_message("", &["carol@example.com"], MESSAGE).code, 250);
    let mut senders: Vec<String> = scene.relay.wait_for(2).into_iter().map(|taken| taken.reverse_path).collect();
    senders.sort();
    assert_eq!(senders, ["", "bob@example.com"]);
}

#[test]
fn bounces_of_an_alias_with_an_owner_go_to_the_owner() {
    let scene = scene("    alias \"club\" \"zoe@far.test\" \"bob\"\n    alias \"owner-club\" \"alice\"\n", "");
    scene.relay.follow(scene.relay_script().on(Stage::rcpt("zoe@far.test"), Act::Say("550 5.1.1 no such user".into())));
    assert_eq!(scene.stranger().send_message("ann@remote.test", &["club@example.com"], MESSAGE).code, 250);
    let notice = scene.site.maildir("alice@example.com").wait_for(1).remove(0);
    let notice = String::from_utf8(notice).unwrap();
    assert!(notice.contains("To: <owner-club@example.com>"), "{notice}");
    let inner = scene.site.maildir("bob@example.com").wait_for(1).remove(0);
    assert!(inner.starts_with(b"Return-Path: <owner-club@example.com>\n"), "{}", inner.escape_ascii());
    let said = scene.relay.commands();
    assert!(said.iter().any(|(_, line)| line.starts_with("MAIL FROM:<owner-club@example.com>")), "{said:?}");
    assert_eq!(scene.relay.messages(), 0, "nothing was sent to whoever wrote");
}

#[test]
fn a_list_and_all_that_belongs_to_it_go_to_its_manager() {
    let manager = Peer::start(Script::default().lmtp());
    let transport = format!("transport \"mailman\" lmtp=\"inet:{}\"\n", manager.address());
    let scene = scene("    list \"dev\" via=\"mailman\"\n", &transport);
    let recipients =
        ["dev@example.com", "dev-owner@example.com", "dev-confirm+6f3a@example.com", "DEV-bounces+a=b.test@example.com"];
    assert_eq!(scene.stranger().send_message("ann@remote.test", &recipients, MESSAGE).code, 250);
    let taken = manager.wait_for(1).remove(0);
    assert_eq!(taken.recipients, recipients);
    assert_eq!(taken.reverse_path, "ann@remote.test");
    scene.stranger().expect("MAIL FROM:<ann@remote.test>", 250);
    let mut client = scene.stranger();
    client.expect("MAIL FROM:<ann@remote.test>", 250);
    client.expect("RCPT TO:<dev-nothing@example.com>", 550);
}

#[test]
fn what_is_rewritten_is_signed_and_archived_and_what_leaves_is_signed_anew() {
    let key = SigningKey::ed25519();
    let dkim = "    dkim \"e\" algorithm=\"ed25519-sha256\" public-key=\"e.pub\" key-secret=\"e\" state=\"active\"\n    mailbox \"vault\"\n";
    let rules = "rewrite \"sender\" \"webuser@example.com\" \"alice@example.com\"\n\
        masquerade \"example.com\" { except \"root\"; }\n\
        archive to=\"vault@example.com\" when=\"from:alice@example.com\"\n\
        rewrite \"both\" \"bob@example.com\" \"robert@example.com\" at=\"egress\"\n";
    let credentials = [
        ("users", passwd_line(LOGIN.0, LOGIN.1)),
        ("relay-password", format!("{}\n", RELAY_LOGIN.1)),
        ("e", key.private_pem.clone()),
    ];
    let site = |port| kdl(port).replace("    delimiter \"+\"\n", &format!("    delimiter \"+\"\n{dkim}")) + rules;
    let scene = Scene::with_files(site, &[("e.pub", &key.public_pem)], &credentials, RELAY_LOGIN);
    let passes = |message: &[u8]| {
        let found = verify(message, [("e._domainkey.example.com".to_owned(), key.record())]).dkim;
        (found.len(), found.iter().filter(|found| &*found.result == "pass").count())
    };
    let message = b"From: \"webuser@example.com\" <webuser@example.com> (bob@host.example.com)\r\n\
        To: x@remote.test, Bob <bob@host.example.com>,\r\n Root <root@host.example.com>\r\nSubject: webuser@example.com\r\n\
        Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@host.example.com>\r\n\r\nwebuser@example.com\r\n";
    let reply = scene.trusted().send_message("webuser@example.com", &["x@remote.test", "alice@example.com"], message);
    assert_eq!(reply.code, 250, "{}", reply.text());
    let taken = scene.relay.wait_for(1).remove(0);
    assert_eq!(taken.reverse_path, "alice@example.com");
    let found = text(&taken);
    let expected = "From: \"webuser@example.com\" <alice@example.com> (bob@host.example.com)\r\n\
        To: x@remote.test, Bob <robert@example.com>,\r\n Root <root@host.example.com>\r\nSubject: webuser@example.com\r\n\
        Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@host.example.com>\r\n\r\nwebuser@example.com\r\n";
    assert!(found.ends_with(expected), "{found}");
    assert_eq!(passes(&taken.data), (1, 1), "one signature, and it is good: {found}");
    for mailbox in ["alice@example.com", "vault@example.com"] {
        let stored = scene.site.maildir(mailbox).wait_for(1).remove(0);
        let stored = String::from_utf8(stored).unwrap().replace('\n', "\r\n");
        assert!(stored.contains("Bob <bob@example.com>,"), "what stays keeps the names of the site: {stored}");
        let below = &stored[stored.find("DKIM-Signature").unwrap()..];
        assert_eq!(passes(below.as_bytes()), (1, 1), "{stored}");
    }
    // A large body goes by as it lies in the queue.
    let large = [&message[..], &b"A line of a large message.  \r\n".repeat(20_000)].concat();
    assert_eq!(scene.trusted().send_message("webuser@example.com", &["x@remote.test"], &large).code, 250);
    let taken = scene.relay.wait_for(2).remove(1);
    assert_eq!(passes(&taken.data), (1, 1));
    assert!(taken.data.ends_with(&large[large.len() - 500_000..]));
}

/// The table of `docs/rewriting.md`, each step with its line.
#[test]
fn explain_shows_the_steps_in_their_order() {
    let site = Site::new(
        r#"site "mail.example.com" { origin "example.com"; postmaster "alice@example.com"; address "192.0.2.25"; }
tls { self-signed }
listen "mx"
network "here" "127.0.0.1" relay=#true reason="programs on this host"
domain "example.com" { mailbox "alice"; mailbox "vault"; alias "info" "x@remote.test"; }
route to="*" via="direct"
archive to="vault@example.com" when="from:root@example.com"
masquerade "example.com"
rewrite "both" "root@example.com" "robert@example.com" at="egress"
rewrite "recipient" "help@example.com" "info@example.com"
rewrite "sender" "web@host.example.com" "root@host.example.com"
"#,
    );
    let source = site.source();
    let asked = ["--client", "127.0.0.1", "--from", "web@host.example.com", "--to", "help@example.com"];
    let told = site.postern(&[&["explain", source.to_str().unwrap()][..], &asked].concat()).success();
    let mut rest = &*told;
    for step in [
        "canonical: envelope sender web@host.example.com becomes root@host.example.com  (site.kdl:11)",
        "masquerade: envelope sender root@host.example.com becomes root@example.com  (site.kdl:8)",
        "canonical: envelope recipient help@example.com becomes info@example.com  (site.kdl:10)",
        "info@example.com is an alias of 1 address  (site.kdl:5)",
        "archive vault@example.com gets a copy  (site.kdl:7)",
        "canonical: From web@host.example.com becomes root@host.example.com  (site.kdl:11)",
        "masquerade: From root@host.example.com becomes root@example.com  (site.kdl:8)",
        "generic: envelope sender root@example.com becomes robert@example.com  (site.kdl:9)",
    ] {
        rest = rest.split_once(step).unwrap_or_else(|| panic!("{step}\nis not where it should be in\n{told}")).1;
    }
}

#[test]
fn a_strangers_header_is_left_alone() {
    let scene = scene(
        "",
        "rewrite \"both\" \"ann@remote.test\" \"alice@example.com\"\nrewrite \"recipient\" \"old@example.com\" \"bob@example.com\"\n",
    );
    let message = b"From: ann@remote.test\r\nTo: old@example.com\r\n\r\nHello.\r\n";
    assert_eq!(scene.stranger().send_message("ann@remote.test", &["old@example.com"], message).code, 250);
    let stored = String::from_utf8(scene.site.maildir("bob@example.com").wait_for(1).remove(0)).unwrap();
    assert!(stored.starts_with("Return-Path: <alice@example.com>\n"), "the envelope is the site's: {stored}");
    assert!(stored.ends_with("\nFrom: ann@remote.test\nTo: old@example.com\n\nHello.\n"), "{stored}");
}

#[test]
fn while_the_secrets_cannot_be_read_mail_waits() {
    let scene = forwarding();
    scene.site.credential("srs", "short\n");
    let outcome = scene.daemon.control(&["reload"]);
    assert!(outcome.status != 0 && outcome.stderr.contains("srs"), "{outcome:?}");
    let scene = scene.replace_daemon(|daemon| daemon.restart());
    assert_eq!(scene.stranger().send_message("ann@remote.test", &["carol@example.com"], MESSAGE).code, 250);
    scene.site.maildir("carol@example.com").wait_for(1);
    until("the attempt is in the log", || scene.daemon.log().contains("bounce address cannot be made").then_some(()));
    let mut client = scene.stranger();
    client.expect("MAIL FROM:<>", 250);
    client.expect("RCPT TO:<SRS0=ABCDEFGH=RA=remote.test=ann@example.com>", 451);
    scene.site.credential("srs", SECRET);
    scene.daemon.control(&["reload"]).success();
    assert!(scene.relay.wait_for(1).remove(0).reverse_path.starts_with("SRS0="));
}

/// What is sent on is sealed where the site says so, with what was found of it and with the chain that came along; what stays here is
/// not, and no key means no mail.
#[test]
fn what_is_sent_on_is_sealed() {
    let key = SigningKey::ed25519();
    let in_domain = "    dkim \"e\" algorithm=\"ed25519-sha256\" public-key=\"e.pub\" key-secret=\"e\" state=\"active\"\n    \
        forward \"carol\" \"carol@far.test\" srs=#true\n";
    let beside = "srs secret=\"srs\"\narc { seal \"example.com\"; }\n";
    let credentials = [
        ("users", passwd_line(LOGIN.0, LOGIN.1)),
        ("relay-password", format!("{}\n", RELAY_LOGIN.1)),
        ("srs", SECRET.to_owned()),
        ("e", key.private_pem.clone()),
    ];
    let site = |port| {
        let kdl = kdl(port).replace("    tls \"verify\"\n", "    tls \"verify\"\n    spf-include \"relay.test\"\n");
        kdl.replace("    delimiter \"+\"\n", &format!("    delimiter \"+\"\n{in_domain}")) + beside
    };
    let scene = Scene::with_files(site, &[("e.pub", &key.public_pem)], &credentials, RELAY_LOGIN);
    // The key is its own witness: what was sealed once and comes back holds here too.
    let zone = format!("relay.test A 127.0.0.1\ne._domainkey.example.com TXT \"{}\"\n", key.record());
    scene.dns.replace_zone(&zone);
    let chain = |message: &[u8]| {
        let found = verify(message, [("e._domainkey.example.com".to_owned(), key.record())]);
        (found.arc.map(|arc| arc.result.to_string()), found.chain.len())
    };
    assert_eq!(scene.stranger().send_message("ann@remote.test", &["carol@example.com"], MESSAGE).code, 250);
    let once = scene.relay.wait_for(1).remove(0).data;
    assert_eq!(chain(&once), (Some("pass".to_owned()), 1), "{}", once.escape_ascii());
    assert!(String::from_utf8_lossy(&once).contains("ARC-Authentication-Results: i=1; mail.example.com;\r\n\tiprev="));
    // Its Delivered-To would stop it here.
    let again = String::from_utf8(once).unwrap().replace("Delivered-To: carol@example.com\r\n", "");
    assert_eq!(scene.stranger().send_message("ann@remote.test", &["carol@example.com"], again.as_bytes()).code, 250);
    let twice = scene.relay.wait_for(2).remove(1).data;
    assert_eq!(chain(&twice), (Some("pass".to_owned()), 2), "{}", twice.escape_ascii());
    // A chain that is broken is said to be so, and goes on no further.
    let broken = again.replace("Hello.", "Jello.");
    assert_eq!(scene.stranger().send_message("ann@remote.test", &["carol@example.com"], broken.as_bytes()).code, 250);
    let told = String::from_utf8(scene.relay.wait_for(3).remove(2).data).unwrap();
    assert!(told.contains("ARC-Seal: i=2;") && told.contains("cv=fail;"), "{told}");

    assert_eq!(scene.stranger().send_message("ann@remote.test", &["bob@example.com"], MESSAGE).code, 250);
    let kept = String::from_utf8(scene.site.maildir("bob@example.com").wait_for(1).remove(0)).unwrap();
    assert!(!kept.contains("ARC-Seal"), "{kept}");
    std::fs::remove_file(scene.site.path("credentials/e")).unwrap();
    let scene = scene.replace_daemon(|daemon| daemon.restart());
    let reply = scene.stranger().send_message("ann@remote.test", &["carol@example.com"], MESSAGE);
    assert!(reply.code == 451 && reply.text().contains("4.7.5"), "{}", reply.text());
}
