//! `dns verify` over every kind of record that a site can ask for: each one missing, each one other than it should be, and what
//! follows from them over HTTPS and DNSSEC.
#![allow(clippy::unwrap_used)]

use postern::compile::{CompileOptions, compile};
use postern::emit::dns::{RecordSet, derive};
use postern::live::client::Client;
use postern::live::web::Web;
use postern::live::{Checked, Outcome, Verified, verify};
use postern::model::Model;
use postern_schema::record::{Record, RecordData, RecordKind};
use postern_tests::acceptor::Acceptor;
use postern_tests::daemon::binaries::workspace;
use postern_tests::dns::{Behaviour, DnsServer};
use postern_tests::tls::{Authority, Identity, verifying_client};
use std::io::{Read, Write};
use std::net::TcpListener;

const PERMISSION: &str = "example.com._report._dmarc.reports.elsewhere.example";
const TLSA: &str = "_25._tcp.mail.example.com";

/// The example with every record, its reports sent to somebody outside of the site.
fn everything() -> (Model, RecordSet) {
    let folder = tempfile::tempdir().unwrap();
    let example = workspace().join("examples/dns-records");
    let text = std::fs::read_to_string(example.join("site.kdl")).unwrap();
    let text = text.replace("mailto:reports@example.org", "mailto:d@reports.elsewhere.example");
    let text = text.replace(
        "dkim \"2025r\"",
        "dkim \"2024r\" algorithm=\"rsa-sha256\" public-key=\"dkim/2025r.pub\" state=\"removed\"\n    dkim \"2025r\"",
    );
    std::fs::write(folder.path().join("site.kdl"), text).unwrap();
    std::fs::create_dir(folder.path().join("dkim")).unwrap();
    for name in ["2026r.pub", "2026e.pub", "2025r.pub"] {
        std::fs::copy(example.join("dkim").join(name), folder.path().join("dkim").join(name)).unwrap();
    }
    std::fs::create_dir(folder.path().join("tls")).unwrap();
    std::fs::copy(example.join("tls/authority.pem"), folder.path().join("tls/authority.pem")).unwrap();
    let compiled = compile(&folder.path().join("site.kdl"), &CompileOptions::default()).unwrap();
    let model = compiled.model.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics));
    let set = derive(&model);
    (model, set)
}

/// A zone with the records of the set as they should be, and what others publish.
fn zone(set: &RecordSet) -> Vec<String> {
    let ours = set.records.iter().chain(&set.reverse).map(|planned| line(&planned.record));
    let others = [
        format!("{PERMISSION} TXT \"v=DMARC1\""),
        "www.example.com A 127.0.0.1".to_owned(),
        "_spf.partner.example TXT \"v=spf1 ip4:192.0.2.0/24 -all\"".to_owned(),
        "_spf.provider.example TXT \"v=spf1 ip4:203.0.113.128/25 -all\"".to_owned(),
    ];
    ours.chain(others).collect()
}

fn line(record: &Record) -> String {
    format!("{} {} {}", record.owner, record.data.kind(), record.data)
}

/// A web server that gives this answer to whoever trusts its certificate.
fn web_server(identity: &Identity, answer: String) -> Acceptor {
    let config = identity.server();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let session = move |_, mut stream: std::net::TcpStream| {
        let mut connection = rustls::ServerConnection::new(config.clone()).unwrap();
        let mut tls = rustls::Stream::new(&mut connection, &mut stream);
        let _ = tls.read(&mut [0; 1024]).and_then(|_| tls.write_all(answer.as_bytes()));
        connection.send_close_notify();
        let _ = connection.complete_io(&mut stream);
    };
    Acceptor::serve(listener, session).unwrap()
}

fn http(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n{body}")
}

/// The world of a site: DNS with these lines, and a web server with the policy as it should be.
struct World {
    model: Model,
    set: RecordSet,
    dns: DnsServer,
    web: Web,
    _server: Acceptor,
}

impl World {
    fn new() -> World {
        let (model, set) = everything();
        let authority = Authority::new();
        let identity = authority.issue("mta-sts.example.com");
        let server = web_server(&identity, http("200 OK", &set.policies[0].text));
        let dns = DnsServer::start(&zone(&set).join("\n"));
        dns.vouch(&[TLSA]);
        let web = Web::new(verifying_client(&authority), server.address().port());
        World { model, set, dns, web, _server: server }
    }

    fn verified(&self) -> Verified {
        verify(&Client::new(self.dns.address()), &self.web, &self.model, &self.set, &mut |_, _| {})
    }

