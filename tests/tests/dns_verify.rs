//! `dns verify` against a DNS of our own with each kind of damage planted in it: what is wrong is found, nothing else is, and a
//! server that fails proves nothing.
#![allow(clippy::unwrap_used)]

use postern::compile::{CompileOptions, compile_text};
use postern::emit::dns::derive;
use postern::live::client::Client;
use postern::live::spf::judge;
use postern::live::web::Web;
use postern::live::{Outcome, Verified, verify};
use postern_tests::daemon::binaries::binaries;
use postern_tests::dns::{Behaviour, DnsServer};
use std::net::IpAddr;
use std::process::Command;

const SITE: &str = r#"site "mail.example.com" {
    postmaster "alice@example.com"
    address "203.0.113.25" "2001:db8::25"
}
tls { self-signed; }
listen "mx"; listen "submission"; listen "submissions"
users "staff" { passwd secret="users"; }
domain "example.com" { mailbox "alice"; alias "abuse" "alice"; }
parked "example.net"
route to="*" via="direct"
"#;

/// DNS as the site needs it, with texts of others among ours.
const ZONE: &str = r#"example.com MX 10 MAIL.example.com
example.com TXT "v=spf1 ip4:203.0.113.25 " "ip6:2001:db8::25 ~all"
example.com TXT "site-verification=of-somebody-else"
_dmarc.example.com TXT "v=DMARC1;p=none;"
_submission._tcp.example.com SRV 0 1 587 mail.example.com
_submissions._tcp.example.com SRV 0 1 465 mail.example.com
mail.example.com A 203.0.113.25
mail.example.com AAAA 2001:db8::25
mail.example.com TXT "v=spf1 a -all"
example.net MX 0 .
example.net TXT "v=spf1 -all"
_dmarc.example.net TXT "v=DMARC1; p=reject; np=reject"
*._domainkey.example.net TXT "v=DKIM1; p="
25.113.0.203.in-addr.arpa PTR mail.example.com
5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR mail.example.com
"#;

fn verified(site: &str, dns: &DnsServer) -> Verified {
    let compiled = compile_text("site.kdl", site, &CompileOptions::default());
    let model = compiled.model.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics));
    let web = Web::of_system();
    verify(&Client::new(dns.address()), &web, &model, &derive(&model), &mut |_, _| {})
}

/// What is not as it should be: `outcome name type wanted | found`, and the claims that do not hold.
fn complaints(verified: &Verified) -> Vec<String> {
    let records = verified.records.iter().filter(|record| record.outcome != Outcome::Same).map(|record| {
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        format!("{:?} {} {} {} | {}", record.outcome, record.name, record.kind, part(&record.wanted), part(&record.found))
    });
    let proofs = verified.proofs.iter().filter(|proof| proof.holds != Some(true));
    records.chain(proofs.map(|proof| format!("{:?} {}: {}", proof.holds, proof.claim, proof.detail))).collect()
}

/// The complaints about a zone in which one text stands in the place of another.
fn after(change: (&str, &str)) -> Vec<String> {
    assert!(ZONE.contains(change.0), "{}", change.0);
    complaints(&verified(SITE, &DnsServer::start(&ZONE.replace(change.0, change.1))))
}

#[test]
fn a_zone_as_it_should_be_has_nothing_wrong_with_it() {
    let found = verified(SITE, &DnsServer::start(ZONE));
    assert_eq!(complaints(&found), [""; 0]);
    assert!(!found.counts().is_drift());
    assert_eq!(found.counts().same, found.records.len() + found.proofs.len());
    // One mail host, two addresses that SPF must cover, two that must have a name.
    assert_eq!((found.records.len(), found.proofs.len()), (12, 5));
}

