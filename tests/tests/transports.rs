//! Transports of a site other than Maildirs: each hands mail over in its own way, and what the other side says decides for each
//! recipient.
#![allow(clippy::unwrap_used)]

use postern_tests::client::Client;
use postern_tests::daemon::{Daemon, Options, Site};
use postern_tests::dns::DnsServer;
use postern_tests::peer::{Act, Peer, Script, Stage};
use postern_tests::scene::AWKWARD;
use postern_tests::tls::{Authority, Identity};
use postern_tests::wait;
use postern_tests::web_server::WebServer;
use std::net::TcpStream;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::{fs, io, thread};

/// A site whose domain `example.com` has three mailboxes behind a transport.
fn site(transport: &str) -> (Site, Daemon) {
    let rest = format!(
        r#"tls {{ self-signed }}
domain "example.com" {{
    mailbox "alice"
    mailbox "bob"
    mailbox "carl"
    deliver "behind"
}}
transport "behind" {transport}
queue {{ retry "1s" up-to="2s" }}
log format="json"
"#
    );
    let site = Site::small("carl@example.com", &rest);
    site.build();
    let daemon = Daemon::start(Options::of(&site));
    (site, daemon)
}

fn send(daemon: &Daemon, recipients: &[&str]) {
    let mut client = Client::connect(daemon.address("mx"));
    client.hello();
    let reply = client.send_message("", recipients, AWKWARD);
    assert_eq!(reply.code, 250, "{reply}");
}

fn wait_for_attempts(daemon: &Daemon, count: usize) -> Vec<(String, String, String)> {
    wait::until("the attempts are in the log", || Some(daemon.attempts()).filter(|found| found.len() >= count))
}

#[test]
fn an_lmtp_server_answers_for_each_recipient() {
    let script = Script::default().lmtp().on(Stage::DotFor("bob@example.com".to_owned()), Act::Reject).first(
        1,
        Stage::DotFor("carl@example.com".to_owned()),
        Act::Defer,
    );
    let peer = Peer::start(script);
    let (_site, daemon) = site(&format!("lmtp=\"inet:{}\"", peer.address()));
    send(&daemon, &["alice@example.com", "bob@example.com", "carl@example.com"]);
    let found = wait_for_attempts(&daemon, 4);
    let of = |who: &str| found.iter().filter(|(to, ..)| to == who).map(|(_, status, _)| status.as_str()).collect::<Vec<_>>();
    assert_eq!(of("alice@example.com"), ["sent"]);
    assert_eq!(of("bob@example.com"), ["bounced"]);
    assert_eq!(of("carl@example.com"), ["deferred", "sent"], "it alone is tried again");
    let taken = peer.wait_for(2);
    assert_eq!(taken[1].recipients, ["carl@example.com"]);
    assert!(peer.commands().iter().any(|(_, line)| line.starts_with("LHLO mail.example.com")));
}

#[test]
fn an_lmtp_server_may_listen_at_a_socket_of_the_file_system() {
    let peer = Peer::start(Script::default().lmtp());
    let folder = tempfile::Builder::new().prefix("lmtp-").tempdir_in("/tmp").unwrap();
    let (path, inner) = (folder.path().join("s"), peer.address());
    let (_site, daemon) = site(&format!("lmtp=\"unix:{}\"", path.display()));
    send(&daemon, &["alice@example.com"]);
    let first = wait_for_attempts(&daemon, 1).remove(0);
    assert_eq!(first.1, "deferred", "nobody listens yet: {first:?}");
    let listener = UnixListener::bind(&path).unwrap();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(inner).unwrap();
            let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || io::copy(&mut from_client, &mut to_server));
            let (mut from_server, mut to_client) = (server, client);
            thread::spawn(move || io::copy(&mut from_server, &mut to_client));
        }
    });
    assert_eq!(peer.wait_for(1)[0].recipients, ["alice@example.com"]);
    assert_eq!(wait_for_attempts(&daemon, 2).last().unwrap().1, "sent");
}

#[test]
fn mail_goes_to_a_host_further_inside() {
    let peer = Peer::start(Script::default());
    let address = peer.address();
    let (_site, daemon) = site(&format!("smtp=\"{}\" port={} mx=#false tls=\"none\"", address.ip(), address.port()));
    send(&daemon, &["alice@example.com"]);
    assert_eq!(peer.wait_for(1)[0].recipients, ["alice@example.com"]);
}

#[test]
fn what_is_discarded_leaves_the_queue_and_what_fails_is_refused_for_good() {
    for (transport, status, reply) in [
        ("discard=\"nobody reads it\"", "sent", "250 2.0.0 discarded: nobody reads it"),
        ("fail=\"closed for the winter\"", "bounced", "550 5.2.1 closed for the winter"),
    ] {
        let (_site, daemon) = site(transport);
        send(&daemon, &["alice@example.com"]);
        let found = wait_for_attempts(&daemon, 1);
        assert_eq!(found, [("alice@example.com".to_owned(), status.to_owned(), reply.to_owned())]);
        wait::until("the queue is empty", || (daemon.status()["queue"]["active"] == 0).then_some(()));
    }
}

