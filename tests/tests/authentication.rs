//! What leaves is signed, and never leaves unsigned by accident; what comes in is judged as the site says.
#![allow(clippy::unwrap_used)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use mail_auth::common::crypto::Ed25519Key;
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::DkimSigner;
use postern_tests::daemon::passwd_line;
use postern_tests::peer::{Act, Stage};
use postern_tests::scene::{LOGIN, RELAY_LOGIN, Scene, kdl};
use postern_tests::signatures::whole;
use postern_tests::signatures::{SigningKey, verify};
use posternd::authentication::intake::Purpose;
use posternd::authentication::results::MethodResult;
use posternd::authentication::seal::Sealing;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const MESSAGE: &[u8] = b"From: Alice <alice@example.com>\r\nTo: x@remote.test\r\nSubject: hello\r\n\
    Authentication-Results: mail.example.com; dkim=pass header.d=forged.example\r\n\
    Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n\r\nHello. \r\n\r\n";

/// The scene whose domain has an RSA and an Ed25519 key that sign, and one that is only published.
struct Signing {
    scene: Scene,
    rsa: SigningKey,
    ed25519: SigningKey,
}

impl Signing {
    fn start() -> Signing {
        Signing::with(|kdl| kdl)
    }

    fn with(change: impl Fn(String) -> String) -> Signing {
        let (rsa, ed25519) = (SigningKey::rsa(), SigningKey::ed25519());
        let key = |selector: &str, key: &SigningKey, state: &str| {
            // The Base64 of a key record stands for its file, so that the site is one file.
            let (algorithm, file) = (key.algorithm, format!("{selector}.pub"));
            format!(
                "    dkim \"{selector}\" algorithm=\"{algorithm}\" public-key=\"{file}\" key-secret=\"{selector}\" state=\"{state}\"\n"
            )
        };
        let lines = [key("r", &rsa, "active"), key("e", &ed25519, "active"), key("next", &rsa, "publish")].concat();
        let credentials = [
            ("users", passwd_line(LOGIN.0, LOGIN.1)),
            ("relay-password", format!("{}\n", RELAY_LOGIN.1)),
            ("r", rsa.private_pem.clone()),
            ("e", ed25519.private_pem.clone()),
        ];
        let files = [("r.pub", &*rsa.public_pem), ("e.pub", &ed25519.public_pem), ("next.pub", &rsa.public_pem)];
        let site = |port| change(kdl(port).replace("    delimiter \"+\"\n", &format!("    delimiter \"+\"\n{lines}")));
        let scene = Scene::with_files(site, &files, &credentials, RELAY_LOGIN);
        Signing { scene, rsa, ed25519 }
    }

    /// The selectors of the signatures that pass.
    fn passed(&self, message: &[u8]) -> Vec<String> {
        let texts = [("r", &self.rsa), ("e", &self.ed25519)];
        let texts = texts.map(|(selector, key)| (format!("{selector}._domainkey.example.com"), key.record()));
        let found = verify(message, texts).dkim;
        let selector =
            |properties: &[(&str, Box<str>)]| properties.iter().find(|(name, _)| *name == "header.s").unwrap().1.to_string();
        found.iter().filter(|found| &*found.result == "pass").map(|found| selector(&found.properties)).collect()
    }
}