#[test]
fn each_planted_damage_is_found_and_nothing_else_is() {
    let cases: [(&str, &str, &[&str]); 13] = [
        ("example.com MX 10 MAIL.example.com\n", "", &["Missing example.com MX 10 mail.example.com. | "]),
        (
            "MX 10 MAIL.example.com",
            "MX 20 mail.example.com",
            &["Different example.com MX 10 mail.example.com. | 20 mail.example.com."],
        ),
        (
            "MX 10 MAIL.example.com\n",
            "MX 10 mail.example.com\nexample.com MX 5 old.example.com\n",
            &["Foreign example.com MX  | 5 old.example.com."],
        ),
        (
            "\"v=DMARC1;p=none;\"",
            "\"v=DMARC1;p=reject\"",
            &["Different _dmarc.example.com TXT v=DMARC1; p=none | v=DMARC1;p=reject"],
        ),
        (
            "ip6:2001:db8::25 ~all",
            "~all",
            &[
                "Different example.com TXT v=spf1 ip4:203.0.113.25 ip6:2001:db8::25 ~all | v=spf1 ip4:203.0.113.25 ~all",
                "Some(false) SPF of example.com lets 2001:db8::25 send: softfail, 0 of 10 lookups",
            ],
        ),
        (
            "example.com TXT \"site-verification=of-somebody-else\"",
            "example.com TXT \"v=spf1 -all\"",
            &[
                "Foreign example.com TXT  | v=spf1 -all",
                "Some(false) SPF of example.com lets 203.0.113.25 send: permerror: example.com has two SPF records, 0 of 10 lookups",
                "Some(false) SPF of example.com lets 2001:db8::25 send: permerror: example.com has two SPF records, 0 of 10 lookups",
            ],
        ),
        (
            "_submission._tcp.example.com SRV 0 1 587 mail.example.com\n",
            "",
            &["Missing _submission._tcp.example.com SRV 0 1 587 mail.example.com. | "],
        ),
        (
            "mail.example.com AAAA 2001:db8::25\n",
            "",
            &[
                "Missing mail.example.com AAAA 2001:db8::25 | ",
                "Some(false) 2001:db8::25 has the name mail.example.com, which leads back to it: mail.example.com, which does not lead back",
            ],
        ),
        ("example.net MX 0 .", "example.net MX 10 mail.example.com", &["Different example.net MX 0 . | 10 mail.example.com."]),
        ("*._domainkey.example.net TXT \"v=DKIM1; p=\"\n", "", &["Missing *._domainkey.example.net TXT v=DKIM1; p= | "]),
        (
            "25.113.0.203.in-addr.arpa PTR mail.example.com\n",
            "",
            &["Some(false) 203.0.113.25 has the name mail.example.com, which leads back to it: it has no name"],
        ),
        (
            "25.113.0.203.in-addr.arpa PTR mail.example.com\n",
            "25.113.0.203.in-addr.arpa PTR static-25.provider.example\nstatic-25.provider.example A 203.0.113.25\n",
            &[
                "Some(false) 203.0.113.25 has the name mail.example.com, which leads back to it: static-25.provider.example (not mail.example.com)",
            ],
        ),
        (
            "np=reject",
            "np=reject; pct=50",
            &["Different _dmarc.example.net TXT v=DMARC1; p=reject; np=reject | v=DMARC1; p=reject; np=reject; pct=50"],
        ),
    ];
    for (old, new, wanted) in cases {
        assert_eq!(after((old, new)), wanted, "{old} -> {new}");
    }
}

#[test]
fn a_server_that_fails_is_never_taken_for_a_missing_record() {
    for behaviour in [Behaviour::ServFail, Behaviour::Refused, Behaviour::Silent] {
        let dns = DnsServer::start(ZONE);
        dns.set("_dmarc.example.com", behaviour);
        dns.set("25.113.0.203.in-addr.arpa", behaviour);
        let found = verified(SITE, &dns);
        let outcomes: Vec<String> = complaints(&found);
        assert_eq!(outcomes.len(), 2, "{outcomes:?}");
        assert!(outcomes[0].starts_with("CannotTell _dmarc.example.com TXT "), "{outcomes:?}");
        assert!(outcomes[1].starts_with("None 203.0.113.25 has the name"), "{outcomes:?}");
        assert!(!found.counts().is_drift());
        assert_eq!(found.counts().cannot_tell, 2);
    }
}

