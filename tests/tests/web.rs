//! The HTTPS listener of `posternd`: the policy that the records announce and the settings of mail programs, as `dns verify` and
//! as any client fetches them, and nothing else.
#![allow(clippy::unwrap_used)]

use postern::compile::{CompileOptions, compile_text};
use postern::emit::dns::derive;
use postern::live::client::Client;
use postern::live::verify;
use postern::live::web::Web;
use postern_tests::daemon::{Daemon, Options, Site};
use postern_tests::dns::DnsServer;
use postern_tests::tls::{Authority, verifying_client};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const SITE: &str = r#"site "mail.example.com" {
    postmaster "alice@example.com"
    address "203.0.113.25"
}
tls {
    certificate "mail.example.com" chain-secret="chain" key-secret="key"
    certificate "mta-sts.example.com" chain-secret="sts-chain" key-secret="sts-key"
    certificate "ua-auto-config.example.com" chain-secret="ua-chain" key-secret="ua-key"
    certificate "web.example.com" chain-secret="web-chain" key-secret="web-key"
}
listen "mx" port=0 address="127.0.0.1"
listen "web" port=0 address="127.0.0.1"
domain "example.com" {
    mailbox "alice"
    alias "abuse" "alice"
    mta-sts mode="testing"
    autoconfig pacc=#true { imap "imap.example.com"; }
}
domain "example.org" { mailbox "alice"; alias "abuse" "alice"; }
route to="*" via="direct"
"#;

struct World {
    authority: Authority,
    site: Site,
    daemon: Daemon,
}

/// A daemon with a certificate for each name, the last of them by what it holds and not by what the site calls it.
fn world() -> World {
    let authority = Authority::new();
    let site = Site::new(SITE);
    for (prefix, name) in [
        ("", "mail.example.com"),
        ("sts-", "mta-sts.example.com"),
        ("web-", "autoconfig.example.com"),
        ("ua-", "ua-auto-config.example.com"),
    ] {
        let identity = authority.issue(name);
        site.credential(&format!("{prefix}chain"), &identity.chain);
        site.credential(&format!("{prefix}key"), &identity.key);
    }
    site.build();
    let daemon = Daemon::start(Options::of(&site));
    World { authority, site, daemon }
}