#[test]
fn submissions_trusted_mail_and_notices_are_signed_by_every_active_key() {
    let signing = Signing::start();
    let scene = &signing.scene;
    assert_eq!(scene.user("submission").send_message("alice@example.com", &["x@remote.test"], MESSAGE).code, 250);
    assert_eq!(scene.trusted().send_message("alice@example.com", &["y@remote.test"], MESSAGE).code, 250);
    let large = [MESSAGE, &b"A line of a large message.  \r\n".repeat(20_000)].concat();
    assert_eq!(scene.trusted().send_message("alice@example.com", &["z@remote.test"], &large).code, 250);
    for transaction in scene.relay.wait_for(3) {
        let message = String::from_utf8_lossy(&transaction.data).into_owned();
        assert_eq!(signing.passed(&transaction.data), ["r", "e"], "{}", &message[..message.len().min(4000)]);
        assert!(!message.contains("forged.example"), "{message}");
    }
    // What a reader sees cannot be added on the way (RFC 6376 5.4.2), and what others may add can.
    let sent = scene.relay.transactions().remove(0).data;
    for added in [
        "From: eve@evil.test",
        "Subject: other",
        "To: eve@evil.test",
        "Cc: eve@evil.test",
        "Reply-To: eve@evil.test",
        "Date: then",
    ] {
        assert!(signing.passed(&[added.as_bytes(), b"\r\n", &sent].concat()).is_empty(), "{added}");
    }
    assert_eq!(signing.passed(&[b"Received: by other.test\r\nX-Other: fine\r\n", &sent[..]].concat()), ["r", "e"]);
    // A stranger may write what it likes into From: we vouch for none of it.
    assert_eq!(scene.stranger().send_message("a@remote.test", &["bob@example.com"], MESSAGE).code, 250);
    let stored = scene.site.maildir("bob@example.com").wait_for(1).remove(0);
    assert!(!String::from_utf8_lossy(&stored).contains("DKIM-Signature"), "{}", String::from_utf8_lossy(&stored));

    scene.relay.follow(scene.relay_script().on(Stage::rcpt("nobody@remote.test"), Act::Say("550 5.1.1 no such user".into())));
    assert_eq!(scene.user("submission").send_message("alice@example.com", &["nobody@remote.test"], MESSAGE).code, 250);
    let notice = scene.site.maildir("alice@example.com").wait_for(1).remove(0);
    let notice = String::from_utf8(notice).unwrap().replace('\n', "\r\n");
    let below_trace = &notice[notice.find("DKIM-Signature").expect("the notice is signed")..];
    assert_eq!(signing.passed(below_trace.as_bytes()), ["r", "e"], "{notice}");
}

/// What a relay signs is not signed here as well.
#[test]
fn a_relay_that_signs_gets_mail_unsigned() {
    let signing = Signing::with(|kdl| kdl.replace("    tls \"verify\"\n", "    tls \"verify\"\n    signs-dkim\n"));
    let scene = &signing.scene;
    assert_eq!(scene.user("submission").send_message("alice@example.com", &["x@remote.test"], MESSAGE).code, 250);
    let sent = scene.relay.wait_for(1).remove(0).data;
    assert!(!String::from_utf8_lossy(&sent).contains("DKIM-Signature"), "{}", sent.escape_ascii());
}

#[test]
fn without_its_key_mail_waits_until_a_reload_brings_it() {
    let signing = Signing::start();
    let scene = &signing.scene;
    let key = scene.site.path("credentials/r");
    let send = || scene.user("submission").send_message("alice@example.com", &["x@remote.test"], MESSAGE);
    // A reload with a broken key is refused, and what was in force goes on.
    for (text, mode, said) in [
        (None, 0o600, "cannot be read"),
        (Some(SigningKey::rsa().private_pem), 0o600, "not the private half"),
        (Some("rubbish".to_owned()), 0o600, "no key that can sign"),
        (Some(signing.rsa.private_pem.clone()), 0o644, "chmod 0600"),
    ] {
        match text {
            None => fs::remove_file(&key).unwrap(),
            Some(text) => scene.site.credential("r", &text),
        }
        if key.is_file() {
            fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        }
        let outcome = scene.daemon.control(&["reload"]);
        assert!(outcome.status != 0 && outcome.stderr.contains(said), "{said}: {outcome:?}");
        assert_eq!(send().code, 250);
    }
    // A daemon that starts so takes all mail but that which must be signed.
    fs::remove_file(&key).unwrap();
    let signing = Signing { scene: signing.scene.replace_daemon(|daemon| daemon.restart()), ..signing };
    let scene = &signing.scene;
    let send = || scene.user("submission").send_message("alice@example.com", &["w@remote.test"], MESSAGE);
    let reply = send();
    assert_eq!(reply.code, 451, "{}", reply.text());
    assert!(reply.text().contains("4.7.5"), "{}", reply.text());
    assert_eq!(scene.stranger().send_message("a@remote.test", &["bob@example.com"], MESSAGE).code, 250);
    scene.site.credential("r", &signing.rsa.private_pem);
    scene.daemon.control(&["reload"]).success();
    assert_eq!(send().code, 250);
    let last = scene.relay.wait_for(5).pop().unwrap();
    assert_eq!(signing.passed(&last.data), ["r", "e"]);
}

