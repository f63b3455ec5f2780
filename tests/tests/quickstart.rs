//! The quickstart's promises, kept by the programs as an operator runs them: mail from outside comes in, a user's mail goes out
//! through the relayhost, and nobody else's does.
#![allow(clippy::unwrap_used)]

use postern_tests::client::Client;
use postern_tests::daemon::Daemon;
use postern_tests::daemon::binaries::workspace;
use postern_tests::peer::{Act, Script, Stage, TlsMode};
use postern_tests::scene::{AWKWARD, LOGIN, RELAY_LOGIN, Scene, awkward_of_user, fields_above, stored};
use postern_tests::tls::Authority;
use postern_tests::wait;
use std::fs;

#[test]
fn mail_from_outside_to_an_alias_lands_in_both_mailboxes() {
    let scene = Scene::start();
    let reply = scene.stranger().send_message("a@remote.test", &["info@example.com"], AWKWARD);
    assert_eq!(reply.code, 250, "{reply}");
    for address in ["alice@example.com", "bob@example.com"] {
        let messages = scene.site.maildir(address).wait_for(1);
        let fields = fields_above(&messages[0], &stored(AWKWARD));
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Return-Path", "Delivered-To", "Received"]);
        assert_eq!(fields[0].1, "<a@remote.test>");
        assert_eq!(fields[1].1, address);
        let received = &fields[2].1;
        // RFC 5321 4.4: the name that the client gave, its address, our name, the protocol, and a date.
        assert!(received.starts_with("from client.test "), "{received}");
        for part in ["[127.0.0.9]", " by mail.example.com ", " with ESMTP", "; "] {
            assert!(received.contains(part), "{part} in {received}");
        }
    }
}

#[test]
fn mail_for_a_detail_and_for_postmaster_finds_its_mailbox() {
    let scene = Scene::start();
    let mut client = scene.stranger();
    for recipient in ["Alice+lists@EXAMPLE.com", "postmaster", "postmaster@example.com"] {
        assert_eq!(client.send_message("", &[recipient], AWKWARD).code, 250, "{recipient}");
    }
    client.quit();
    for message in scene.site.maildir("alice@example.com").wait_for(3) {
        let fields = fields_above(&message, &stored(AWKWARD));
        assert_eq!(fields[0], ("Return-Path".to_owned(), "<>".to_owned()));
    }
}

#[test]
fn a_user_sends_to_elsewhere_through_the_relayhost_over_tls_with_a_login() {
    let scene = Scene::start();
    for (index, listener) in ["submission", "submissions"].into_iter().enumerate() {
        let mut client = scene.user(listener);
        let reply = client.send_message("alice@example.com", &["friend@elsewhere.test", "bob@example.com"], &awkward_of_user());
        assert_eq!(reply.code, 250, "{reply}");
        let taken = &scene.relay.wait_for(index + 1)[index];
        assert!(taken.is_tls);
        assert_eq!(taken.user.as_deref(), Some(RELAY_LOGIN.0));
        assert_eq!((taken.helo.as_str(), taken.reverse_path.as_str()), ("mail.example.com", "alice@example.com"));
        assert_eq!(taken.recipients, ["friend@elsewhere.test"]);
        let fields = fields_above(&taken.data, &awkward_of_user());
        assert_eq!(fields.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["Received"]);
        // RFC 3848: inside TLS and after AUTH.
        assert!(fields[0].1.contains(" with ESMTPSA"), "{}", fields[0].1);
        scene.site.maildir("bob@example.com").wait_for(index + 1);
    }
}

#[test]
fn a_program_in_the_trusted_network_needs_no_login() {
    let scene = Scene::start();
    assert_eq!(scene.trusted().send_message("cron@example.com", &["friend@elsewhere.test"], AWKWARD).code, 250);
    assert_eq!(scene.relay.wait_for(1)[0].recipients, ["friend@elsewhere.test"]);
}

