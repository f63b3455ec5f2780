//! Who comes in by which door: users by certificate, hosts by certificate, filters by their listener, over TCP and over a socket in
//! the file system; and what a filter gives back is handed on as it is.
#![allow(clippy::unwrap_used)]

use postern_tests::client::Client;
use postern_tests::daemon::passwd_line;
use postern_tests::scene::{LOGIN, RELAY_LOGIN, STRANGER, Scene, kdl};
use postern_tests::tls::{Authority, Identity};
use postern_tests::wait::until;
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

const MESSAGE: &[u8] = b"From: alice@example.com\r\nSubject: x\r\n\r\nbody\r\n";

/// A site whose user `alice` may come with a certificate of this authority, and where one host may relay by its own.
fn scene(authority: &Authority, host: &Identity) -> Scene {
    let fingerprint: String = Sha256::digest(host.der()).iter().map(|octet| format!("{octet:02x}")).collect();
    let more = format!(
        "users \"devices\" {{ client-certificate authority=\"clients.pem\"; }}\n\
         network \"branch\" relay=#true reason=\"it moves\" {{ certificate \"{fingerprint}\"; }}\n"
    );
    let credentials = [("users", passwd_line(LOGIN.0, LOGIN.1)), ("relay-password", format!("{}\n", RELAY_LOGIN.1))];
    Scene::with_files(|port| kdl(port) + &more, &[("clients.pem", &authority.pem())], &credentials, RELAY_LOGIN)
}

fn at(scene: &Scene, listener: &str, identity: &Identity) -> Client {
    let mut client = Client::dial_from(STRANGER, scene.daemon.address(listener)).unwrap();
    client.expect_reply(220);
    client.hello();
    client.start_tls_as(identity);
    client
}

#[test]
fn a_certificate_of_the_authority_is_a_login_and_no_other_is() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let (alice, impostor) = (authority.issue("alice"), stranger.issue("alice"));
    let scene = scene(&authority, &authority.issue("branch.test"));

    let mut client = at(&scene, "submission", &alice);
    let hello = client.hello();
    assert!(hello.lines.iter().any(|line| line.starts_with("AUTH EXTERNAL ")), "{hello}");
    // Nobody else by it (RFC 4422 A).
    client.expect("AUTH EXTERNAL Ym9i", 535);
    client.expect("AUTH EXTERNAL =", 235);
    client.expect("MAIL FROM:<bob@example.com>", 553);
    assert_eq!(client.send_message("alice@example.com", &["x@remote.test"], MESSAGE).code, 250, "{}", client.transcript());

    // In two steps, and by the name that the certificate has.
    let mut client = at(&scene, "submission", &alice);
    client.hello();
    client.expect("AUTH EXTERNAL", 334);
    client.expect("YWxpY2U=", 235);

    let mut client = at(&scene, "submission", &impostor);
    let hello = client.hello();
    assert!(!hello.text().contains("EXTERNAL"), "{hello}");
    client.expect("AUTH EXTERNAL =", 504);
    // What a certificate does not give, a password does.
    assert_eq!(client.auth_plain(LOGIN.0, LOGIN.1).code, 235, "{}", client.transcript());
}

#[test]
fn of_two_authorities_each_has_the_limits_of_its_store() {
    let [one, two, three] = [(); 3].map(|()| Authority::new());
    let more = "users \"devices\" { client-certificate authority=\"clients.pem\"; limit messages=\"3/1h\"; }\n\
                users \"phones\" { client-certificate authority=\"phones.pem\"; limit messages=\"1/1h\"; }\n";
    let credentials = [("users", passwd_line(LOGIN.0, LOGIN.1)), ("relay-password", format!("{}\n", RELAY_LOGIN.1))];
    let (clients, phones) = (one.pem(), two.pem());
    let files = [("clients.pem", &*clients), ("phones.pem", &*phones)];
    let scene = Scene::with_files(|port| kdl(port) + more, &files, &credentials, RELAY_LOGIN);
    for (authority, user, most) in [(&one, "alice", 3), (&two, "bob", 1)] {
        let mut client = at(&scene, "submission", &authority.issue(user));
        client.hello();
        client.expect("AUTH EXTERNAL =", 235);
        for count in 1..=most + 1 {
            let reply = client.command(&format!("MAIL FROM:<{user}@example.com>"));
            assert_eq!(reply.code, if count > most { 450 } else { 250 }, "{user} {count}: {reply}");
            client.expect("RSET", 250);
        }
    }
    let mut client = at(&scene, "submission", &three.issue("alice"));
    client.hello();
    client.expect("AUTH EXTERNAL =", 504);
}

#[test]
fn a_host_relays_by_its_certificate_and_by_no_other() {
    let authority = Authority::new();
    let (branch, other) = (authority.issue("branch.test"), authority.issue("branch.test"));
    let scene = scene(&authority, &branch);
    for (identity, code) in [(&branch, 250), (&other, 554)] {
        let mut client = at(&scene, "mx", identity);
        client.hello();
        client.expect("MAIL FROM:<a@remote.test>", 250);
        client.expect("RCPT TO:<x@elsewhere.test>", code);
    }
    until("the log says why", || scene.daemon.log().contains("trusted-certificate").then_some(()));
}