const ZONE: &str = "
    relay.test A 127.0.0.1
    remote.test MX 10 mx.remote.test
    remote.test TXT \"v=spf1 ip4:127.0.0.9 -all\"
    _dmarc.remote.test TXT \"v=DMARC1; p=reject\"
    forbidden.test TXT \"v=spf1 -all\"
    quiet.test TXT \"v=spf1 ?all\"
    strict.test TXT \"v=spf1 ?all\"
    _dmarc.strict.test TXT \"v=DMARC1; p=reject\"
    aside.test TXT \"v=spf1 ?all\"
    _dmarc.aside.test TXT \"v=DMARC1; p=quarantine\"
";

fn from(author: &str) -> Vec<u8> {
    format!(
        "Authentication-Results: MAIL.example.com; spf=pass\r\nAuthentication-Results: other.example; spf=pass\r\n\
         From: {author}\r\nTo: bob@example.com\r\nSubject: s\r\n\r\nHello.\r\n"
    )
    .into_bytes()
}

#[test]
fn strangers_are_judged_as_the_site_says() {
    let screen = "screen { spf fail=\"reject\" header=#true; dmarc honour=#true; }\n";
    let scene = Scene::with(|kdl| kdl + screen);
    scene.dns.replace_zone(ZONE);
    let send = |sender: &str, author: &str| scene.stranger().send_message(sender, &["bob@example.com"], &from(author));

    let mut refused = scene.stranger();
    let reply = refused.command("MAIL FROM:<x@forbidden.test>");
    assert!(reply.code == 550 && reply.text().contains("5.7.23"), "{}", reply.text());

    let reply = send("x@quiet.test", "x@strict.test");
    assert!(reply.code == 550 && reply.text().contains("5.7.26"), "{}", reply.text());

    assert_eq!(send("x@remote.test", "x@remote.test").code, 250);
    let bob = scene.site.maildir("bob@example.com");
    let stored = String::from_utf8(bob.wait_for(1).remove(0)).unwrap();
    for expected in [
        // The resolver knows loopback by itself, so that this client has no name of the zone.
        "Authentication-Results: mail.example.com;\n\tiprev=fail (localhost) policy.iprev=127.0.0.9",
        "spf=pass (ip4:127.0.0.9 of remote.test) smtp.mailfrom=x@remote.test",
        "\tdkim=none",
        "dmarc=pass header.from=remote.test",
        "Authentication-Results: other.example; spf=pass",
        "Received-SPF: pass (mail.example.com: ip4:127.0.0.9 of remote.test)\n\treceiver=mail.example.com; identity=mailfrom;",
    ] {
        assert!(stored.contains(expected), "{expected}\n{stored}");
    }
    assert!(!stored.contains("MAIL.example.com; spf=pass"), "{stored}");

    assert_eq!(send("x@quiet.test", "x@aside.test").code, 250);
    let all = bob.wait_for(2);
    assert!(all.iter().any(|message| String::from_utf8_lossy(message).contains("X-Spam-Flag: YES")));

    scene.dns.set("_dmarc.strict.test", postern_tests::dns::Behaviour::ServFail);
    scene.dns.set("_dmarc.later.test", postern_tests::dns::Behaviour::ServFail);
    let reply = send("x@quiet.test", "x@later.test");
    assert!(reply.code == 451 && reply.text().contains("4.7.26"), "{}", reply.text());
    // Who may relay is not judged.
    assert_eq!(scene.trusted().send_message("x@forbidden.test", &["bob@example.com"], &from("x@strict.test")).code, 250);
}