/// A program that notes what it gets and ends as its recipient says, run as whoever runs the test.
fn program(folder: &Path) -> String {
    let path = folder.join("program");
    let out = folder.display();
    fs::write(&path, format!(
        "#!/bin/sh\nenv | sort > {out}/env.$LOCAL\ncat > {out}/text.$LOCAL\ncase $LOCAL in bob) echo unknown; exit 67;; carl) test -e {out}/again || {{ touch {out}/again; exit 75; }};; esac\n"
    )).unwrap();
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    path.display().to_string()
}

fn whoever_runs_this() -> String {
    let id = rustix::process::geteuid().as_raw().to_string();
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let line = passwd.lines().find(|line| line.split(':').nth(2) == Some(&id)).unwrap();
    line.split(':').next().unwrap().to_owned()
}

#[test]
fn a_program_gets_the_message_and_decides() {
    let folder = tempfile::tempdir().unwrap();
    let program = program(folder.path());
    let (_site, daemon) = site(&format!("pipe=\"{program}\" user=\"{}\"", whoever_runs_this()));
    send(&daemon, &["alice@example.com", "bob@example.com", "carl@example.com"]);
    let found = wait_for_attempts(&daemon, 4);
    let of = |who: &str| found.iter().filter(|(to, ..)| to == who).map(|(_, status, _)| status.as_str()).collect::<Vec<_>>();
    assert_eq!(of("alice@example.com"), ["sent"]);
    assert_eq!(of("bob@example.com"), ["bounced"]);
    assert_eq!(of("carl@example.com"), ["deferred", "sent"]);
    let bob = found.iter().find(|(to, ..)| to == "bob@example.com").unwrap();
    assert_eq!(bob.2, format!("550 5.1.1 {program} ended with status 67: unknown"));
    let environment = fs::read_to_string(folder.path().join("env.alice")).unwrap();
    for line in ["RECIPIENT=alice@example.com", "SENDER=", "LOCAL=alice", "DOMAIN=example.com"] {
        assert!(environment.lines().any(|found| found == line), "{line} in {environment}");
    }
    assert!(!environment.contains("CARGO"), "nothing of ours is in it: {environment}");
    let text = fs::read(folder.path().join("text.alice")).unwrap();
    assert!(text.starts_with(b"Return-Path: <>\nDelivered-To: alice@example.com\nReceived: "));
    assert!(text.ends_with(&postern_tests::scene::stored(AWKWARD)));
}

#[test]
fn a_program_that_is_not_there_keeps_its_mail_waiting() {
    let (_site, daemon) = site(&format!("pipe=\"/nonexistent/program\" user=\"{}\"", whoever_runs_this()));
    send(&daemon, &["alice@example.com"]);
    let found = wait_for_attempts(&daemon, 1);
    assert_eq!(found[0].1, "deferred", "{found:?}");
    assert!(found[0].2.starts_with("451 4.3.0 /nonexistent/program cannot be run as "), "{found:?}");
}

#[test]
fn a_peer_gets_as_many_recipients_and_messages_as_it_says_rfc_9422_4() {
    let peer = Peer::start(Script::default().extensions(&["PIPELINING", "LIMITS RCPTMAX=2 MAILMAX=3"]));
    let address = peer.address();
    let (_site, daemon) = site(&format!("smtp=\"{}\" port={} mx=#false tls=\"none\"", address.ip(), address.port()));
    send(&daemon, &["alice@example.com", "bob@example.com", "carl@example.com"]);
    let taken = peer.wait_for(2);
    assert_eq!(taken[0].recipients, ["alice@example.com", "bob@example.com"]);
    assert_eq!(taken[1].recipients, ["carl@example.com"]);
    assert_eq!(taken[0].data, taken[1].data, "the text is the same for all");
    send(&daemon, &["alice@example.com"]);
    send(&daemon, &["bob@example.com"]);
    let taken = peer.wait_for(4);
    let by = |connection| taken.iter().filter(|one| one.connection == connection).count();
    assert!((1..=peer.connections()).all(|connection| by(connection) <= 3), "{taken:#?}");
}

