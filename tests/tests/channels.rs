//! What TLS is at the door: both versions of it, a certificate for each name that a client asks for, sessions that are taken up again
//! for as long as the keys of their tickets live, and logins that are bound to the channel.
#![allow(clippy::unwrap_used)]

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use postern_tests::client::Client;
use postern_tests::daemon::{Daemon, Options, Site};
use postern_tests::scene::{LOGIN, RELAY_LOGIN, Scene, kdl};
use postern_tests::tls::{Authority, Identity, trusting_client, trusting_client_of};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, ProtocolVersion, SupportedProtocolVersion};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

const NAME: &str = "mail.example.com";
const VERSIONS: [(&SupportedProtocolVersion, ProtocolVersion); 2] =
    [(&rustls::version::TLS12, ProtocolVersion::TLSv1_2), (&rustls::version::TLS13, ProtocolVersion::TLSv1_3)];

/// A client at a listener that begins with TLS, greeted.
fn within(address: SocketAddr, config: &Arc<ClientConfig>) -> Client {
    let mut client = Client::dial(address);
    client.tls_as(config.clone(), NAME);
    client.expect_reply(220);
    client
}

fn channel(client: &mut Client) -> &ClientConnection {
    client.wire().client_tls().unwrap()
}

#[test]
fn sessions_are_taken_up_again_until_the_keys_of_their_tickets_are_gone() {
    let scene = Scene::start();
    let configs = VERSIONS.map(|(version, known)| (trusting_client_of(&[version]), known));
    let kinds = |address: SocketAddr| {
        configs.each_ref().map(|(config, known)| {
            let mut client = within(address, config);
            client.hello();
            assert_eq!(channel(&mut client).protocol_version(), Some(*known));
            channel(&mut client).handshake_kind().unwrap()
        })
    };
    let address = scene.daemon.address("submissions");
    assert_eq!(kinds(address), [HandshakeKind::Full; 2]);
    assert_eq!(kinds(address), [HandshakeKind::Resumed; 2]);
    // Whatever certificates and authorities there are now, no session of before is taken for one of them.
    scene.daemon.control(&["reload"]).success();
    assert_eq!(kinds(address), [HandshakeKind::Full; 2]);
    assert_eq!(kinds(address), [HandshakeKind::Resumed; 2]);
    // The keys are nowhere but in memory.
    let scene = scene.replace_daemon(Daemon::restart);
    assert_eq!(kinds(scene.daemon.address("submissions")), [HandshakeKind::Full; 2]);
}

#[test]
fn an_older_version_is_spoken_where_the_site_says_so_alone() {
    let scene = Scene::with(|kdl| kdl.replace("tls { self-signed }", "tls { self-signed; minimum \"1.3\"; }"));
    let address = scene.daemon.address("submissions");
    within(address, &trusting_client_of(&[&rustls::version::TLS13])).hello();
    let mut old = Client::dial(address);
    assert!(old.wire().start_tls_client(trusting_client_of(&[&rustls::version::TLS12]), NAME).is_err());
}

const TWO: &str = r#"site "mail.example.com" { postmaster "alice@example.com"; }
tls {
    certificate "mail.example.com" chain-secret="chain" key-secret="key"
    certificate "mx.example.net" chain-secret="other-chain" key-secret="other-key"
}
listen "mx" port=0 address="127.0.0.1"
domain "example.com" { mailbox "alice"; }
domain "example.net" { mailbox "alice"; }
"#;

/// RFC 6066 3: each name has its certificate, and whoever asks for another is shown the first.
#[test]
fn a_client_is_shown_the_certificate_of_the_name_that_it_asks_for() {
    let authority = Authority::new();
    let [first, second] = [NAME, "mx.example.net"].map(|name| authority.issue(name));
    let site = Site::new(TWO);
    for (prefix, Identity { chain, key, .. }) in [("", &first), ("other-", &second)] {
        site.credential(&format!("{prefix}chain"), chain);
        site.credential(&format!("{prefix}key"), key);
    }
    site.build();
    let daemon = Daemon::start(Options::of(&site));
    for (name, shown) in [(NAME, &first), ("mx.example.net", &second), ("MX.EXAMPLE.NET", &second), ("mx.example.org", &first)] {
        let mut client = Client::connect(daemon.address("mx"));
        client.hello();
        client.expect("STARTTLS", 220);
        client.tls_as(trusting_client(), name);
        assert_eq!(channel(&mut client).peer_certificates().unwrap()[0].as_ref(), shown.der(), "{name}");
        client.hello();
    }
}