/// What is set aside is held, seen, and let go; a restart changes nothing.
#[test]
fn what_is_set_aside_waits_in_the_queue() {
    let scene =
        Scene::with(|kdl| kdl + "screen { spf fail=\"quarantine\"; dmarc fail=\"quarantine\"; quarantine then=\"hold\"; }\n");
    scene.dns.replace_zone(ZONE);
    let send = |scene: &Scene, sender: &str, author: &str| {
        scene.stranger().send_message(sender, &["bob@example.com", "alice@example.com"], &from(author)).code
    };
    assert_eq!(send(&scene, "x@quiet.test", "x@strict.test"), 250);
    assert_eq!(send(&scene, "x@forbidden.test", "x@forbidden.test"), 250);
    let scene = scene.replace_daemon(|daemon| daemon.restart());
    assert_eq!(send(&scene, "x@remote.test", "x@remote.test"), 250);
    let bob = scene.site.maildir("bob@example.com");
    assert_eq!(bob.wait_for(1).len(), 1, "what is held is not delivered, and all else is");
    let list: serde_json::Value = serde_json::from_str(&scene.daemon.control(&["queue", "list", "--json"]).success()).unwrap();
    // What passed may still be on its way to the other mailbox.
    let held: Vec<&serde_json::Value> = list.as_array().unwrap().iter().filter(|one| one["state"] == "hold").collect();
    let reasons: Vec<&str> = held.iter().map(|one| one["to"][0]["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["450 4.7.1 Held: dmarc-quarantine", "450 4.7.1 Held: spf-quarantine"], "{list}");
    assert!(held.iter().all(|one| one["state"] == "hold" && one["to"].as_array().unwrap().len() == 2), "{list}");
    let shown = scene.daemon.control(&["queue", "show", held[0]["id"].as_str().unwrap()]).success();
    assert!(shown.contains("dmarc-quarantine") && shown.contains("dmarc=fail"), "{shown}");
    postern_tests::wait::until("the log says why", || {
        scene.daemon.log().contains("\"reason\":\"dmarc-quarantine\"").then_some(())
    });
    let metrics = scene.daemon.control(&["queue", "list", "--reason", "spf-quarantine", "--json"]).success();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&metrics).unwrap().as_array().unwrap().len(), 1, "{metrics}");
    scene.daemon.control(&["queue", "release", "--reason", "dmarc-quarantine"]).success();
    let all = bob.wait_for(2);
    assert!(all.iter().any(|message| String::from_utf8_lossy(message).contains("x@strict.test")), "it is let go");
    let left = scene.daemon.control(&["queue", "list", "--reason", "quarantine", "--json"]).success();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&left).unwrap().as_array().unwrap().len(), 1, "{left}");
}

/// A mailbox of the site gets what is set aside, and those whom it was for do not.
#[test]
fn what_is_set_aside_goes_where_the_site_says() {
    let screen = "screen { dmarc fail=\"quarantine\"; quarantine to=\"alice@example.com\"; }\n";
    let scene = Scene::with(|kdl| kdl + screen);
    scene.dns.replace_zone(ZONE);
    let reply = scene.stranger().send_message("x@quiet.test", &["bob@example.com"], &from("x@aside.test"));
    assert_eq!(reply.code, 250);
    let found = String::from_utf8(scene.site.maildir("alice@example.com").wait_for(1).remove(0)).unwrap();
    assert!(found.contains("X-Quarantine: dmarc-quarantine;\n\tfor=bob@example.com\n"), "{found}");
    assert_eq!(scene.stranger().send_message("x@remote.test", &["bob@example.com"], &from("x@remote.test")).code, 250);
    assert_eq!(scene.site.maildir("bob@example.com").wait_for(1).len(), 1);
}

/// A message that a list has changed and sealed.
fn sealed(key: &SigningKey, results: &str) -> Vec<u8> {
    let message = from("x@strict.test");
    let whole = whole(Purpose::Sign, &message);
    let found = MethodResult { method: "dmarc", result: results.into(), comment: "".into(), properties: Vec::new() };
    let sealing = Sealing {
        hostname: "mx.lists.test",
        header: &whole.header,
        body_hash: &whole.relaxed_body(),
        results: &[found],
        now: 1_700_000_000,
    };
    [sealing.seal(&key.signer("lists.test", "l")).unwrap(), message].concat()
}

#[test]
fn a_list_that_is_trusted_may_change_what_it_sends_on() {
    let key = SigningKey::ed25519();
    let zone = format!("{ZONE}\n l._domainkey.lists.test TXT \"{}\"\n", key.record());
    let screen = "screen { dmarc honour=#true; }\n";
    let trusting = Scene::with(|kdl| kdl + screen + "arc { trust \"lists.test\"; }\n");
    let other = Scene::with(|kdl| kdl + screen + "arc { trust \"other.test\"; }\n");
    let send = |scene: &Scene, message: &[u8]| scene.stranger().send_message("x@quiet.test", &["bob@example.com"], message);
    for scene in [&trusting, &other] {
        scene.dns.replace_zone(&zone);
    }
    let good = sealed(&key, "pass");
    assert_eq!(send(&trusting, &good).code, 250);
    postern_tests::wait::until("the log says so", || trusting.daemon.log().contains("arc-trusted").then_some(()));
    let stored = String::from_utf8(trusting.site.maildir("bob@example.com").wait_for(1).remove(0)).unwrap();
    assert!(stored.contains("\tarc=pass") && stored.contains("\tdmarc=fail"), "{stored}");
    assert!(stored.contains("ARC-Seal: i=1;"), "it is passed through: {stored}");
    for (scene, message, why) in [
        (&other, good.clone(), "nobody trusts that list"),
        (&trusting, sealed(&key, "fail"), "the list found it forged"),
        (&trusting, [&good[..], b"More.\r\n"].concat(), "it was changed since"),
        (&trusting, sealed(&SigningKey::ed25519(), "pass"), "another key"),
    ] {
        let reply = send(scene, &message);
        assert!(reply.code == 550 && reply.text().contains("5.7.26"), "{why}: {}", reply.text());
    }
}