#[test]
fn strangers_are_refused_with_the_reply_of_their_reason() {
    let scene = Scene::start();
    let mut client = scene.stranger();
    client.expect("MAIL FROM:<a@remote.test>", 250);
    for (recipient, code, status) in
        [("victim@elsewhere.test", 554, "5.7.1"), ("nobody@example.com", 550, "5.1.1"), ("anybody@parked.example", 556, "5.1.10")]
    {
        let reply = client.command(&format!("RCPT TO:<{recipient}>"));
        assert_eq!((reply.code, reply.lines[0].split(' ').next()), (code, Some(status)), "{recipient}: {reply}");
    }
    let reply = client.command("DATA");
    assert_eq!(reply.code / 100, 5, "{reply}");
    client.quit();
    assert_eq!(scene.relay.connections(), 0);
}

#[test]
fn mail_of_users_needs_tls_a_login_and_an_address_of_their_own() {
    let scene = Scene::start();
    let mut client = Client::connect(scene.daemon.address("submission"));
    let hello = client.hello();
    assert!(hello.offers("STARTTLS") && !hello.offers("AUTH"), "{hello}");
    assert_eq!(client.auth_plain(LOGIN.0, LOGIN.1).code / 100, 5);
    client.expect("MAIL FROM:<alice@example.com>", 530);

    for listener in ["submission", "submissions"] {
        let mut client = scene.mail_program(listener);
        client.expect("MAIL FROM:<alice@example.com>", 530);
        assert_eq!(client.auth_plain(LOGIN.0, "wrong").code, 535);
        assert_eq!(client.auth_plain("nobody", LOGIN.1).code, 535);
        assert_eq!(client.auth_plain(LOGIN.0, LOGIN.1).code, 235);
        let reply = client.expect("MAIL FROM:<bob@example.com>", 553);
        assert!(reply.lines[0].starts_with("5.7.1 "), "{reply}");
        client.expect("MAIL FROM:<alice@example.com>", 250);
    }
    assert!(!scene.stranger().hello().offers("AUTH"));
}

