//! How mail that leaves is protected: what DANE (RFC 7672), MTA-STS (RFC 8461) and the site make of the way to a peer, against a
//! signed zone, and what the log says of it.
#![allow(clippy::unwrap_used)]

use postern_tests::client::Client;
use postern_tests::daemon::{Daemon, Options, Site};
use postern_tests::dns::DnsServer;
use postern_tests::peer::{Act, Peer, Script, Stage, TlsMode};
use postern_tests::scene::AWKWARD;
use postern_tests::tls::{Authority, Identity};
use postern_tests::wait;
use postern_tests::web_server::{Asked, Told, WebServer};
use rcgen::{KeyPair, PKCS_ED25519};
use sha2::{Digest, Sha256};
use std::fs;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

/// A host `mx.receiver.test` with a certificate, its zone, and a site whose mail goes there.
struct Scene {
    authority: Authority,
    identity: Identity,
    peer: Peer,
    dns: DnsServer,
    anchor: String,
}

/// How a scene differs from one where all is well.
#[derive(Default)]
struct Plan {
    /// The host's TLSA records, one a line, where `KEY` stands for the digest of its key's certificate.
    tlsa: &'static str,
    /// Zones that are not signed.
    unsigned: &'static [&'static str],
    /// What the certificate is for, if not for the host.
    name: Option<&'static str>,
    /// The host offers no TLS.
    is_plain: bool,
    /// The domain says that it has an MTA-STS policy.
    has_policy: bool,
}

impl Scene {
    fn new(plan: &Plan) -> Scene {
        let authority = Authority::new();
        let identity = authority.issue(plan.name.unwrap_or("mx.receiver.test"));
        let script = match plan.is_plain {
            true => Script::new("mx.receiver.test"),
            false => Script::new("mx.receiver.test").tls(TlsMode::StartTls, &identity),
        };
        let peer = Peer::start(script);
        let port = peer.address().port();
        let digest: String = Sha256::digest(identity.der()).iter().map(|octet| format!("{octet:02x}")).collect();
        let records = plan.tlsa.lines().map(str::trim).filter(|line| !line.is_empty());
        let tlsa: String =
            records.map(|line| format!("_{port}._tcp.mx.receiver.test TLSA {}\n", line.replace("DIGEST", &digest))).collect();
        let policy = match plan.has_policy {
            true => "_mta-sts.receiver.test TXT \"v=STSv1; id=1;\"\nmta-sts.receiver.test A 127.0.0.1\n",
            false => "",
        };
        let dns = DnsServer::start(&format!(
            "receiver.test MX 10 mx.receiver.test\nmx.receiver.test A 127.0.0.1\nalias.test MX 10 www.alias.test\n\
             www.alias.test CNAME mx.receiver.test\n{tlsa}{policy}"
        ));
        let anchor = dns.sign(plan.unsigned);
        Scene { authority, identity, peer, dns, anchor }
    }

    /// A site that sends mail for `domain` there at this level, and its daemon.
    fn daemon(&self, domain: &str, level: &str) -> (Site, Daemon) {
        self.daemon_with(domain, level, |_| {})
    }

    fn daemon_with(&self, domain: &str, level: &str, prepare: impl FnOnce(&Site)) -> (Site, Daemon) {
        self.daemon_in(domain, level, prepare, |options| options)
    }

    fn daemon_in(
        &self, domain: &str, level: &str, prepare: impl FnOnce(&Site), change: impl FnOnce(Options) -> Options,
    ) -> (Site, Daemon) {
        let port = self.peer.address().port();
        let rest = format!(
            r#"tls {{ self-signed }}
domain "example.com" {{
    mailbox "carl"
    dkim "k" algorithm="ed25519-sha256" public-key="k.pub" key-secret="dkim" state="active"
}}
reports {{ tls from="carl@example.com" }}
domain "{domain}" class="relay" via="out"
transport "out" smtp="{domain}" mx=#true port={port} tls="{level}"
queue {{ retry "1s" up-to="2s" }}
log format="json"
"#
        );
        let site = Site::small("carl@example.com", &rest);
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        site.write("k.pub", &key.public_key_pem());
        site.credential("dkim", &key.serialize_pem());
        site.build();
        prepare(&site);
        let anchor = site.path("root.key");
        fs::write(&anchor, &self.anchor).unwrap();
        let authority = self.authority.write(site.path("source").as_path());
        let options = Options::of(&site).dns(self.dns.address()).trust_anchor(&anchor).authority(&authority);
        let daemon = Daemon::start(change(options));
        (site, daemon)
    }
}