#[test]
fn each_address_is_asked_for_its_own_name() {
    let site = SITE.replace("\"203.0.113.25\" \"2001:db8::25\"", "\"2001:db8::25\" \"203.0.113.25\"");
    let zone = ZONE
        .replace("25.113.0.203.in-addr.arpa PTR mail.example.com\n", "")
        .replace("ip4:203.0.113.25 \" \"ip6:2001:db8::25", "ip6:2001:db8::25 \" \"ip4:203.0.113.25");
    let found = complaints(&verified(&site, &DnsServer::start(&zone)));
    assert_eq!(found, ["Some(false) 203.0.113.25 has the name mail.example.com, which leads back to it: it has no name"]);
}

#[test]
fn an_answer_that_does_not_fit_comes_by_tcp() {
    let dns = DnsServer::start(ZONE);
    dns.set("example.com", Behaviour::Truncated);
    assert_eq!(complaints(&verified(SITE, &dns)), [""; 0]);
    assert!(dns.questions_by_tcp() > 0);
}

#[test]
fn a_mail_host_that_is_an_alias_is_found() {
    let zone = ZONE.replace("mail.example.com A 203.0.113.25\nmail.example.com AAAA 2001:db8::25\nmail.example.com TXT \"v=spf1 a -all\"", "mail.example.com CNAME host.provider.example\nhost.provider.example A 203.0.113.25\nhost.provider.example AAAA 2001:db8::25");
    assert_ne!(zone, ZONE);
    let found = complaints(&verified(SITE, &DnsServer::start(&zone)));
    assert!(found.iter().any(|line| line.contains("can be found: it is an alias")), "{found:?}");
}

#[test]
fn behind_a_relay_the_published_spf_must_exist_and_be_evaluable() {
    let site = SITE.replace(
        "route to=\"*\" via=\"direct\"",
        "relay \"hub\" host=\"hub.provider.example\" { tls \"verify\"; }\nroute to=\"*\" via=\"hub\"",
    );
    let spf = |text: &str| {
        let zone = ZONE.replace("example.com TXT \"v=spf1 ip4:203.0.113.25 \" \"ip6:2001:db8::25 ~all\"\n", text);
        complaints(&verified(&site, &DnsServer::start(&zone)))
    };
    assert_eq!(
        spf(
            "example.com TXT \"v=spf1 include:_spf.provider.example ~all\"\n_spf.provider.example TXT \"v=spf1 ip4:198.51.100.0/24 -all\"\n"
        ),
        [""; 0]
    );
    assert_eq!(spf(""), ["Some(false) example.com has an SPF record that can be evaluated: none, 0 of 10 lookups"]);
    let broken = spf("example.com TXT \"v=spf1 include:_spf.provider.example ~all\"\n");
    assert_eq!(broken.len(), 1);
    assert!(broken[0].contains("permerror: _spf.provider.example"), "{broken:?}");
}

