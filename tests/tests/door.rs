//! Who gets in at the door, and how much of us one client gets: password files of other programs, guessing, limits of
//! connections and messages, and talking before the greeting.
#![allow(clippy::unwrap_used)]

use postern_tests::client::Client;
use postern_tests::scene::{LOGIN, RELAY_LOGIN, STRANGER, Scene, kdl};
use postern_tests::wait::until;
use std::net::{IpAddr, Ipv4Addr};

/// The password of [`LOGIN`], as `doveadm pw` wrote it.
const USERS: &str = "\
    dave:{SSHA512}c2VjcmV0\n\
    alice:{SHA512-CRYPT}$6$postern$PltfBKD.RaOepTW5Mk4B2PgrsguOk71pJtrCDr4AH.1Re12b2uVIBNbYJLdScPID3gvgCwQvPeNneTJHLVG2A0\n";

const LIMITS: &str = "screen {\n    greet-wait \"1s\"\n    limit connections=2\n    limit messages=\"2/1h\" per=\"network\"\n}\n";

fn stranger(scene: &Scene, last: u8) -> Client {
    Client::dial_from(IpAddr::V4(Ipv4Addr::new(127, 0, 7, last)), scene.daemon.address("mx")).unwrap()
}

#[test]
fn lines_of_other_programs_are_passwords_and_one_that_is_not_served_is_no_refusal() {
    let credentials = [("users", USERS.to_owned()), ("relay-password", format!("{}\n", RELAY_LOGIN.1))];
    let scene = Scene::of(kdl, &credentials, RELAY_LOGIN);
    let mut client = scene.mail_program("submission");
    assert_eq!(client.auth_plain("dave", "secret").code, 454);
    assert_eq!(client.auth_plain(LOGIN.0, LOGIN.1).code, 235);
    let line = "user store staff, line 1: the scheme {SSHA512} is not served here";
    until("the line about the scheme", || scene.daemon.log().contains(line).then_some(()));
    let log = scene.daemon.log();
    assert!(!log.contains("c2VjcmV0"), "a hash is in the log");
}

#[test]
fn limits_hold_for_strangers_alone() {
    let scene = Scene::with(|kdl| kdl + LIMITS);
    let mut open: Vec<Client> = (0..2).map(|_| stranger(&scene, 1)).collect();
    open.iter_mut().for_each(|client| drop(client.expect_reply(220)));
    stranger(&scene, 1).expect_reply(421);
    // Another address has connections of its own, and shares the network's messages.
    let mut other = stranger(&scene, 2);
    other.expect_reply(220);
    for (client, code) in [(0, 250), (1, 250)] {
        let client = &mut open[client];
        client.hello();
        assert_eq!(client.command("MAIL FROM:<a@remote.test>").code, code);
    }
    other.hello();
    assert_eq!(other.command("MAIL FROM:<a@remote.test>").code, 450);
    let mut trusted: Vec<Client> = (0..4).map(|_| scene.trusted()).collect();
    for client in &mut trusted {
        assert_eq!(client.command("MAIL FROM:<a@example.com>").code, 250);
    }
    drop(open);
    until("both limits in the log", || {
        let log = scene.daemon.log();
        (log.contains("connection-limit") && log.contains("message-limit")).then_some(())
    });
}

#[test]
fn connections_in_a_time_have_a_limit_too() {
    let scene = Scene::with(|kdl| kdl + "screen { limit new-connections=\"3/1h\" per=\"network\"; }\n");
    let come = |last: u8| {
        let mut client = stranger(&scene, last);
        client.reply().code
    };
    assert_eq!([1, 1, 2, 3, 1].map(come), [220, 220, 220, 421, 421]);
    // Nobody else's, and none of whoever may relay.
    let mut other = Client::dial_from(STRANGER, scene.daemon.address("mx")).unwrap();
    other.expect_reply(220);
    (0..5).for_each(|_| drop(scene.trusted()));
    until("the log says why, and where", || {
        scene.daemon.log().contains("\"reason\":\"connection-rate-limit\",\"source\":\"site.kdl:").then_some(())
    });
}

#[test]
fn whoever_talks_before_the_greeting_is_refused() {
    let scene = Scene::with(|kdl| kdl + LIMITS);
    let mut client = Client::dial_from(STRANGER, scene.daemon.address("mx")).unwrap();
    client.try_send(b"EHLO early.test\r\n").unwrap();
    assert_eq!(client.try_reply().unwrap().unwrap().code, 554);
}

#[test]
fn whoever_guesses_is_locked_out_and_others_are_not() {
    let scene = Scene::start();
    // Each failure of one address waits longer, so they come from several sessions at once; and who tries more at once than may fail
    // learns of no more.
    let guess = || scene.mail_program("submissions").auth_plain("nobody", "x").code;
    let codes: Vec<u16> = std::thread::scope(|scope| {
        let guesses: Vec<_> = (0..16).map(|_| scope.spawn(guess)).collect();
        guesses.into_iter().map(|guess| guess.join().unwrap()).collect()
    });
    let of = |code: u16| codes.iter().filter(|found| **found == code).count();
    assert_eq!((of(535), of(454)), (10, 6), "{codes:?}");
    let mut client = scene.mail_program("submissions");
    assert_eq!(client.auth_plain(LOGIN.0, LOGIN.1).code, 454, "{}", client.transcript());
}