fn send(daemon: &Daemon, recipient: &str) {
    let mut client = Client::connect(daemon.address("mx"));
    client.hello();
    let reply = client.send_message("friend@elsewhere.test", &[recipient], AWKWARD);
    assert_eq!(reply.code, 250, "{reply}");
}

/// The first attempt: its status, the level that was reached, and the reply.
fn first_attempt(daemon: &Daemon) -> (String, String, String) {
    let text = |line: &serde_json::Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let line = wait::until("an attempt is in the log", || daemon.events("attempt").into_iter().next());
    (text(&line, "status"), text(&line, "tls_level"), text(&line, "reply"))
}

/// What becomes of one message to a host, at a level.
fn outcome(plan: &Plan, level: &str) -> (String, String, String) {
    let scene = Scene::new(plan);
    let (_site, daemon) = scene.daemon("receiver.test", level);
    send(&daemon, "alice@receiver.test");
    let (status, reached, reply) = first_attempt(&daemon);
    if status == "sent" {
        assert_eq!(scene.peer.wait_for(1)[0].is_tls, reached != "none");
    } else {
        assert_eq!(scene.peer.messages(), 0, "{reply}");
    }
    (status, reached, reply)
}

/// Levels, and what they must come to: the level that is reached, or a part of the reply that keeps the mail waiting.
fn holds(plan: &Plan, wanted: &[(&str, Result<&str, &str>)]) {
    for (level, wanted) in wanted {
        let (status, reached, reply) = outcome(plan, level);
        match wanted {
            Ok(wanted) => assert_eq!((status.as_str(), reached.as_str()), ("sent", *wanted), "{level}: {reply}"),
            Err(part) => {
                assert_eq!(status, "deferred", "{level}: {reply}");
                assert!(reply.contains(part), "{level}: {reply}");
            }
        }
    }
}

#[test]
fn a_host_with_tlsa_records_is_held_to_them_rfc_7672_2_2() {
    holds(
        &Plan { tlsa: "3 0 1 DIGEST", name: Some("elsewhere.test"), ..Plan::default() },
        &[("published", Ok("dane")), ("dane", Ok("dane")), ("dane-or-verify", Ok("dane")), ("may", Ok("encrypt"))],
    );
}

#[test]
fn a_certificate_that_no_record_is_for_is_not_taken() {
    let other = "3 0 1 0000000000000000000000000000000000000000000000000000000000000000";
    let why = Err("TLS with mx.receiver.test");
    holds(&Plan { tlsa: other, ..Plan::default() }, &[("published", why), ("dane", why), ("may", Ok("encrypt"))]);
}

#[test]
fn a_host_that_hides_starttls_gets_nothing_where_its_records_say_tls() {
    let plan = Plan { tlsa: "3 0 1 DIGEST", is_plain: true, ..Plan::default() };
    holds(&plan, &[("published", Err("demands TLS at level dane")), ("may", Ok("none"))]);
}

#[test]
fn records_that_nobody_can_go_by_demand_encryption_rfc_7672_2_2() {
    let plan = Plan { tlsa: "1 0 1 DIGEST", ..Plan::default() };
    holds(&plan, &[("published", Ok("encrypt")), ("dane", Err("can be gone by")), ("dane-or-verify", Ok("verify"))]);
    let plan = Plan { tlsa: "1 0 1 DIGEST", is_plain: true, ..Plan::default() };
    holds(&plan, &[("published", Err("demands TLS at level encrypt"))]);
}