#[test]
fn spf_is_judged_as_receivers_judge_it() {
    let mut zone = String::from(
        r#"plain.test TXT "v=spf1 ip4:203.0.113.0/24 ip6:2001:db8::/32 -all"
bare.test TXT "v=spf1"
none.test TXT "something else"
a.test TXT "v=spf1 a/24 -all"
a.test A 203.0.113.1
other.test TXT "v=spf1 a:a.test ?all"
mx.test TXT "v=spf1 mx -all"
mx.test MX 10 host.mx.test
host.mx.test A 203.0.113.25
redirect.test TXT "v=spf1 redirect=plain.test"
include.test TXT "v=spf1 include:plain.test -all"
includefail.test TXT "v=spf1 include:other.test ~all"
exists.test TXT "v=spf1 exists:%{ir}.%{v}.list.%{d2} -all"
25.113.0.203.in-addr.list.exists.test A 127.0.0.2
wrong.test TXT "v=spf1 mxx -all"
prefix.test TXT "v=spf1 ip4:203.0.113.0/33 -all"
void.test TXT "v=spf1 a:x1.void.test a:x2.void.test a:x3.void.test -all"
loop.test TXT "v=spf1 include:loop.test -all"
zero.test TXT "v=spf1 ip4:0.0.0.0/0 -all"
"#,
    );
    let many: String = (0..11).map(|index| format!(" a:h{index}.many.test")).collect();
    zone += &format!("many.test TXT \"v=spf1{many} -all\"\n");
    (0..11).for_each(|index| zone += &format!("h{index}.many.test A 192.0.2.{index}\n"));
    let dns = DnsServer::start(&zone);
    dns.set("failing.test", Behaviour::ServFail);
    let client = Client::new(dns.address());
    let of = |address: &str, domain: &str| {
        let found = judge(&client, address.parse::<IpAddr>().unwrap(), domain);
        (found.result.to_string(), found.lookups)
    };
    let cases = [
        ("203.0.113.25", "plain.test", "pass", 0),
        ("2001:db8:1::1", "plain.test", "pass", 0),
        ("198.51.100.1", "plain.test", "fail", 0),
        ("::ffff:203.0.113.25", "plain.test", "pass", 0),
        ("203.0.113.25", "bare.test", "neutral", 0),
        ("203.0.113.25", "none.test", "none", 0),
        ("203.0.113.25", "missing.test", "none", 0),
        ("203.0.113.25", "a.test", "pass", 1),
        ("203.0.113.25", "other.test", "neutral", 1),
        ("203.0.113.1", "other.test", "pass", 1),
        ("203.0.113.25", "mx.test", "pass", 1),
        ("203.0.113.25", "redirect.test", "pass", 1),
        ("203.0.113.25", "include.test", "pass", 1),
        ("203.0.113.25", "includefail.test", "softfail", 2),
        ("203.0.113.25", "exists.test", "pass", 1),
        ("203.0.113.26", "exists.test", "fail", 1),
        ("203.0.113.25", "wrong.test", "permerror", 0),
        ("203.0.113.25", "prefix.test", "permerror", 0),
        ("203.0.113.25", "void.test", "permerror", 3),
        ("203.0.113.25", "many.test", "permerror", 11),
        ("203.0.113.25", "loop.test", "permerror", 11),
        ("203.0.113.25", "failing.test", "temperror", 0),
        ("203.0.113.25", "zero.test", "pass", 0),
    ];
    for (address, domain, wanted, lookups) in cases {
        assert_eq!(of(address, domain), (wanted.to_owned(), lookups), "{address} {domain}");
    }
}

#[test]
fn the_command_says_it_in_its_exit_status() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("site.kdl"), SITE).unwrap();
    let run = |dns: &DnsServer, more: &[&str]| {
        let mut command = Command::new(&binaries().postern);
        command.args(["dns", "verify", "site.kdl", "--resolver", &dns.address().to_string()]).args(more);
        let output = command.current_dir(folder.path()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let dns = DnsServer::start(ZONE);
    assert_eq!(run(&dns, &[]), (Some(0), "17 as they should be\n".to_owned()));
    dns.set("example.com", Behaviour::ServFail);
    assert_eq!(run(&dns, &[]).0, Some(69));
    dns.replace_zone(&ZONE.replace("example.net MX 0 .\n", ""));
    let (status, text) = run(&dns, &[]);
    assert_eq!(status, Some(2));
    assert!(text.contains("example.net\n  missing    example.net MX 0 .\n"), "{text}");
    let (status, text) = run(&dns, &["--json"]);
    assert_eq!(status, Some(2));
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["counts"]["missing"], 1);
}