    /// With these lines in the place of those that begin so.
    fn verified_with(&self, lines: Vec<String>) -> Verified {
        self.dns.replace_zone(&lines.join("\n"));
        self.verified()
    }
}

fn wrong(verified: &Verified) -> Vec<&Checked> {
    verified.records.iter().filter(|record| record.outcome != Outcome::Same).collect()
}

fn failed(verified: &Verified) -> Vec<String> {
    let failed = verified.proofs.iter().filter(|proof| proof.holds != Some(true));
    failed.map(|proof| format!("{:?} {}: {}", proof.holds, proof.claim, proof.detail)).collect()
}

/// Another value of the same kind.
fn other(data: &RecordData) -> String {
    match data.kind() {
        RecordKind::A => "192.0.2.99".to_owned(),
        RecordKind::Aaaa => "2001:db8::99".to_owned(),
        RecordKind::Caa => "0 issue \"other.example\"".to_owned(),
        RecordKind::Cname => "other.example.".to_owned(),
        RecordKind::Mx => "99 other.example.".to_owned(),
        RecordKind::Srv => "9 9 9999 other.example.".to_owned(),
        RecordKind::Tlsa => format!("3 1 1 {}", "00".repeat(32)),
        RecordKind::Txt if data.to_string().starts_with("\"v=spf1") => "\"v=spf1 ip4:192.0.2.99 -all\"".to_owned(),
        // No longer than before: its strings are full.
        RecordKind::Txt if data.to_string().contains("k=rsa") => data.to_string().replacen("k=rsa", "k=rsb", 1),
        RecordKind::Txt => data.to_string().replacen('=', "=9", 2),
        RecordKind::Ptr => unreachable!("reverse names are proofs"),
    }
}

#[test]
fn a_world_as_it_should_be_has_nothing_wrong_with_it() {
    let world = World::new();
    let found = world.verified();
    assert_eq!(wrong(&found), Vec::<&Checked>::new());
    assert_eq!(failed(&found), [""; 0]);
    let kinds: std::collections::BTreeSet<&str> = found.records.iter().map(|record| record.kind).collect();
    assert_eq!(kinds.len(), 8, "{kinds:?}");
    assert!(found.records.len() > 40 && found.proofs.len() >= 12, "{} {}", found.records.len(), found.proofs.len());
}

#[test]
fn every_record_is_missed_and_every_change_is_seen() {
    let world = World::new();
    let lines = zone(&world.set);
    for planned in &world.set.records {
        let record = &planned.record;
        let ours = line(record);
        let without: Vec<String> = lines.iter().filter(|line| **line != ours).cloned().collect();
        assert_eq!(without.len() + 1, lines.len(), "{ours}");
        let about = |checked: &&&Checked| checked.name == record.owner.as_str() && checked.kind == record.data.kind().as_str();
        let found = world.verified_with(without.clone());
        let missing = wrong(&found);
        let missing: Vec<&&Checked> = missing.iter().filter(about).collect();
        assert_eq!(missing.len(), 1, "{ours}: {:?}", wrong(&found));
        assert_eq!(missing[0].outcome, Outcome::Missing, "{ours}");
        let changed = format!("{} {} {}", record.owner, record.data.kind(), other(&record.data));
        let found = world.verified_with([without, vec![changed]].concat());
        let different = wrong(&found);
        let different: Vec<&&Checked> = different.iter().filter(about).collect();
        assert_eq!(different.len(), 1, "{ours}: {:?}", wrong(&found));
        assert_eq!(different[0].outcome, Outcome::Different, "{ours}");
    }
}

#[test]
fn a_second_value_is_foreign_wherever_we_own_the_name() {
    let world = World::new();
    let lines = zone(&world.set);
    // An alias has no second value: a server that is asked for one does not load its zone.
    let planned = world.set.records.iter().filter(|planned| planned.record.data.kind() != RecordKind::Cname);
    for record in planned.map(|planned| &planned.record) {
        let second = format!("{} {} {}", record.owner, record.data.kind(), other(&record.data));
        let found = world.verified_with([lines.clone(), vec![second.clone()]].concat());
        assert_eq!(wrong(&found).iter().map(|record| record.outcome).collect::<Vec<_>>(), [Outcome::Foreign], "{second}");
    }
    let key = "2024r._domainkey.example.com TXT \"v=DKIM1; p=\"".to_owned();
    let found = world.verified_with([lines, vec![key]].concat());
    assert_eq!(wrong(&found).iter().map(|record| record.outcome).collect::<Vec<_>>(), [Outcome::Foreign]);
}