/// `l=` counts where the site says so, and nowhere else.
#[test]
fn a_signature_of_a_part_counts_where_the_site_says_so() {
    let key = SigningKey::ed25519();
    let message = from("x@strict.test");
    let der: String = key.private_pem.lines().filter(|line| !line.starts_with('-')).collect();
    let private = Ed25519Key::from_pkcs8_maybe_unchecked_der(&BASE64.decode(der).unwrap()).unwrap();
    let signer = DkimSigner::from_key(private).domain("strict.test").selector("p").headers(["From"]).body_length(true);
    let field = signer.sign(&message).unwrap().to_header();
    assert!(field.contains("l="), "{field}");
    let signed = [field.as_bytes(), &message].concat();
    let zone = format!("{ZONE}\n p._domainkey.strict.test TXT \"{}\"\n", key.record());
    for (partial, code) in [(false, 550), (true, 250)] {
        let scene = Scene::with(|kdl| kdl + &format!("screen {{ dmarc honour=#true; dkim partial-body=#{partial}; }}\n"));
        scene.dns.replace_zone(&zone);
        let reply = scene.stranger().send_message("x@quiet.test", &["bob@example.com"], &signed);
        assert_eq!(reply.code, code, "{partial}: {}", reply.text());
        let longer = [&signed[..], b"More.\r\n"].concat();
        let reply = scene.stranger().send_message("x@quiet.test", &["bob@example.com"], &longer);
        assert_eq!(reply.code, code, "{partial}: {}", reply.text());
        let changed = String::from_utf8(signed.clone()).unwrap().replacen("Hello", "Jello", 1);
        let reply = scene.stranger().send_message("x@quiet.test", &["bob@example.com"], changed.as_bytes());
        assert_eq!(reply.code, 550, "{partial}: what is signed was changed");
    }
}

/// What the compiler makes of a recording.
fn explain(scene: &Scene, recording: &str) -> String {
    scene.site.write("case.txt", recording);
    let (site, case) = (scene.site.source(), scene.site.path("source/case.txt"));
    scene.site.postern(&["explain", site.to_str().unwrap(), "--dns", case.to_str().unwrap()]).success()
}