const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).unwrap();
const SALT: &[u8] = b"salt of the test";

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

fn sha256(octets: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, octets).as_ref().to_vec()
}

/// RFC 5802 3: both keys of a password.
fn keys(password: &str) -> [Vec<u8>; 2] {
    let mut salted = [0; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ITERATIONS, SALT, password.as_bytes(), &mut salted);
    [mac(&salted, b"Client Key"), mac(&salted, b"Server Key")]
}

/// The client's side of a login as [`LOGIN`] by SCRAM-SHA-256 or SCRAM-SHA-256-PLUS; the code of the last reply.
fn scram(client: &mut Client, mechanism: &str, header: &str, binding: &[u8]) -> u16 {
    let [client_key, server_key] = keys(LOGIN.1);
    let bare = format!("n={},r=nonce-of-the-client", LOGIN.0);
    let told = client.command(&format!("AUTH {mechanism} {}", STANDARD.encode(format!("{header}{bare}"))));
    if told.code != 334 {
        return told.code;
    }
    let first = String::from_utf8(STANDARD.decode(told.text()).unwrap()).unwrap();
    let nonce = first.strip_prefix("r=").unwrap().split(',').next().unwrap();
    let unproved = format!("c={},r={nonce}", STANDARD.encode([header.as_bytes(), binding].concat()));
    let whole = format!("{bare},{first},{unproved}");
    let signature = mac(&sha256(&client_key), whole.as_bytes());
    let proof: Vec<u8> = client_key.iter().zip(signature).map(|(key, mask)| key ^ mask).collect();
    let told = client.command(&STANDARD.encode(format!("{unproved},p={}", STANDARD.encode(proof))));
    if told.code != 334 {
        return told.code;
    }
    // The server has shown that it knows the password too.
    let last = String::from_utf8(STANDARD.decode(told.text()).unwrap()).unwrap();
    assert_eq!(last, format!("v={}", STANDARD.encode(mac(&server_key, whole.as_bytes()))));
    client.command("").code
}

#[test]
fn a_login_is_bound_to_its_channel_by_either_name_rfc_5929_4_and_rfc_9266_2() {
    let [client_key, server_key] = keys(LOGIN.1);
    let [salt, stored, server] = [SALT, &sha256(&client_key), &server_key].map(|octets| STANDARD.encode(octets));
    let users = format!("{}:{{SCRAM-SHA-256}}{ITERATIONS},{salt},{stored},{server}\n", LOGIN.0);
    let credentials = [("users", users), ("relay-password", format!("{}\n", RELAY_LOGIN.1))];
    let scene = Scene::of(kdl, &credentials, RELAY_LOGIN);
    let (exporter, end_point) = ("p=tls-exporter,,", "p=tls-server-end-point,,");
    for (version, known) in VERSIONS {
        let dial = || {
            let mut client = within(scene.daemon.address("submissions"), &trusting_client_of(&[version]));
            let hello = client.hello();
            assert!(hello.text().contains("AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 "), "{hello}");
            client
        };
        let log_in = |header: &str| {
            let mut client = dial();
            let connection = channel(&mut client);
            let octets = match header {
                "n,," => Vec::new(),
                header if header == end_point => sha256(&connection.peer_certificates().unwrap()[0]),
                _ => connection.export_keying_material(vec![0; 32], b"EXPORTER-Channel-Binding", Some(b"")).unwrap(),
            };
            let mechanism = if octets.is_empty() { "SCRAM-SHA-256" } else { "SCRAM-SHA-256-PLUS" };
            scram(&mut client, mechanism, header, &octets)
        };
        let is_new = known == ProtocolVersion::TLSv1_3;
        assert_eq!((log_in("n,,"), log_in(end_point)), (235, 235), "{known:?}");
        // Below 1.3 that name is not one of this channel alone for sure.
        assert_eq!(log_in(exporter), if is_new { 235 } else { 535 }, "{known:?}");
        // Somebody between has another certificate, or has cut the offer out.
        assert_eq!(scram(&mut dial(), "SCRAM-SHA-256-PLUS", end_point, &[7; 32]), 535, "{known:?}");
        assert_eq!(scram(&mut dial(), "SCRAM-SHA-256", "y,,", b""), 535, "{known:?}");
    }
}