/// Who guesses from many places locks an account, whether there is such a one or not, and not where its user is known to come from.
#[test]
fn an_account_that_is_guessed_at_is_locked_alike_for_somebody_and_nobody() {
    let scene = Scene::start();
    let log_in = |last: u8, user: &str, password: &str| {
        let address = IpAddr::V4(Ipv4Addr::new(127, 0, 9, last));
        let mut client = Client::dial_from(address, scene.daemon.address("submissions")).unwrap();
        client.tls();
        client.expect_reply(220);
        client.hello();
        client.auth_plain(user, password)
    };
    assert_eq!(log_in(200, LOGIN.0, LOGIN.1).code, 235);
    let answers = [LOGIN.0, "nobody"].map(|user| {
        let mut guesses: Vec<String> = std::thread::scope(|scope| {
            let guesses: Vec<_> = (1..=20).map(|last| scope.spawn(move || log_in(last, user, "x").to_string())).collect();
            guesses.into_iter().map(|guess| guess.join().unwrap()).collect()
        });
        guesses.push(log_in(100, user, LOGIN.1).to_string());
        guesses
    });
    assert_eq!(answers[0], answers[1], "nobody learns who there is");
    assert!(answers[0][..20].iter().all(|answer| answer.starts_with("535")) && answers[0][20].starts_with("454"), "{answers:?}");
    assert_eq!(log_in(200, LOGIN.0, LOGIN.1).code, 235);
}

#[test]
fn a_balancer_names_its_client_and_nobody_else_does() {
    let scene = Scene::start();
    let dial = |last: u8| Client::dial_from(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)), scene.daemon.address("gateway")).unwrap();
    let relays = |client: &mut Client| {
        client.expect_reply(220);
        client.hello();
        client.expect("MAIL FROM:<a@example.com>", 250);
        client.command("RCPT TO:<friend@elsewhere.test>").code
    };
    // The trusted address of the scene, by both versions of the header.
    let mut client = dial(13);
    client.send(b"PROXY TCP4 127.0.0.1 127.0.0.13 4000 25\r\n");
    assert_eq!(relays(&mut client), 250);
    let mut client = dial(13);
    client.send(&[b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".as_slice(), &[198, 51, 100, 7, 127, 0, 0, 13, 1, 1, 0, 25]].concat());
    assert_eq!(relays(&mut client), 554);
    until("the log names it", || scene.daemon.log().contains("\"peer\":\"198.51.100.7\"").then_some(()));
    // Who is listed and sends none is not served; who is not listed talks nonsense.
    let mut client = dial(13);
    client.send(b"EHLO balancer.test\r\n");
    assert!(client.try_reply().map_or(true, |reply| reply.is_none()));
    let mut client = dial(9);
    client.expect_reply(220);
    client.expect("PROXY TCP4 127.0.0.1 127.0.0.9 4000 25", 500);
}

/// RFC 3030 3: nothing is lost, and what lies in the mailbox is text that any program reads.
#[test]
fn a_binary_part_lies_in_the_mailbox_as_base64() {
    let scene = Scene::start();
    let mut client = scene.stranger();
    let message = b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\n\
        --b\r\n\r\n.text\r\n--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\n\r\xff\r\n--b--\r\n";
    client.expect("MAIL FROM:<a@remote.test> BODY=BINARYMIME", 250);
    client.expect("RCPT TO:<bob@example.com>", 250);
    client.expect("DATA", 503);
    let (first, second) = message.split_at(150);
    client.send(&[format!("BDAT {}\r\n", first.len()).as_bytes(), first].concat());
    client.expect_reply(250);
    client.send(&[format!("BDAT {} LAST\r\n", second.len()).as_bytes(), second].concat());
    client.expect_reply(250);
    let found = scene.site.maildir("bob@example.com").wait_for(1).remove(0);
    let text = String::from_utf8(found).expect("it is ASCII");
    let part = "--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\nAAoN/w==\n--b--\n";
    assert!(text.contains("Content-Transfer-Encoding: 8bit\n\n--b\n\n.text\n") && text.ends_with(part), "{text}");
    // What is larger than what is held in memory goes the same way.
    client.expect("MAIL FROM:<a@remote.test> BODY=BINARYMIME", 250);
    client.expect("RCPT TO:<bob@example.com>", 250);
    let large = [&b"Content-Transfer-Encoding: binary\r\n\r\n"[..], &b"\0\r\n".repeat(100_000)].concat();
    client.send(&[format!("BDAT {} LAST\r\n", large.len()).as_bytes(), &large].concat());
    client.expect_reply(250);
    let found = scene.site.maildir("bob@example.com").wait_for(2).into_iter().find(|text| text.len() > 100_000).unwrap();
    let (_, body) = std::str::from_utf8(&found).unwrap().split_once("base64\n\n").unwrap();
    assert_eq!(body.replace('\n', ""), "AA0K".repeat(100_000));
}
