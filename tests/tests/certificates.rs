//! Certificates that change while the daemon runs: files that somebody renews, of which only good ones come into service, and those
//! that the daemon gets from an authority by itself (RFC 8555).
#![allow(clippy::unwrap_used)]

use postern_tests::certifier::Certifier;
use postern_tests::daemon::{Daemon, Options, Site};
use postern_tests::dns::DnsServer;
use postern_tests::tls::{Authority, Identity, trusting_client};
use postern_tests::wait::{poll, until};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The certificate that is shown under a name.
fn shown(address: SocketAddr, name: &str) -> Vec<u8> {
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let connection = ClientConnection::new(trusting_client(), ServerName::try_from(name.to_owned()).unwrap()).unwrap();
    let mut stream = StreamOwned::new(connection, socket);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).unwrap();
    }
    stream.conn.peer_certificates().unwrap()[0].to_vec()
}

fn issuer(certificate: &[u8]) -> String {
    X509Certificate::from_der(certificate).unwrap().1.issuer().to_string()
}

const RENEWED: &str = r#"site "mail.example.com" { postmaster "alice@example.com"; }
tls { certificate "mail.example.com" chain-secret="chain" key-secret="key"; }
listen "mx" port=0 address="127.0.0.1"
listen "web" port=0 address="127.0.0.1"
domain "example.com" { mailbox "alice"; }
"#;

#[test]
fn a_renewed_certificate_comes_into_service_if_it_is_good_and_the_old_one_serves_on_if_not() {
    let authority = Authority::new();
    let site = Site::new(RENEWED);
    let put = |chain: &str, key: &str| {
        site.credential("key", key);
        site.credential("chain", chain);
    };
    let name = "mail.example.com";
    let Identity { chain, key, .. } = authority.issue(name);
    put(&chain, &key);
    site.build();
    let daemon = Daemon::start(Options::of(&site));
    let web = daemon.address("web");
    let first = shown(web, name);
    let refused = || daemon.log().matches("certificates are not renewed").count();
    let good = authority.issue(name);
    let expired = authority.issue_expired(name);
    let torn = &good.chain[..good.chain.len() / 2];
    for (count, (what, chain, key)) in [
        ("another key", &*good.chain, &key),
        ("half a chain", torn, &good.key),
        ("an expired one", &*expired.chain, &expired.key),
    ]
    .into_iter()
    .enumerate()
    {
        put(chain, key);
        // The daemon looks every ten seconds.
        until(what, || (refused() == count + 1).then_some(()));
        assert_eq!(shown(web, name), first, "{what}");
    }
    put(&good.chain, &good.key);
    until("the good one", || (shown(web, name) != first).then_some(()));
}

fn acme(directory: &str) -> String {
    format!(
        r#"site "mail.example.com" {{ postmaster "alice@example.com"; }}
tls {{ acme directory="{directory}" contact="ops@example.com"; }}
listen "mx" port=0 address="127.0.0.1"
listen "web" port=0 address="127.0.0.1"
domain "example.com" {{ mailbox "alice"; mta-sts mode="testing"; }}
"#
    )
}

struct World {
    // The daemon first: what it talks to is still there when it ends.
    daemon: Daemon,
    certifier: Certifier,
    site: Site,
    _dns: DnsServer,
}

fn world(life: Duration) -> World {
    world_of(life, |kdl| kdl)
}

fn world_of(life: Duration, change: impl FnOnce(String) -> String) -> World {
    let certifier = Certifier::start(life);
    let trusted = Authority::new();
    certifier.identify(&trusted.issue(postern_tests::certifier::HOST));
    let dns = DnsServer::start(&format!("{} A 127.0.0.1", postern_tests::certifier::HOST));
    let site = Site::new(&change(acme(&certifier.directory())));
    let pem = trusted.write(&site.path(""));
    site.build();
    let daemon = Daemon::start(Options::of(&site).dns(dns.address()).authority(&pem));
    World { daemon, certifier, site, _dns: dns }
}