#[test]
fn without_records_the_other_levels_are_what_they_say() {
    holds(
        &Plan::default(),
        &[
            ("published", Ok("encrypt")),
            ("dane", Err("has no TLSA records")),
            ("dane-or-verify", Ok("verify")),
            ("verify", Ok("verify")),
        ],
    );
    let stranger = Plan { name: Some("elsewhere.test"), ..Plan::default() };
    holds(&stranger, &[("published", Ok("encrypt")), ("dane-or-verify", Err("TLS with")), ("verify", Err("TLS with"))]);
}

#[test]
fn records_in_a_zone_that_is_not_signed_say_nothing_rfc_7672_2_1() {
    let other = "3 0 1 0000000000000000000000000000000000000000000000000000000000000000";
    let plan = Plan { tlsa: other, unsigned: &["receiver.test"], ..Plan::default() };
    holds(&plan, &[("published", Ok("encrypt")), ("dane", Err("is not signed"))]);
}

#[test]
fn a_forged_answer_makes_mail_wait_and_never_lowers_the_level() {
    for forged in ["receiver.test", "mx.receiver.test"] {
        let scene = Scene::new(&Plan::default());
        scene.dns.forge(forged);
        let (_site, daemon) = scene.daemon("receiver.test", "published");
        send(&daemon, "alice@receiver.test");
        let (status, _, reply) = first_attempt(&daemon);
        assert_eq!(status, "deferred", "{forged}: {reply}");
        assert!(reply.contains("DNSSEC validation failed"), "{forged}: {reply}");
        assert_eq!(scene.peer.messages(), 0);
    }
}

#[test]
fn the_records_of_the_name_that_an_alias_leads_to_count_rfc_7672_2_2_3() {
    let scene = Scene::new(&Plan { tlsa: "3 0 1 DIGEST", ..Plan::default() });
    let (_site, daemon) = scene.daemon("alias.test", "dane");
    send(&daemon, "alice@alias.test");
    assert_eq!(first_attempt(&daemon).1, "dane");
}

#[test]
fn a_resolver_without_dnssec_is_told_and_mail_that_demands_dane_waits() {
    let mut scene = Scene::new(&Plan { tlsa: "3 0 1 DIGEST", ..Plan::default() });
    // Another key than that of the zone.
    scene.anchor = DnsServer::start("").sign(&[]);
    let (_site, daemon) = scene.daemon("receiver.test", "dane");
    send(&daemon, "alice@receiver.test");
    let (status, _, reply) = first_attempt(&daemon);
    assert_eq!(status, "deferred", "{reply}");
    assert!(reply.contains("The site demands DANE"), "{reply}");
    assert_eq!(daemon.status()["dnssec"]["state"], "missing");
    wait::until("the log says why", || daemon.log().contains("DANE is not available").then_some(()));
    let (_site, daemon) = scene.daemon("receiver.test", "published");
    send(&daemon, "alice@receiver.test");
    assert_eq!(first_attempt(&daemon).0, "sent");
}

/// A site that remembers a policy of the receiver's, as if it had been fetched.
fn with_policy(scene: &Scene, mode: &str, host: &str) -> (Site, Daemon) {
    scene.daemon_with("receiver.test", "published", |site| {
        let folder = site.state().join("mta-sts");
        fs::create_dir_all(&folder).unwrap();
        let text = format!("until=4102444800000 id=1\nversion: STSv1\r\nmode: {mode}\r\nmx: {host}\r\nmax_age: 31557600\r\n");
        fs::write(folder.join("receiver.test"), text).unwrap();
    })
}

#[test]
fn a_policy_that_is_kept_is_enforced_though_it_cannot_be_fetched_rfc_8461_5_1() {
    let good = Plan { unsigned: &["receiver.test"], ..Plan::default() };
    let stranger = || Plan { name: Some("elsewhere.test"), ..Plan { unsigned: &["receiver.test"], ..Plan::default() } };
    for (plan, mode, host, wanted) in [
        (&good, "enforce", "mx.receiver.test", Ok("verify")),
        (&good, "enforce", "*.receiver.test", Ok("verify")),
        (&good, "enforce", "mx.elsewhere.test", Err("does not name mx.receiver.test")),
        (&stranger(), "enforce", "mx.receiver.test", Err("TLS with mx.receiver.test")),
        (&stranger(), "testing", "mx.receiver.test", Ok("encrypt")),
        (&good, "testing", "mx.elsewhere.test", Ok("encrypt")),
        (&stranger(), "none", "mx.receiver.test", Ok("encrypt")),
    ] {
        let scene = Scene::new(plan);
        let (_site, daemon) = with_policy(&scene, mode, host);
        assert_eq!(daemon.status()["mta-sts-policies"], 1);
        send(&daemon, "alice@receiver.test");
        let (status, reached, reply) = first_attempt(&daemon);
        match wanted {
            Ok(level) => assert_eq!((status.as_str(), reached.as_str()), ("sent", level), "{mode} {host}: {reply}"),
            Err(part) => assert!(status == "deferred" && reply.contains(part), "{mode} {host}: {status} {reply}"),
        }
    }
}

