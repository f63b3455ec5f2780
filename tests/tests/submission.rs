//! What a submission service does to mail of its users (RFC 6409): completes its header, holds From to the login, takes out and
//! adds what the site says, and counts.
#![allow(clippy::unwrap_used)]

use postern_tests::client::Client;
use postern_tests::scene::{AWKWARD, Scene, fields_above, stored};
use postern_tests::wait::until;

const CHANGES: &str = "headers remove=\"X-Originating-IP\" add=\"X-Site: example\" at=\"submission\"\n\
    headers remove=\"X-Stranger\" at=\"mx\"\n";

fn scene() -> Scene {
    Scene::with(|kdl| kdl.replace("passwd secret=\"users\"", "passwd secret=\"users\"; limit messages=\"3/1h\"") + CHANGES)
}

fn send(client: &mut Client, message: &str) -> (u16, String) {
    let reply = client.send_message("alice@example.com", &["bob@example.com"], message.as_bytes());
    (reply.code, reply.text())
}

fn delivered(scene: &Scene) -> String {
    let maildir = scene.site.maildir("bob@example.com");
    let messages = maildir.wait_for(1);
    String::from_utf8(messages[0].clone()).unwrap()
}

#[test]
fn what_a_user_left_out_is_added_and_what_the_site_says_is_gone() {
    let scene = scene();
    let mut client = scene.user("submissions");
    let (code, text) =
        send(&mut client, "From: Alice <alice@example.com>\r\nX-Originating-IP: 10.0.0.1\r\nX-Stranger: a\r\n\r\nhello\r\n");
    assert_eq!(code, 250, "{text}");
    let found = delivered(&scene);
    let header = found.split("\n\n").next().unwrap();
    for wanted in ["\nDate: ", "\nMessage-ID: <", "@mail.example.com>", "\nX-Site: example", "\nX-Stranger: a"] {
        assert!(header.contains(wanted), "{wanted:?} in\n{found}");
    }
    assert!(!header.contains("X-Originating-IP"), "{found}");
}

#[test]
fn a_strangers_message_is_completed_by_nobody() {
    let scene = scene();
    let mut client = scene.stranger();
    let message = b"From: x@remote.test\r\n\r\nhello\r\n";
    assert_eq!(client.send_message("x@remote.test", &["bob@example.com"], message).code, 250);
    let found = delivered(&scene);
    let fields = fields_above(found.as_bytes(), &stored(message));
    assert!(fields.iter().all(|(name, _)| name != "Date" && name != "Message-ID" && name != "X-Site"), "{found}");
}

#[test]
fn from_has_to_be_the_users_own() {
    let scene = scene();
    let mut client = scene.user("submission");
    let (code, text) = send(&mut client, &String::from_utf8_lossy(AWKWARD));
    assert!(code == 550 && text.contains("From address not owned"), "{text}");
    let (code, text) = send(&mut client, "From: alice@example.com, bob@example.com\r\n\r\nhello\r\n");
    assert_eq!(code, 550, "{text}");
    let (code, text) = send(&mut client, "From: \"bob@example.com\" <alice+work@example.com>\r\n\r\nhello\r\n");
    assert_eq!(code, 250, "{text}");
    until("the log says so", || scene.daemon.log().contains("author-not-owned").then_some(()));
}

#[test]
fn a_user_sends_so_many_and_no_more_by_whatever_session() {
    let scene = scene();
    for _ in 0..3 {
        let mut client = scene.user("submission");
        client.expect("MAIL FROM:<alice@example.com>", 250);
        client.quit();
    }
    let mut client = scene.user("submissions");
    client.expect("MAIL FROM:<alice@example.com>", 450);
    until("the log says so", || scene.daemon.log().contains("user-message-limit").then_some(()));
    let mut stranger = scene.stranger();
    stranger.expect("MAIL FROM:<x@remote.test>", 250);
}