#[test]
fn an_authority_makes_a_certificate_for_the_host_and_one_for_the_names_of_each_domain() {
    let world = world(Duration::from_secs(90 * 86_400));
    let web = world.daemon.address("web");
    // Until the authority has looked, there is something to encrypt with.
    assert!(!issuer(&shown(web, "mail.example.com")).contains("Postern test authority"));
    world.certifier.ask_at(web);
    for name in ["mail.example.com", "mta-sts.example.com"] {
        until(name, || issuer(&shown(web, name)).contains("Postern test authority").then_some(()));
        let certificate = shown(web, name);
        let (_, parsed) = X509Certificate::from_der(&certificate).unwrap();
        let names = parsed.subject_alternative_name().unwrap().unwrap().value.general_names.iter().map(ToString::to_string);
        assert_eq!(names.collect::<Vec<_>>(), [format!("DNSName({name})")]);
    }
    assert_eq!(world.certifier.issued(), (2, 1));
    let folder = world.site.state().join("acme");
    let modes = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().permissions().mode() & 0o777);
    assert_eq!(modes.collect::<Vec<_>>(), [0o600; 3]);
    let status = world.daemon.status();
    assert_eq!(status["certificates"][0]["names"][0], "mail.example.com");
    assert!(status["certificates"][0]["expires"].is_string(), "{status}");
    // What was made is there after a restart, and nothing is ordered again.
    let before = shown(web, "mail.example.com");
    let daemon = world.daemon.restart();
    assert_eq!(shown(daemon.address("web"), "mail.example.com"), before);
    assert_eq!(world.certifier.issued(), (2, 1));
}

#[test]
fn a_certificate_is_renewed_in_time_and_a_failure_leaves_the_old_one() {
    let world = world(Duration::from_secs(6));
    let web = world.daemon.address("web");
    world.certifier.ask_at(web);
    until("the first two", || (world.certifier.issued().0 >= 2).then_some(()));
    until("it is served", || issuer(&shown(web, "mail.example.com")).contains("Postern test authority").then_some(()));
    let first = shown(web, "mail.example.com");
    until("the next", || (shown(web, "mail.example.com") != first).then_some(()));
    world.certifier.refuse(true);
    let failure = || {
        let status = world.daemon.status();
        let certificates = status["certificates"].as_array()?.clone();
        certificates
            .iter()
            .all(|certificate| certificate["last-failure"].as_str().is_some_and(|why| why.contains("too many orders")))
            .then_some(())
    };
    until("both failures", failure);
    let (last, made) = (shown(web, "mail.example.com"), world.certifier.issued());
    // The pause is minutes long: nothing is asked for meanwhile, and what there is serves on.
    assert_eq!(poll(Duration::from_secs(3), || (world.certifier.issued() != made).then_some(())), None);
    assert_eq!(shown(web, "mail.example.com"), last);
    assert!(issuer(&last).contains("Postern test authority"));
    // Whoever has mended it says so.
    world.certifier.refuse(false);
    world.daemon.control(&["reload"]).success();
    until("a new one", || (shown(web, "mail.example.com") != last).then_some(()));
}

#[test]
fn an_authority_can_ask_over_http_at_a_port_of_its_own_rfc_8555_8_3() {
    let by_file = |kdl: String| kdl.replace("contact=", "challenge=\"http-01\" port=0 address=\"127.0.0.1\" contact=");
    let world = world_of(Duration::from_secs(90 * 86_400), by_file);
    world.certifier.ask_at(world.daemon.address("acme"));
    let web = world.daemon.address("web");
    for name in ["mail.example.com", "mta-sts.example.com"] {
        until(name, || issuer(&shown(web, name)).contains("Postern test authority").then_some(()));
    }
    assert_eq!(world.certifier.issued(), (2, 1));
}

/// A host that serves mail alone needs no port 443 for a certificate.
#[test]
fn an_authority_can_ask_a_host_that_serves_no_pages() {
    let by_file = |kdl: String| {
        let kdl = kdl.replace("contact=", "challenge=\"http-01\" port=0 address=\"127.0.0.1\" contact=");
        kdl.replace("listen \"web\" port=0 address=\"127.0.0.1\"\n", "").replace("; mta-sts mode=\"testing\"", "")
    };
    let world = world_of(Duration::from_secs(90 * 86_400), by_file);
    world.certifier.ask_at(world.daemon.address("acme"));
    let shown_after_starttls = || {
        let mut client = postern_tests::client::Client::connect(world.daemon.address("mx"));
        client.hello();
        client.start_tls();
        client.wire().client_tls()?.peer_certificates()?.first().map(|certificate| certificate.to_vec())
    };
    until("it is served", || issuer(&shown_after_starttls()?).contains("Postern test authority").then_some(()));
    assert_eq!(world.certifier.issued().0, 1);
}
