//! TLS as one set, beyond the examples of the pages: certificates, TLSA, CAA, MTA-STS and listeners of whole sites.

use crate::compile::{CompileOptions, compile};
use crate::rules::chk::Checker;

/// A chain of the host and its authority, from the page of a rule; its first certificate alone is a file too.
fn chain() -> String {
    let page = include_str!("../chk/no_caa.md");
    let from = page.find("-----BEGIN").unwrap();
    page[from..].split("```").next().unwrap().to_owned()
}

/// What is said of a site of these lines, but for notes of others: code and message.
fn said(tls: &str, listeners: &str, domain: &str, checkers: &[Checker]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let chain = chain();
    let end = "-----END CERTIFICATE-----\n";
    std::fs::write(folder.path().join("leaf.pem"), &chain[..chain.find(end).unwrap() + end.len()]).unwrap();
    std::fs::write(folder.path().join("chain.pem"), chain).unwrap();
    let text = format!(
        "site \"mail.example.com\" {{ postmaster \"alice@example.com\"; address \"203.0.113.25\" \"2001:db8::25\"; }}\n\
         tls {{ {tls}; }}\n{listeners}\ndomain \"example.com\" {{ mailbox \"alice\"; alias \"abuse\" \"alice\"; {domain}; }}\n"
    );
    let path = folder.path().join("site.kdl");
    std::fs::write(&path, text).unwrap();
    let compiled = compile(&path, &CompileOptions { checkers: checkers.to_vec(), ..CompileOptions::default() }).unwrap();
    let of = ["TSA", "TLS", "STS", "SIT", "CHK"];
    let own = compiled.diagnostics.iter().filter(|finding| of.iter().any(|family| finding.code.starts_with(family)));
    own.map(|finding| format!("{}: {}", finding.code, finding.message)).collect()
}

const CHAIN: &str = "certificate \"mail.example.com\" chain=\"chain.pem\" key-secret=\"k\"";
const CREDENTIAL: &str = "certificate \"mail.example.com\" chain-secret=\"c\" key-secret=\"k\"";
const ACME: &str = "acme directory=\"https://acme-v02.api.letsencrypt.org/directory\"";
const OTHER_KEY: &str = "key sha256=\"4f0c1b1dd1ec8e0e6b4f9a2c1a3ef0f1c0f4a97d3d4b6c0b5ad1c6f3a1b2c3d4\"";

fn codes(found: &[String]) -> Vec<&str> {
    found.iter().map(|line| &line[..6]).collect()
}

#[test]
fn a_host_announces_a_key_or_is_told_that_it_does_not() {
    assert_eq!(said(CHAIN, "listen \"mx\"", "dane", &[]), [""; 0]);
    for (tls, why) in [
        (CREDENTIAL, "its chain is a credential, which a build does not read"),
        ("self-signed", "a self-signed key is made by the daemon"),
        (ACME, "its key is made when the authority certifies it"),
    ] {
        let found = said(tls, "listen \"mx\"; listen \"web\"", "dane", &[]);
        assert_eq!(found, [format!("TSA003: No TLSA record is given for mail.example.com: {why}")]);
        let pinned = said(tls, "listen \"mx\"; listen \"web\"", &format!("dane {{ {OTHER_KEY}; }}"), &[]);
        assert_eq!(pinned, [""; 0], "{tls}");
    }
    // Whoever announces none has no spare to miss.
    let found = said(
        CREDENTIAL,
        "listen \"mx\"",
        "dane; dmarc policy=\"reject\"; caa issuer=\"letsencrypt.org\"",
        &[Checker::InternetNl],
    );
    assert_eq!(codes(&found), ["TSA003"]);
}

#[test]
fn the_key_in_use_is_no_spare() {
    let found = said(CHAIN, "listen \"mx\"", "dane { key file=\"leaf.pem\"; }", &[]);
    assert_eq!(found, ["TSA002: This key is announced already: it is in the chain of the host"]);
    let twice = said(CHAIN, "listen \"mx\"", &format!("dane {{ {OTHER_KEY}; {OTHER_KEY}; }}"), &[]);
    assert_eq!(twice, ["TSA002: This key is announced already"]);
    assert_eq!(said(CHAIN, "listen \"mx\"", &format!("dane {{ {OTHER_KEY}; }}"), &[]), [""; 0]);
}

#[test]
fn an_authority_must_be_let_issue() {
    let of = |caa: &str| said(ACME, "listen \"mx\"; listen \"web\"", caa, &[]);
    assert_eq!(
        of("caa issuer=\"digicert.com\""),
        ["TLS015: letsencrypt.org is kept from issuing for mail.example.com: the CAA record names others alone"]
    );
    assert_eq!(
        of("caa issuer=\"letsencrypt.org\" method=\"dns-01\""),
        ["TLS015: letsencrypt.org may not issue for mail.example.com by tls-alpn-01, and that is how the daemon answers it"]
    );
    for right in [
        "caa issuer=\"digicert.com\"; caa issuer=\"letsencrypt.org\"",
        "caa issuer=\"letsencrypt.org\" method=\"dns-01,tls-alpn-01\"",
        // Nothing is said of hosts.
        "caa issuer=\"digicert.com\" certificates=\"mail\"",
    ] {
        assert_eq!(of(right), [""; 0], "{right}");
    }
    let own = said(
        "acme directory=\"https://ca.inside.example/acme\"",
        "listen \"mx\"; listen \"web\"",
        "caa issuer=\"x.example\"",
        &[],
    );
    assert_eq!(own, [""; 0], "nobody knows what it calls itself");
}

#[test]
fn what_dns_names_is_heard_and_served() {
    let address = "SIT007: DNS says that mail.example.com is at 2001:db8::25, and no listener takes mail there";
    assert_eq!(said(CHAIN, "listen \"mx\" address=\"203.0.113.25\"", "mailbox \"bob\"", &[]), [address]);
    for heard in [
        "listen \"mx\"",
        "listen \"mx\" address=\"10.0.0.5\"; listen \"six\" kind=\"mx\" address=\"fd00::5\"",
        "listen \"mx\" address=\"127.0.0.1\"",
        "listen \"mx\" address=\"203.0.113.25\" proxy-from=\"10.0.0.0/24\"",
    ] {
        assert_eq!(said(CHAIN, heard, "mailbox \"bob\"", &[]), [""; 0], "{heard}");
    }
    let nowhere = "STS004: mta-sts.example.com leads nowhere: the site names no web server that has the policy";
    assert_eq!(said(CHAIN, "listen \"mx\"", "mta-sts mode=\"enforce\"", &[]), [nowhere]);
    assert_eq!(said(CHAIN, "listen \"mx\"", "mta-sts mode=\"enforce\" web-host=\"www.example.com\"", &[]), [""; 0]);
}

#[test]
fn checkers_complain_of_what_they_see() {
    let domain = "dmarc policy=\"reject\" testing=#true; caa issuer=\"digicert.com\" certificates=\"mail\"";
    let found = said("self-signed", "listen \"mx\"", domain, &[Checker::InternetNl]);
    assert_eq!(codes(&found), ["CHK012", "CHK005", "CHK006"]);
    let test = said(CHAIN, "listen \"mx\"", "dmarc policy=\"quarantine\" testing=#true", &[Checker::Mecsa]);
    assert!(
        test.contains(&"CHK004: example.com publishes its DMARC policy only as a test, which asks for nothing".to_owned()),
        "{test:?}"
    );
}