impl World {
    /// What the listener answers to these octets under a name, all of it.
    fn exchange(&self, name: &str, request: &str) -> std::io::Result<String> {
        let socket = TcpStream::connect(self.daemon.address("web"))?;
        socket.set_read_timeout(Some(Duration::from_secs(20)))?;
        let config = verifying_client(&self.authority);
        let connection = ClientConnection::new(config, ServerName::try_from(name.to_owned()).unwrap()).unwrap();
        let mut stream = StreamOwned::new(connection, socket);
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    fn fetch(&self, method: &str, host: &str, path: &str) -> String {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: test\r\n\r\n");
        self.exchange(host, &request).unwrap()
    }
}

fn status(answer: &str) -> &str {
    answer.split("\r\n").next().unwrap_or_default()
}

const POLICY: &str = "/.well-known/mta-sts.txt";
const SETTINGS: &str = "/.well-known/autoconfig/mail/config-v1.1.xml";

#[test]
fn the_policy_is_the_one_that_the_records_announce() {
    let world = world();
    let compiled = compile_text("site.kdl", &std::fs::read_to_string(world.site.source()).unwrap(), &CompileOptions::default());
    let model = compiled.model.unwrap();
    let set = derive(&model);
    let answer = world.fetch("GET", "mta-sts.example.com", POLICY);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(status(head), "HTTP/1.1 200 OK");
    assert!(head.contains("Content-Type: text/plain"), "{head}");
    assert_eq!(body, set.policies[0].text);
    // And as `dns verify` looks at it: over the records that lead here.
    let dns = DnsServer::start("mta-sts.example.com A 127.0.0.1\n");
    let web = Web::new(verifying_client(&world.authority), world.daemon.address("web").port());
    let verified = verify(&Client::new(dns.address()), &web, &model, &set, &mut |_, _| {});
    let proof = verified.proofs.iter().find(|proof| proof.claim.contains("MTA-STS policy of example.com")).unwrap();
    assert_eq!((proof.holds, &*proof.detail), (Some(true), "the same"));
    // A new policy is served when the snapshot that holds it is in force.
    world.site.rebuild(&std::fs::read_to_string(world.site.source()).unwrap().replace("mode=\"testing\"", "mode=\"enforce\""));
    world.daemon.control(&["reload"]).success();
    assert!(world.fetch("GET", "mta-sts.example.com", POLICY).contains("mode: enforce\r\n"));
}

#[test]
fn settings_are_served_to_mail_programs() {
    let world = world();
    let answer = world.fetch("GET", "autoconfig.example.com", &format!("{SETTINGS}?emailaddress=alice%40example.com"));
    assert_eq!(status(&answer), "HTTP/1.1 200 OK");
    assert!(answer.contains("<hostname>imap.example.com</hostname>\n      <port>993</port>"), "{answer}");
    let pacc = world.fetch("GET", "ua-auto-config.example.com", "/.well-known/user-agent-configuration.json");
    assert!(pacc.contains("\"imap\":{\"host\":\"imap.example.com\"}"), "{pacc}");
    let old = world.fetch("GET", "autoconfig.example.com", "/mail/config-v1.1.xml?emailaddress=alice%40example.com");
    assert_eq!(status(&old), "HTTP/1.1 308 Permanent Redirect");
    assert!(old.contains(&format!("Location: {SETTINGS}\r\n")), "{old}");
}

#[test]
fn nothing_else_is_served() {
    let world = world();
    for (host, path) in [
        ("mta-sts.example.com", "/"),
        ("mta-sts.example.com", "/.well-known/"),
        ("mta-sts.example.com", "/.well-known/../.well-known/mta-sts.txt"),
        ("mta-sts.example.com", SETTINGS),
        ("autoconfig.example.com", POLICY),
        ("mail.example.com", POLICY),
        ("mail.example.com", "/etc/passwd"),
    ] {
        let answer = world.fetch("GET", host, path);
        assert_eq!(status(&answer), "HTTP/1.1 404 Not Found", "{host}{path}");
    }
    // A domain of the site without a policy, and one of somebody else, over a name that is certified.
    for host in ["mta-sts.example.org", "mta-sts.elsewhere.example", "203.0.113.25", ""] {
        let answer = world.exchange("mta-sts.example.com", &format!("GET {POLICY} HTTP/1.1\r\nHost: {host}\r\n\r\n")).unwrap();
        assert_eq!(status(&answer), "HTTP/1.1 404 Not Found", "{host}");
    }
    let refused = world.fetch("POST", "mta-sts.example.com", POLICY);
    assert_eq!(status(&refused), "HTTP/1.1 405 Method Not Allowed");
    assert!(refused.contains("Allow: GET, HEAD\r\n"), "{refused}");
    let head = world.fetch("HEAD", "mta-sts.example.com", POLICY);
    assert!(status(&head) == "HTTP/1.1 200 OK" && head.ends_with("\r\n\r\n"), "{head}");
    for request in ["EHLO mail.example.com\r\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"] {
        assert_eq!(status(&world.exchange("mail.example.com", request).unwrap()), "HTTP/1.1 400 Bad Request", "{request}");
    }
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "x".repeat(9000));
    assert_eq!(status(&world.exchange("mail.example.com", &long).unwrap()), "HTTP/1.1 431 Request Header Fields Too Large");
}

#[test]
fn whoever_sends_nothing_is_let_go() {
    let world = world();
    let mut socket = TcpStream::connect(world.daemon.address("web")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    assert_eq!(socket.read(&mut [0; 16]).unwrap(), 0);
}