#[test]
fn the_rest_of_a_message_goes_by_another_connection_where_one_takes_no_more_rfc_9422_4_1() {
    let peer = Peer::start(Script::default().extensions(&["PIPELINING", "LIMITS RCPTMAX=1 MAILMAX=2"]));
    let address = peer.address();
    let (_site, daemon) = site(&format!("smtp=\"{}\" port={} mx=#false tls=\"none\"", address.ip(), address.port()));
    send(&daemon, &["alice@example.com", "bob@example.com", "carl@example.com"]);
    let taken: Vec<_> = peer.wait_for(3).into_iter().map(|one| (one.connection, one.recipients.concat())).collect();
    assert_eq!(
        taken.iter().map(|(_, to)| to.as_str()).collect::<Vec<_>>(),
        ["alice@example.com", "bob@example.com", "carl@example.com"]
    );
    assert_eq!(taken.iter().map(|(connection, _)| *connection).collect::<Vec<_>>(), [1, 1, 2]);
    let found = wait_for_attempts(&daemon, 3);
    assert!(found.iter().all(|(_, status, _)| status == "sent"), "{found:?}");
}

#[test]
fn chunks_carry_a_message_to_a_peer_that_takes_them_rfc_3030_2() {
    let peer = Peer::start(Script::default().extensions(&["PIPELINING", "CHUNKING", "8BITMIME"]));
    let address = peer.address();
    let (_site, daemon) = site(&format!("smtp=\"{}\" port={} mx=#false tls=\"none\"", address.ip(), address.port()));
    send(&daemon, &["alice@example.com"]);
    let large = [AWKWARD, &b"..\r\n.x\r\nA long line of text.\r\n".repeat(20_000)].concat();
    let mut client = Client::connect(daemon.address("mx"));
    client.hello();
    assert_eq!(client.send_message("", &["bob@example.com"], &large).code, 250);
    let taken = peer.wait_for(2);
    assert!(taken[0].data.ends_with(AWKWARD));
    assert!(taken[1].data.ends_with(&large));
    let lines = peer.commands();
    assert!(lines.iter().any(|(_, line)| line.starts_with("BDAT ") && line.ends_with(" LAST")), "{lines:?}");
    assert!(!lines.iter().any(|(_, line)| line == "DATA"), "{lines:?}");
}

#[test]
fn a_full_mailbox_keeps_its_mail_waiting_until_there_is_room() {
    let site = Site::small(
        "carl@example.com",
        r#"tls { self-signed }
domain "example.com" {
    mailbox "alice" quota="8KiB"
    mailbox "bob"
    mailbox "carl" quota="1MiB"
}
limits message="8KiB" mailbox="9KiB"
queue { retry "1s" up-to="2s" }
log format="json"
"#,
    );
    site.build();
    let daemon = Daemon::start(Options::of(&site));
    let large = [AWKWARD, &b"A line that fills a mailbox.\r\n".repeat(180)].concat();
    let send = |recipient: &str| {
        let mut client = Client::connect(daemon.address("mx"));
        client.hello();
        assert_eq!(client.send_message("", &[recipient], &large).code, 250);
    };
    for _ in 0..2 {
        for user in ["alice", "bob", "carl"] {
            send(&format!("{user}@example.com"));
        }
    }
    let full = wait::until("a mailbox is full", || {
        let found: Vec<_> = daemon.attempts().into_iter().filter(|(_, status, _)| status == "deferred").collect();
        let of = |who: &str| found.iter().any(|(to, ..)| to == who);
        (of("alice@example.com") && of("bob@example.com")).then_some(found)
    });
    assert!(full.iter().all(|(to, _, reply)| to != "carl@example.com" && reply.starts_with("452 4.2.2 ")), "{full:?}");
    assert_eq!(site.maildir("carl@example.com").wait_for(2).len(), 2);
    assert_eq!(site.maildir("alice@example.com").len(), 1);
    for file in site.maildir("alice@example.com").files() {
        fs::remove_file(file).unwrap();
    }
    site.maildir("alice@example.com").wait_for(1);
}

#[test]
fn a_relay_that_cannot_be_reached_has_a_backup_until_it_is_back() {
    let first = Peer::start(Script::new("first.test").on(Stage::Banner, Act::Drop));
    let second = Peer::start(Script::new("second.test"));
    let dns = DnsServer::start("first.test A 127.0.0.1\nsecond.test A 127.0.0.1");
    let [of_first, of_second] = [&first, &second].map(|peer| peer.address().port());
    let site = Site::small(
        "alice@example.com",
        &format!(
            r#"network "here" "127.0.0.1" relay=#true reason="the test"
domain "example.com" {{ mailbox "alice" }}
relay "first" host="first.test" port={of_first} {{ tls "none"; backup "second" }}
relay "second" host="second.test" port={of_second} {{ tls "none" }}
route to="*" via="first"
queue {{ retry "1s" up-to="2s" }}
log format="json"
"#
        ),
    );
    site.build();
    let daemon = Daemon::start(Options::of(&site).dns(dns.address()));
    send(&daemon, &["a@elsewhere.test"]);
    assert_eq!(second.wait_for(1)[0].recipients, ["a@elsewhere.test"]);
    assert!(first.connections() > 0, "the first one is asked first");
    assert_eq!(wait_for_attempts(&daemon, 1)[0].1, "sent", "it did not have to wait");
    // What the first one refuses for good, the second is not asked.
    first.follow(Script::new("first.test").on(Stage::AnyRcpt, Act::Reject));
    wait::until("the connection to the second is given up", || (second.open_connections() == 0).then_some(()));
    send(&daemon, &["b@elsewhere.test"]);
    assert_eq!(wait_for_attempts(&daemon, 2)[1].1, "bounced");
    assert_eq!(second.messages(), 1);
}