#[test]
fn a_relayhost_that_cannot_prove_its_name_gets_neither_mail_nor_password() {
    let scene = Scene::start();
    let impostor = Authority::new().issue("relay.test");
    let wrong = Script::new("relay.test").tls(TlsMode::StartTls, &impostor).login(RELAY_LOGIN.0, RELAY_LOGIN.1);
    let plain = Script::new("relay.test").login(RELAY_LOGIN.0, RELAY_LOGIN.1);
    for script in [wrong, plain] {
        let before = scene.relay.connections();
        scene.relay.follow(script);
        assert_eq!(scene.trusted().send_message("alice@example.com", &["friend@elsewhere.test"], AWKWARD).code, 250);
        wait::until("an attempt", || (scene.relay.connections() > before).then_some(()));
        wait::until("its end", || (scene.relay.open_connections() == 0).then_some(()));
    }
    let said: Vec<String> = scene.relay.commands().into_iter().map(|(_, line)| line).collect();
    assert!(!said.iter().any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")), "{said:?}");
    // Both wait, and go out once the relayhost is itself again.
    scene.relay.follow(scene.relay_script());
    scene.relay.wait_for(2);
}

#[test]
fn mail_waits_while_the_relayhost_defers_or_is_away() {
    let scene = Scene::start();
    let script = scene.relay_script();
    let moods = script.first(1, Stage::Banner, Act::Drop).first(1, Stage::AnyRcpt, Act::Defer).first(1, Stage::Dot, Act::Defer);
    scene.relay.follow(moods);
    assert_eq!(scene.trusted().send_message("alice@example.com", &["friend@elsewhere.test"], AWKWARD).code, 250);
    let taken = scene.relay.wait_for(1);
    assert_eq!(taken.iter().filter(|transaction| transaction.accepted).count(), 1);
    assert!(scene.relay.connections() >= 2);
    wait::until("an empty queue", || {
        let queue = scene.daemon.status()["queue"].clone();
        (queue["active"] == 0 && queue["deferred"] == 0).then_some(())
    });
}

#[test]
fn no_secret_reaches_the_log() {
    let scene = Scene::start();
    let mut client = scene.user("submissions");
    client.send_message("alice@example.com", &["friend@elsewhere.test"], &awkward_of_user());
    scene.relay.wait_for(1);
    assert_eq!(scene.mail_program("submission").auth_plain(LOGIN.0, "a-wrong-password").code, 535);
    let log = wait::until("the delivery and both logins in the log", || {
        let log = scene.daemon.log();
        (log.contains("friend@elsewhere.test") && log.contains("login refused")).then_some(log)
    });
    for secret in [LOGIN.1, RELAY_LOGIN.1, "a-wrong-password", "From there"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[test]
fn a_bare_line_end_never_ends_a_message() {
    let scene = Scene::start();
    for smuggled in ["\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\n\n.\r\n"] {
        let mut client = scene.stranger();
        client.pipeline(&["MAIL FROM:<a@remote.test>", "RCPT TO:<bob@example.com>", "DATA"]);
        for code in [250, 250, 354] {
            client.expect_reply(code);
        }
        let inner = "MAIL FROM:<b@remote.test>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\nforged";
        client.send(format!("x{smuggled}{inner}\r\n.\r\n").as_bytes());
        let reply = client.reply();
        assert_eq!(reply.code, 554, "{smuggled:?}: {reply}");
    }
    // What was sent after it was part of the message, and the message was refused.
    assert_eq!(scene.stranger().send_message("", &["bob@example.com"], AWKWARD).code, 250);
    scene.site.maildir("bob@example.com").wait_for(1);
}

#[test]
fn a_stopped_daemon_leaves_nothing_undone() {
    let scene = Scene::start();
    scene.relay.follow(scene.relay_script().on(Stage::Banner, Act::Defer));
    assert_eq!(scene.trusted().send_message("alice@example.com", &["friend@elsewhere.test"], AWKWARD).code, 250);
    let scene = scene.replace_daemon(|daemon| {
        let options = daemon.options().clone();
        daemon.stop();
        Daemon::start(options)
    });
    scene.relay.follow(scene.relay_script());
    assert_eq!(fields_above(&scene.relay.wait_for(1)[0].data, AWKWARD).len(), 1);
}

/// The example of the README, with the ports and the relayhost of this machine put in.
fn example(relay_port: u16) -> String {
    let mut kdl = fs::read_to_string(workspace().join("examples/quickstart/site.kdl")).unwrap();
    let relay = format!("host=\"relay.test\" port={relay_port}");
    for (from, to) in [
        ("listen \"mx\"", "listen \"mx\" port=0 address=\"127.0.0.1\""),
        ("listen \"submission\"", "listen \"submission\" port=0 address=\"127.0.0.1\""),
        ("listen \"submissions\"", "listen \"submissions\" port=0 address=\"127.0.0.1\""),
        ("host=\"smtp.isp.example\" port=587", relay.as_str()),
    ] {
        assert_eq!(kdl.matches(from).count(), 1, "{from} stands once in the example");
        kdl = kdl.replace(from, to);
    }
    kdl
}

#[test]
fn the_example_of_the_readme_does_what_it_says() {
    let credential = |name: &str| fs::read_to_string(workspace().join("examples/quickstart/credentials").join(name)).unwrap();
    let credentials = [("users", credential("users")), ("relayhost", credential("relayhost"))];
    let password = credentials[1].1.lines().next().unwrap().to_owned();
    let scene = Scene::of(example, &credentials, ("mail@example.com", &password));

    let mut client = scene.user("submission");
    assert_eq!(client.send_message("alice@example.com", &["team@example.com"], &awkward_of_user()).code, 250);
    for address in ["alice@example.com", "bob@example.com"] {
        fields_above(&scene.site.maildir(address).wait_for(1)[0], &stored(&awkward_of_user()));
    }
    assert_eq!(client.send_message("alice@example.com", &["friend@elsewhere.test"], &awkward_of_user()).code, 250);
    let taken = &scene.relay.wait_for(1)[0];
    assert!(taken.is_tls && taken.user.as_deref() == Some("mail@example.com"));
    assert_eq!(client.send_message("alice@example.com", &["nobody@example.com"], &awkward_of_user()).code, 550);
    assert!(example(1).lines().filter(|line| !line.starts_with("//")).count() < 25, "the quickstart stays short");
}