/// How a host of policies answers a request.
struct Host {
    /// Status, media type and text.
    answer: (u16, &'static str, &'static str),
    /// What its certificate is for; without one, it closes every connection.
    name: Option<&'static str>,
}

const ENFORCED: &str = "version: STSv1\r\nmode: enforce\r\nmx: mx.receiver.test\r\nmax_age: 604800\r\n";
const ELSEWHERE: &str = "version: STSv1\r\nmode: enforce\r\nmx: mx.elsewhere.test\r\nmax_age: 604800\r\n";
const TESTED: &str = "version: STSv1\r\nmode: testing\r\nmx: mx.elsewhere.test\r\nmax_age: 604800\r\n";

/// What a host of policies was asked: for which host, and what.
type Fetches = Arc<Mutex<Vec<(String, String)>>>;

/// A daemon that finds the receiver's policies at that host, and what was asked of it.
fn with_host(scene: &Scene, host: &Host) -> (Site, Daemon, WebServer, Fetches) {
    let asked: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
    let (hears, (status, kind, text)) = (asked.clone(), host.answer);
    let answer = move |request: Asked| {
        hears.lock().unwrap().push((request.field("host").to_owned(), request.path));
        (status, vec![("Content-Type".to_owned(), kind.to_owned())], text.to_owned())
    };
    let (site, daemon, server) = with_answers(scene, host.name, answer);
    (site, daemon, server, asked)
}

/// The same with a host that answers in any way.
fn with_answers(
    scene: &Scene, name: Option<&str>, answer: impl Fn(Asked) -> Told + Send + Sync + 'static,
) -> (Site, Daemon, WebServer) {
    let server = WebServer::start(answer);
    if let Some(name) = name {
        server.identify(&scene.authority.issue(name));
    }
    let port = server.address().port().to_string();
    let change = |options: Options| options.environment("POSTERN_HTTPS_PORT", &port);
    let (site, daemon) = scene.daemon_in("receiver.test", "published", |_| {}, change);
    (site, daemon, server)
}

#[test]
fn a_policy_is_fetched_kept_and_gone_by_rfc_8461_3_3() {
    let good = || Plan { unsigned: &["receiver.test"], has_policy: true, ..Plan::default() };
    let stranger = || Plan { name: Some("elsewhere.test"), ..good() };
    let host = |text| Host { answer: (200, "text/plain; charset=utf-8", text), name: Some("mta-sts.receiver.test") };
    for (plan, text, wanted) in [
        (good(), ENFORCED, Ok("verify")),
        (good(), ELSEWHERE, Err("does not name mx.receiver.test")),
        (stranger(), ENFORCED, Err("TLS with mx.receiver.test")),
        // RFC 8461 5: such a policy is looked at for the report, and keeps nothing.
        (good(), TESTED, Ok("encrypt")),
        (stranger(), TESTED, Ok("encrypt")),
        (Plan { is_plain: true, ..good() }, TESTED, Ok("none")),
    ] {
        let scene = Scene::new(&plan);
        let (site, daemon, _server, asked) = with_host(&scene, &host(text));
        send(&daemon, "alice@receiver.test");
        let (status, reached, reply) = first_attempt(&daemon);
        match wanted {
            Ok(level) => assert_eq!((status.as_str(), reached.as_str()), ("sent", level), "{text}: {reply}"),
            Err(part) => assert!(status == "deferred" && reply.contains(part), "{text}: {status} {reply}"),
        }
        let asked = || asked.lock().unwrap().clone();
        let (found, path) = asked()[0].clone();
        assert!(found.starts_with("mta-sts.receiver.test"), "{found}");
        assert_eq!(path, "/.well-known/mta-sts.txt");
        let kept = fs::read_to_string(site.state().join("mta-sts/receiver.test")).unwrap();
        assert!(kept.contains(" id=1\n") && kept.ends_with(text), "{kept}");
        // The next message asks for nothing.
        send(&daemon, "bob@receiver.test");
        wait::until("another attempt", || daemon.events("attempt").into_iter().find(|line| line["to"] == "bob@receiver.test"));
        assert_eq!(asked().len(), 1);
    }
}