/// The password `relay-secret` as another server keeps it for SCRAM-SHA-256 (RFC 5802 3).
const KEPT: &str = "site:{SCRAM-SHA-256}4096,c2FsdCBvZiB0aGUgdGVzdA==,\
    +KmAHgcxUJxqdWM5amuRpbyJrZBOSmqYZBHSyQuP+fU=,\
    7sPDiTc9uadiXCPz9jMIwA3REtCdtnVnMB9+gRyEJUA=\n";

/// Two of us: one logs in at the other. By which mechanism, and as whom the other knows it.
fn logged_in(store: &str, login: &str, secret: &str, secrets: &[(&str, &str)], authority: &Authority) -> (String, String) {
    let Identity { chain, key, .. } = authority.issue("relay.test");
    let theirs = Site::new(&format!(
        r#"site "relay.test" {{ postmaster "alice@relay.test"; address "192.0.2.26" }}
tls {{ certificate "relay.test" chain-secret="chain" key-secret="key" }}
listen "submission" port=0 address="127.0.0.1"
{store}
domain "relay.test" {{ mailbox "alice" }}
route to="*" via="direct"
log format="json"
"#
    ));
    for (name, text) in [("chain", chain.as_str()), ("key", key.as_str())].iter().chain(secrets) {
        theirs.credential(name, text);
    }
    theirs.build();
    let pem = authority.write(&theirs.path("source"));
    let dns = DnsServer::start("relay.test A 127.0.0.1");
    let receiver = Daemon::start(Options::of(&theirs).dns(dns.address()).authority(&pem));
    let port = receiver.address("submission").port();
    let ours = Site::small(
        "alice@example.com",
        &format!(
            r#"network "here" "127.0.0.1" relay=#true reason="the test"
domain "example.com" {{ mailbox "alice" }}
relay "up" host="relay.test" port={port} {{ tls "verify"; {login} }}
route to="*" via="up"
queue {{ retry "1s" up-to="2s" }}
log format="json"
"#
        ),
    );
    ours.credential("secret", secret);
    ours.build();
    let sender = Daemon::start(Options::of(&ours).dns(dns.address()).authority(&pem));
    send(&sender, &["alice@relay.test"]);
    let found = wait_for_attempts(&sender, 1);
    assert_eq!(found[0].1, "sent", "{found:?}\n{}", receiver.log());
    assert!(String::from_utf8_lossy(&theirs.maildir("alice@relay.test").wait_for(1)[0]).contains("Subject: awkward"));
    let said = wait::until("a login", || receiver.events("login").into_iter().next());
    let connected = wait::until("a connection", || sender.events("connected").into_iter().next());
    assert!(!sender.log().contains(secret.trim()) && !receiver.log().contains(secret.trim()), "a secret is in a log");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    (text(&connected["login"]), text(&said["user"]))
}

#[test]
fn a_password_is_proved_by_scram_where_the_relay_can_rfc_7677() {
    let store = r#"users "staff" { passwd secret="users"; may-send-as "site" "a@remote.test" }"#;
    let said = logged_in(store, r#"login "site" secret="secret""#, "relay-secret\n", &[("users", KEPT)], &Authority::new());
    assert_eq!(said, ("SCRAM-SHA-256".to_owned(), "site".to_owned()));
}

#[test]
fn a_token_logs_in_at_a_relay_that_asks_its_issuer_rfc_7628() {
    let authority = Authority::new();
    let issuer = WebServer::start(|_| {
        (200, Vec::new(), r#"{"active":true,"aud":"mail","exp":4102444800,"email":"site@relay.test"}"#.to_owned())
    });
    issuer.identify(&authority.issue("relay.test"));
    let port = issuer.address().port();
    let store = format!(
        r#"users "staff" {{ oauth issuer="https://id.example" audience="mail" introspection="https://relay.test:{port}/" client="x" secret="oauth"; may-send-as "site@relay.test" "a@remote.test" }}"#
    );
    let login = r#"login "site@relay.test" secret="secret" bearer=#true"#;
    let said = logged_in(&store, login, "a-t0ken-of-the-test\n", &[("oauth", "x\n")], &authority);
    assert_eq!(said, ("XOAUTH2".to_owned(), "site@relay.test".to_owned()));
    assert!(issuer.asked() > 0);
}