#[test]
fn a_name_that_fails_leaves_its_records_open_and_no_others() {
    let world = World::new();
    let owners: std::collections::BTreeSet<&str> =
        world.set.records.iter().map(|planned| planned.record.owner.as_str()).collect();
    for (index, owner) in owners.into_iter().enumerate() {
        let behaviour = if index % 2 == 0 { Behaviour::ServFail } else { Behaviour::Refused };
        world.dns.replace_zone(&zone(&world.set).join("\n"));
        world.dns.set(owner, behaviour);
        let found = world.verified();
        world.dns.set(owner, Behaviour::Answer);
        let open = wrong(&found);
        assert!(!open.is_empty() && open.iter().all(|record| record.name == owner), "{owner}: {open:?}");
        assert!(open.iter().all(|record| record.outcome == Outcome::CannotTell), "{owner}: {open:?}");
        assert!(failed(&found).iter().all(|line| line.starts_with("None ")), "{owner}: {:?}", failed(&found));
        assert!(!found.counts().is_drift(), "{owner}");
    }
}

#[test]
fn a_server_that_answers_nothing_at_all_is_soon_given_up() {
    let (model, set) = everything();
    // A socket that nobody reads.
    let deaf = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let web = Web::new(verifying_client(&Authority::new()), 1);
    let begun = std::time::Instant::now();
    let found = verify(&Client::new(deaf.local_addr().unwrap()), &web, &model, &set, &mut |_, _| {});
    assert!(found.counts().cannot_tell > 40 && !found.counts().is_drift(), "{:?}", found.counts());
    assert!(begun.elapsed() < std::time::Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn what_follows_from_the_records_is_proven_or_not() {
    let world = World::new();
    let lines = zone(&world.set);
    let without: Vec<String> = lines.iter().filter(|line| !line.starts_with(PERMISSION)).cloned().collect();
    let found = failed(&world.verified_with(without));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("Some(false) reports.elsewhere.example takes DMARC reports about example.com"), "{found:?}");
    world.dns.replace_zone(&lines.join("\n"));
    world.dns.vouch(&[]);
    let found = failed(&world.verified());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with(&format!("Some(false) {TLSA} TLSA is vouched for by DNSSEC")), "{found:?}");
    world.dns.vouch(&[TLSA]);
    world.dns.set(PERMISSION, Behaviour::ServFail);
    assert!(failed(&world.verified())[0].starts_with("None reports.elsewhere.example"));
}

#[test]
fn a_resolver_that_does_not_validate_leaves_dnssec_open() {
    let (model, set) = everything();
    let dns = DnsServer::start(&zone(&set).join("\n"));
    let web = Web::new(verifying_client(&Authority::new()), 1);
    let found = verify(&Client::new(dns.address()), &web, &model, &set, &mut |_, _| {});
    let found = failed(&found);
    assert!(found.iter().any(|line| line.starts_with(&format!("None {TLSA} TLSA is vouched"))), "{found:?}");
}

#[test]
fn a_policy_file_is_taken_as_senders_take_it() {
    let (model, set) = everything();
    let dns = DnsServer::start(&zone(&set).join("\n"));
    dns.vouch(&[TLSA]);
    let text = set.policies[0].text.clone();
    let authority = Authority::new();
    let own = authority.issue("mta-sts.example.com");
    let cases = [
        (&own, http("200 OK", &text), None),
        // The order of lines and the way they end mean nothing.
        (&own, http("200 OK", &text.lines().rev().map(|line| format!("{line}\n")).collect::<String>()), None),
        (&own, http("200 OK", &text.replace("testing", "enforce")), Some("mode is enforce and should be testing")),
        (&own, http("200 OK", &text.replace("mail.", "old.")), Some("mx is old.example.com and should be mail.example.com")),
        (&own, http("301 Moved", &text), Some("301")),
        (&own, http("404 Not Found", ""), Some("404")),
        (&own, "SSH-2.0\r\n".to_owned(), Some("no HTTP")),
        (&authority.issue("www.example.com"), http("200 OK", &text), Some("certificate")),
        (&Authority::new().issue("mta-sts.example.com"), http("200 OK", &text), Some("certificate")),
    ];
    for (identity, answer, wanted) in cases {
        let server = web_server(identity, answer.clone());
        let web = Web::new(verifying_client(&authority), server.address().port());
        let found = failed(&verify(&Client::new(dns.address()), &web, &model, &set, &mut |_, _| {}));
        match wanted {
            None => assert_eq!(found, [""; 0], "{answer}"),
            Some(part) => {
                assert_eq!(found.len(), 1, "{answer}: {found:?}");
                let is_right = found[0].starts_with("Some(false) the MTA-STS policy of example.com") && found[0].contains(part);
                assert!(is_right, "{answer}: {found:?}");
            }
        }
    }
}