#[test]
fn further_mail_waits_for_a_policy_that_is_being_fetched() {
    let plan = Plan { name: Some("elsewhere.test"), unsigned: &["receiver.test"], has_policy: true, ..Plan::default() };
    for (status, wanted) in [(200, "deferred"), (404, "sent")] {
        let scene = Scene::new(&plan);
        let (let_go, held) = mpsc::channel::<()>();
        let held = Mutex::new(held);
        let (_site, daemon, server) = with_answers(&scene, Some("mta-sts.receiver.test"), move |_| {
            // Until the test says so, or is over.
            let _ = held.lock().unwrap().recv();
            (status, vec![("Content-Type".to_owned(), "text/plain".to_owned())], ENFORCED.to_owned())
        });
        send(&daemon, "alice@receiver.test");
        wait::until("the policy is asked for", || (server.asked() > 0).then_some(()));
        send(&daemon, "bob@receiver.test");
        let early = wait::poll(Duration::from_secs(1), || daemon.events("attempt").pop());
        assert!(early.is_none(), "{early:?}");
        drop(let_go);
        let first = wait::until("both were tried", || {
            let all = daemon.attempts();
            let of = |who: &str| all.iter().find(|(to, ..)| to == who).cloned();
            Some([of("alice@receiver.test")?, of("bob@receiver.test")?])
        });
        for (to, status, reply) in first {
            assert_eq!(status, wanted, "{to}: {reply}");
            assert_eq!(reply.contains("TLS with mx.receiver.test"), wanted == "deferred", "{to}: {reply}");
        }
        assert_eq!(server.asked(), 1, "it is fetched once");
    }
}

#[test]
fn a_policy_that_cannot_be_had_holds_up_no_mail_rfc_8461_3_3() {
    let plain = "text/plain";
    let host = |status, kind, text| Host { answer: (status, kind, text), name: Some("mta-sts.receiver.test") };
    for (host, why) in [
        (host(404, plain, ENFORCED), "the status is 404"),
        (host(302, plain, ENFORCED), "the status is 302"),
        (host(200, "text/html", ENFORCED), "not text/plain"),
        (host(200, plain, "<!doctype html>"), ""),
        (Host { name: Some("receiver.test"), ..host(200, plain, ENFORCED) }, ""),
        (Host { name: None, ..host(200, plain, ENFORCED) }, ""),
    ] {
        let stranger = Plan { name: Some("elsewhere.test"), unsigned: &["receiver.test"], has_policy: true, ..Plan::default() };
        let scene = Scene::new(&stranger);
        let (site, daemon, _server, _) = with_host(&scene, &host);
        send(&daemon, "alice@receiver.test");
        let (status, reached, reply) = first_attempt(&daemon);
        assert_eq!((status.as_str(), reached.as_str()), ("sent", "encrypt"), "{why}: {reply}");
        let told = wait::until("the log says why", || daemon.events("MTA-STS policy cannot be fetched").into_iter().next());
        assert!(told["error"].as_str().unwrap().contains(why), "{told}");
        assert!(!site.state().join("mta-sts/receiver.test").exists());
    }
}

#[test]
fn dane_takes_precedence_over_mta_sts_rfc_8461_2() {
    let scene = Scene::new(&Plan { tlsa: "3 0 1 DIGEST", name: Some("elsewhere.test"), ..Plan::default() });
    let (_site, daemon) = with_policy(&scene, "enforce", "mx.elsewhere.test");
    send(&daemon, "alice@receiver.test");
    assert_eq!(first_attempt(&daemon).1, "dane");
}