/// RFC 3030 3: what leaves is text, and signed as that; what comes in is judged by the octets that were signed, and stored as text.
#[test]
fn a_binary_message_is_signed_as_what_it_becomes_and_judged_as_what_it_was() {
    let binary = |author: &str| {
        let header = format!("From: {author}\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: image/png\r\n");
        [header.as_bytes(), b"Content-Transfer-Encoding: binary\r\n\r\n\0\n\r\xff \n"].concat()
    };
    let send = |mut client: postern_tests::client::Client, from: &str, to: &str, message: &[u8]| {
        client.expect(&format!("MAIL FROM:<{from}> BODY=BINARYMIME"), 250);
        client.expect(&format!("RCPT TO:<{to}>"), 250);
        client.send(&[format!("BDAT {} LAST\r\n", message.len()).as_bytes(), message].concat());
        client.reply()
    };
    let signing = Signing::with(|kdl| kdl + "screen { dmarc honour=#true; }\n");
    let scene = &signing.scene;
    let reply = send(scene.user("submission"), "alice@example.com", "x@remote.test", &binary("alice@example.com"));
    assert_eq!(reply.code, 250, "{reply}");
    let sent = scene.relay.wait_for(1).remove(0).data;
    let text = String::from_utf8(sent.clone()).expect("it is ASCII");
    assert!(text.contains("Content-Transfer-Encoding: base64\r\n") && text.ends_with("\r\n\r\nAAoN/yAK\r\n"), "{text}");
    assert_eq!(signing.passed(&sent), ["r", "e"], "{text}");

    let key = SigningKey::ed25519();
    scene.dns.replace_zone(&format!("{ZONE}\n b._domainkey.strict.test TXT \"{}\"\n", key.record()));
    let message = binary("x@strict.test");
    let taken = whole(Purpose::Sign, &message);
    let field = key.signer("strict.test", "b").sign(&taken.header, &taken.relaxed_body(), 1_700_000_000).unwrap();
    let signed = [field, message].concat();
    let reply = send(scene.stranger(), "x@quiet.test", "bob@example.com", &signed);
    assert_eq!(reply.code, 250, "{reply}");
    let stored = String::from_utf8(scene.site.maildir("bob@example.com").wait_for(1).remove(0)).expect("it is ASCII");
    assert!(stored.contains("\tdkim=pass") && stored.ends_with("base64\n\nAAoN/yAK\n"), "{stored}");
    let changed: Vec<u8> = signed.iter().map(|octet| if *octet == b'\xff' { b'\xfe' } else { *octet }).collect();
    let reply = send(scene.stranger(), "x@quiet.test", "bob@example.com", &changed);
    assert!(reply.code == 550 && reply.text().contains("5.7.26"), "{reply}");

    // What is no text where it says that it is, is the client's doing, and none of the software's.
    let reply = send(scene.stranger(), "x@remote.test", "bob@example.com", b"Subject: x\r\n\r\n\0\r\n");
    assert_eq!(reply.code, 554, "{reply}");
    let log = postern_tests::wait::until("the log says so", || {
        let log = scene.daemon.log();
        log.contains("a message is refused").then_some(log)
    });
    assert!(!log.contains("\"level\":\"ERROR\""), "{log}");
}

/// What was known of a message is kept, and the compiler comes to the same from it, without asking anybody; another answer of DNS
/// comes to something else.
#[test]
fn what_was_known_can_be_judged_again() {
    let scene = Scene::with(|kdl| kdl + "screen { spf fail=\"reject\"; dmarc honour=#true; }\n");
    scene.dns.replace_zone(ZONE);
    let reply = scene.stranger().send_message("x@remote.test", &["bob@example.com"], &from("x@remote.test"));
    assert_eq!(reply.code, 250);
    let id = reply.queue_id();
    scene.site.maildir("bob@example.com").wait_for(1);
    let recording = scene.daemon.recording(&id);
    for expected in
        ["@client 127.0.0.9", "@from x@remote.test", "@to bob@example.com", "remote.test TXT \"v=spf1 ip4:127.0.0.9 -all\""]
    {
        assert!(recording.contains(expected), "{expected}\n{recording}");
    }
    let explain = |text: &str| explain(&scene, text);
    let told = explain(&recording);
    assert!(told.contains("spf: pass") && told.contains("dmarc: pass") && told.contains("\naccept: "), "{told}");
    let told = explain(&recording.replace("ip4:127.0.0.9", "ip4:192.0.2.1"));
    assert!(told.contains("spf: fail") && told.contains("reject: spf-failed"), "{told}");
    let told = explain(&recording.replace("remote.test TXT \"v=spf1", "other.test TXT \"v=spf1"));
    assert!(told.contains("the file has no answer to remote.test TXT") && told.contains("undecided"), "{told}");
}