#[test]
fn what_a_filter_gives_back_goes_on_as_it_is() {
    let scene = Scene::with(|kdl| kdl + "headers add=\"X-Site: once\"\n");
    let mut client = Client::dial_from(STRANGER, scene.daemon.address("back")).unwrap();
    client.expect_reply(220);
    client.hello();
    client.expect("XFORWARD ADDR=198.51.100.7 HELO=far.test", 250);
    let sent = b"Subject: scanned\r\n\r\nbody\r\n";
    assert_eq!(client.send_message("a@remote.test", &["bob@example.com"], sent).code, 250, "{}", client.transcript());
    let found = scene.site.maildir("bob@example.com").wait_for(1).remove(0);
    let text = String::from_utf8_lossy(&found).into_owned();
    assert!(!text.contains("X-Site") && !text.contains("Message-ID"), "{text}");
    until("the log names the client", || scene.daemon.log().contains("198.51.100.7").then_some(()));
}

#[test]
fn lmtp_is_spoken_at_a_socket_in_the_file_system() {
    let folder = tempfile::Builder::new().prefix("lm-").tempdir_in("/tmp").unwrap();
    let path = folder.path().join("lmtp");
    // What an earlier process has left.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let scene = Scene::with(|kdl| kdl + &format!("listen \"closet\" kind=\"lmtp\" socket=\"unix:{}\"\n", path.display()));
    let mut stream = UnixStream::connect(&path).unwrap();
    let mut replies = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut next = move || replies.find_map(|line| line.ok().filter(|line| line.as_bytes().get(3) == Some(&b' '))).unwrap();
    assert!(next().starts_with("220 "));
    for (line, code) in [
        ("LHLO filter.test", "250"),
        ("MAIL FROM:<a@remote.test>", "250"),
        ("RCPT TO:<alice@example.com>", "250"),
        ("RCPT TO:<bob@example.com>", "250"),
        ("DATA", "354"),
        ("Subject: x\r\n\r\nbody\r\n.", "250"),
    ] {
        stream.write_all(format!("{line}\r\n").as_bytes()).unwrap();
        let reply = next();
        assert!(reply.starts_with(code), "{line}: {reply}");
    }
    assert!(next().starts_with("250"), "one reply for each recipient");
    // By BDAT too, in two chunks (RFC 3030 2).
    for (octets, code) in [
        ("MAIL FROM:<a@remote.test>\r\n", "250"),
        ("RCPT TO:<alice@example.com>\r\n", "250"),
        ("RCPT TO:<bob@example.com>\r\n", "250"),
        ("BDAT 12\r\nSubject: y\r\n", "250"),
        ("BDAT 6 LAST\r\n\r\n.\r\n.", "250"),
    ] {
        stream.write_all(octets.as_bytes()).unwrap();
        let reply = next();
        assert!(reply.starts_with(code), "{octets}: {reply}");
    }
    assert!(next().starts_with("250"), "one reply for each recipient");
    let found = scene.site.maildir("bob@example.com").wait_for(2);
    assert!(found.iter().any(|text| text.ends_with(b"\nSubject: y\n\n.\n.\n")), "{found:?}");
}

#[test]
fn mail_of_a_host_with_a_certificate_is_signed_anew_where_its_sender_is_rewritten() {
    let authority = Authority::new();
    let branch = authority.issue("branch.test");
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let fingerprint: String = Sha256::digest(branch.der()).iter().map(|octet| format!("{octet:02x}")).collect();
    let more = format!(
        "network \"branch\" relay=#true reason=\"it moves\" {{ certificate \"{fingerprint}\"; }}\n\
         rewrite \"both\" \"bob@example.com\" \"robert@example.com\" at=\"egress\"\n"
    );
    let signed =
        "delimiter \"+\"\n    dkim \"k\" algorithm=\"ed25519-sha256\" public-key=\"k.pub\" key-secret=\"dkim\" state=\"active\"";
    let credentials = [
        ("users", passwd_line(LOGIN.0, LOGIN.1)),
        ("relay-password", format!("{}\n", RELAY_LOGIN.1)),
        ("dkim", key.serialize_pem()),
    ];
    let files = [("k.pub", &*key.public_key_pem())];
    let scene = Scene::with_files(|port| kdl(port).replace("delimiter \"+\"", signed) + &more, &files, &credentials, RELAY_LOGIN);
    let mut client = at(&scene, "mx", &branch);
    client.hello();
    let sent = b"From: bob@example.com\r\nSubject: x\r\n\r\nbody\r\n";
    assert_eq!(client.send_message("bob@example.com", &["x@remote.test"], sent).code, 250, "{}", client.transcript());
    let received = scene.relay.wait_for(1).remove(0);
    let text = String::from_utf8_lossy(&received.data).into_owned();
    assert!(text.contains("From: robert@example.com"), "{text}");
    assert_eq!(text.matches("DKIM-Signature:").count(), 1, "{text}");
    // The operator, and `postern explain --attempt`, learn what it was known by.
    let log = scene.daemon.log();
    assert!(log.contains("trusted-certificate"), "{log}");
}