#[test]
fn broken_tls_is_remembered_where_it_is_not_demanded_rfc_7435_3() {
    let scene = Scene::new(&Plan::default());
    // STARTTLS is promised, and what follows is no TLS.
    let broken = Script::new("mx.receiver.test").tls(TlsMode::StartTls, &scene.identity).on(Stage::StartTls, Act::AcceptThenDrop);
    scene.peer.follow(broken);
    let (_site, daemon) = scene.daemon("receiver.test", "may");
    send(&daemon, "alice@receiver.test");
    assert_eq!(first_attempt(&daemon).0, "sent");
    let before = scene.peer.connections();
    assert_eq!(before, 2, "one with TLS and one without");
    wait::until("the connection is given up", || (scene.peer.open_connections() == 0).then_some(()));
    send(&daemon, "bob@receiver.test");
    scene.peer.wait_for(2);
    assert_eq!(scene.peer.connections(), before + 1, "the second message does not try again");
}

#[test]
fn who_says_that_tls_is_not_required_is_not_kept_by_what_receivers_publish_rfc_8689_4_2_2() {
    let none = "3 0 1 0000000000000000000000000000000000000000000000000000000000000000";
    let text = [b"TLS-Required: No\r\n", AWKWARD].concat();
    for (plan, level, wanted) in [
        (Plan { tlsa: none, ..Plan::default() }, "published", Ok("encrypt")),
        (Plan { tlsa: none, is_plain: true, ..Plan::default() }, "published", Ok("none")),
        // What the site demands is not for its senders to let go of.
        (Plan { tlsa: none, ..Plan::default() }, "dane", Err("TLS with mx.receiver.test")),
    ] {
        let scene = Scene::new(&plan);
        let (_site, daemon) = scene.daemon("receiver.test", level);
        let mut client = Client::connect(daemon.address("mx"));
        client.hello();
        assert_eq!(client.send_message("friend@elsewhere.test", &["alice@receiver.test"], &text).code, 250);
        let (status, reached, reply) = first_attempt(&daemon);
        match wanted {
            Ok(wanted) => assert_eq!((status.as_str(), reached.as_str()), ("sent", wanted), "{reply}"),
            Err(part) => assert!(status == "deferred" && reply.contains(part), "{reply}"),
        }
    }
    // An enforced policy of MTA-STS that names other hosts.
    let scene = Scene::new(&Plan { unsigned: &["receiver.test"], ..Plan::default() });
    let (_site, daemon) = with_policy(&scene, "enforce", "mx.elsewhere.test");
    let mut client = Client::connect(daemon.address("mx"));
    client.hello();
    assert_eq!(client.send_message("friend@elsewhere.test", &["alice@receiver.test"], &text).code, 250);
    assert_eq!(first_attempt(&daemon).0, "sent");
}

/// What the journal for TLS reports holds of the receiver: the kind of policy and the result, of each row.
fn reported(site: &Site) -> Vec<(String, String)> {
    let folder = fs::read_dir(site.state().join("reports")).into_iter().flatten().flatten();
    let text: String = folder.filter_map(|entry| fs::read_to_string(entry.path()).ok()).collect();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let row = |line: serde_json::Value| {
        let seen = &line["seen"];
        assert_eq!(seen["domain"], "receiver.test");
        let text = |value: &serde_json::Value| value.as_str().unwrap_or("none").to_owned();
        (text(&seen["row"]["policy"]["policy-type"]), text(&seen["row"]["failure"]["result-type"]))
    };
    lines.map(row).collect()
}