/// Every fact that a decision asked for is kept with the answers of DNS that it came from, and comes out of them again.
#[test]
fn the_screen_can_be_played_again() {
    let screen = "screen {\n    require \"resolvable-helo\" \"sender-domain-exists\"\n    dnsbl \"bl.test\" weight=1\n    \
        threshold 2\n    reputation halflife=\"1h\"\n    dmarc honour=#true\n}\n";
    let scene = Scene::with(|kdl| kdl + screen);
    let zone = format!("{ZONE}\n client.test A 127.0.0.9\n 9.0.0.127.bl.test A 127.0.0.2\n");
    scene.dns.replace_zone(&zone);
    let reply = scene.stranger().send_message("x@remote.test", &["bob@example.com"], &from("x@remote.test"));
    assert_eq!(reply.code, 250, "{}", reply.text());
    let id = reply.queue_id();
    let recording = scene.daemon.recording(&id);
    for expected in ["@helo client.test", "@reputation good", "client.test MX", "9.0.0.127.bl.test A", "remote.test MX"] {
        assert!(recording.contains(expected), "{expected}\n{recording}");
    }
    let explain = |text: &str| explain(&scene, text);
    let told = explain(&recording);
    for expected in [
        "helo-domain: found",
        "sender-domain: found",
        "listed: bl.test=127.0.0.2",
        "reputation: good",
        "dmarc: pass",
        "\naccept: ",
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
    let told = explain(&recording.replace("@reputation good", "@reputation poor"));
    assert!(told.contains("poor-reputation"), "{told}");
    // Mail that leaves has the answers that it went by.
    let reply = scene.user("submission").send_message("alice@example.com", &["y@remote.test"], MESSAGE);
    let id = reply.queue_id();
    scene.relay.wait_for(1);
    let recording = scene.daemon.recording(&id);
    assert!(recording.contains("@way relay:upstream") && recording.contains("relay.test A \"127.0.0.1\""), "{recording}");
}

/// What vouches for nothing, whatever the mathematics say (RFC 6376 3.5, RFC 8301 3), each with the word that RFC 8601 has for it.
#[test]
fn what_never_passes() {
    const SHORT: &str = "v=DKIM1; k=rsa; p=MHwwDQYJKoZIhvcNAQEBBQADawAwaAJhAKbhdo/SFpcgzEnpLywk5x0oqzIKwHkja20pTPzvtbJS0gxXxjn7XJzCw9N0t2kXF4+74aLZZBFYzFIgs7YJp0Pz9TsyrRyAGOUuW5GC5xxWmmJiTJygDBR4A4+H8Lf4YwIDAQAB";
    let key = SigningKey::rsa();
    let message = from("x@strict.test");
    let taken = whole(Purpose::Sign, &message);
    let good = key.signer("strict.test", "r").sign(&taken.header, &taken.relaxed_body(), 1_700_000_000).unwrap();
    let good = String::from_utf8(good).unwrap();
    let bad = |from: &str, to: &str| good.replacen(from, to, 1);
    let records =
        || [("r._domainkey.strict.test".to_owned(), key.record()), ("s._domainkey.strict.test".to_owned(), SHORT.to_owned())];
    for (field, result, why) in [
        (good.clone(), "pass", ""),
        (bad("a=rsa-sha256", "a=rsa-sha1"), "policy", "SHA-1 vouches for nothing"),
        (bad("s=r;", "s=s;"), "policy", "the key has less than 1024 bits"),
        (bad("t=1700000000;", "t=1700000000; x=1700000001;"), "fail", "expired"),
        (bad("bh=", "bh=AAAA"), "fail", "ody hash"),
        (bad("h=from: from:", "h=date: date:"), "permerror", "From is not signed"),
        (bad("v=1;", "v=1; l=5;"), "policy", "not all of the body is signed"),
        (bad("s=r;", "s=nobody;"), "permerror", ""),
        (bad("d=strict.test", "d=strict.test; d=evil.test"), "permerror", ""),
        (bad("Signature: v=1;", "Signature:"), "permerror", ""),
    ] {
        let signed = [field.as_bytes(), &message].concat();
        let found = verify(&signed, records());
        let one = &found.dkim[0];
        assert_eq!((&*one.result, found.passed.len()), (result, usize::from(result == "pass")), "{field}: {one:?}");
        assert!(one.comment.contains(why), "{field}: {one:?}");
    }
}

/// A message as large as one may be is signed as it goes by: it is never in memory, not once.
#[test]
fn a_large_message_is_signed_and_not_held() {
    let signing = Signing::start();
    let scene = &signing.scene;
    assert_eq!(scene.trusted().send_message("alice@example.com", &["x@remote.test"], MESSAGE).code, 250);
    scene.relay.wait_for(1);
    let before = scene.daemon.resident_octets().1;
    let large = [MESSAGE, &b"A line of a large message, as long as lines tend to be.  \r\n".repeat(870_000)].concat();
    assert!(large.len() > 48 << 20);
    assert_eq!(scene.trusted().send_message("alice@example.com", &["z@remote.test"], &large).code, 250);
    let sent = scene.relay.wait_for(2).pop().unwrap();
    let grown = scene.daemon.resident_octets().1.saturating_sub(before);
    assert_eq!(signing.passed(&sent.data), ["r", "e"]);
    assert!(grown < 24 << 20, "{} octets for a message of {}", grown, large.len());
}