#[test]
fn each_session_is_counted_for_the_report_of_the_receiver_rfc_8460_4_3() {
    let none = "3 0 1 0000000000000000000000000000000000000000000000000000000000000000";
    for (plan, level, wanted) in [
        (Plan { tlsa: "3 0 1 DIGEST", ..Plan::default() }, "published", ("tlsa", "none")),
        (Plan { tlsa: none, ..Plan::default() }, "published", ("tlsa", "tlsa-invalid")),
        (Plan { tlsa: none, is_plain: true, ..Plan::default() }, "published", ("tlsa", "starttls-not-supported")),
        (Plan::default(), "published", ("no-policy-found", "none")),
        (Plan { is_plain: true, ..Plan::default() }, "published", ("no-policy-found", "starttls-not-supported")),
        (Plan::default(), "dane", ("no-policy-found", "dane-required")),
    ] {
        let scene = Scene::new(&plan);
        let (site, daemon) = scene.daemon("receiver.test", level);
        send(&daemon, "alice@receiver.test");
        first_attempt(&daemon);
        let found = reported(&site);
        assert!(found.iter().all(|(policy, result)| (policy.as_str(), result.as_str()) == wanted), "{level}: {found:?}");
        assert!(!found.is_empty(), "{level}: {wanted:?}");
    }
    let scene = Scene::new(&Plan { unsigned: &["receiver.test"], name: Some("elsewhere.test"), ..Plan::default() });
    let (site, daemon) = with_policy(&scene, "testing", "mx.receiver.test");
    send(&daemon, "alice@receiver.test");
    first_attempt(&daemon);
    assert_eq!(reported(&site), [("sts".to_owned(), "certificate-host-mismatch".to_owned())]);
}

#[test]
fn a_changed_resolver_is_the_one_that_proves() {
    let scene = Scene::new(&Plan { tlsa: "3 0 1 DIGEST", ..Plan::default() });
    let unsigned = DnsServer::start("");
    let line = |dns: &DnsServer| format!("    resolver \"{}\"\n", dns.address());
    let text = |site: &Site| fs::read_to_string(site.source()).unwrap();
    let ask_unsigned = |site: &Site| drop(site.rebuild(&text(site).replacen("{\n", &format!("{{\n{}", line(&unsigned)), 1)));
    let (site, daemon) = scene.daemon_in("receiver.test", "dane", ask_unsigned, Options::resolver_of_site);
    let dnssec = |daemon: &Daemon| daemon.status()["dnssec"]["state"].as_str().unwrap().to_owned();
    wait::until("the first resolver is looked at", || (dnssec(&daemon) == "missing").then_some(()));
    site.rebuild(&text(&site).replace(&line(&unsigned), &line(&scene.dns)));
    daemon.control(&["reload"]).success();
    wait::until("the other one proves", || (dnssec(&daemon) == "validated").then_some(()));
    send(&daemon, "alice@receiver.test");
    assert_eq!(first_attempt(&daemon).1, "dane");
}

#[test]
fn the_history_of_a_message_has_what_dns_said_of_its_way() {
    let scene = Scene::new(&Plan { tlsa: "3 0 1 DIGEST", ..Plan::default() });
    let (_site, daemon) = scene.daemon("receiver.test", "published");
    let mut client = Client::connect(daemon.address("mx"));
    client.hello();
    let mut sent = |recipient: &str| client.send_message("friend@elsewhere.test", &[recipient], AWKWARD).queue_id();
    let first = sent("alice@receiver.test");
    scene.peer.wait_for(1);
    // Over the same connection, so that nothing is asked.
    let second = sent("bob@receiver.test");
    scene.peer.wait_for(2);
    assert_eq!(scene.peer.connections(), 1);
    let later = daemon.recording(&second);
    assert!(later.contains("@to bob@receiver.test") && !later.contains("alice@"), "{later}");
    assert!(later.contains("@from friend@elsewhere.test") && later.contains("_tcp.mx.receiver.test TLSA \"3 0 1 "), "{later}");
    let shown = daemon.control(&["trace", &second]).success();
    assert!(!shown.contains("alice@"), "{shown}");
    let recording = daemon.recording(&first);
    for expected in [
        "@from friend@elsewhere.test",
        "@to alice@receiver.test",
        "receiver.test MX \"10 mx.receiver.test\"",
        "mx.receiver.test A \"127.0.0.1\"",
        "_mta-sts.receiver.test TXT",
        "_tcp.mx.receiver.test TLSA \"3 0 1 ",
    ] {
        assert!(recording.contains(expected), "{expected}\n{recording}");
    }
    postern_schema::dns::Recording::parse(&recording).unwrap();
}
