//! Sites that publish everything that a domain can say of itself, each part there or not: what comes out of them is read back by
//! parsers that are not ours.

use postern::compile::{CompileOptions, compile};
use postern::emit::dns::{RecordSet, derive};
use postern::model::Model;
use proptest::prelude::*;
use proptest::sample::select;
use rcgen::{KeyPair, PKCS_ED25519, PKCS_RSA_SHA256, PublicKeyData, SigningKey};
use std::sync::OnceLock;
use tempfile::TempDir;

/// A site, its records, and the folder of its keys.
#[derive(Debug)]
pub struct Published {
    /// What was compiled, for messages.
    pub text: String,
    /// The compiled site.
    pub model: Model,
    /// Its records.
    pub set: RecordSet,
}

/// The key pairs whose public halves the sites name: one of each algorithm that DKIM has.
#[derive(Debug)]
pub struct Keys {
    rsa: KeyPair,
    ed25519: KeyPair,
    folder: TempDir,
}

/// Made once; a key of RSA takes its time.
pub fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let pair = |algorithm, name| {
            let pair = KeyPair::generate_for(algorithm).unwrap();
            std::fs::write(folder.path().join(name), pair.public_key_pem()).unwrap();
            pair
        };
        let (rsa, ed25519) = (pair(&PKCS_RSA_SHA256, "rsa.pub"), pair(&PKCS_ED25519, "ed25519.pub"));
        Keys { rsa, ed25519, folder }
    })
}

impl Keys {
    /// The signature of a text, by the key of RSA or by the other.
    pub fn sign(&self, is_rsa: bool, text: &[u8]) -> Vec<u8> {
        if is_rsa { self.rsa.sign(text) } else { self.ed25519.sign(text) }.unwrap()
    }

    /// The octets of the public key of RSA, as X.509 has them.
    pub fn rsa_octets(&self) -> Vec<u8> {
        self.rsa.subject_public_key_info()
    }
}

/// Compiles a site that [`site`] made.
///
/// # Panics
/// If it does not compile; with the diagnostics.
pub fn publish(text: &str) -> Published {
    let folder = tempfile::tempdir().unwrap();
    for name in ["rsa.pub", "ed25519.pub"] {
        std::fs::copy(keys().folder.path().join(name), folder.path().join(name)).unwrap();
    }
    let path = folder.path().join("site.kdl");
    std::fs::write(&path, text).unwrap();
    let compiled = compile(&path, &CompileOptions::default()).unwrap();
    let model = compiled.model.unwrap_or_else(|| {
        panic!(
            "{text}\n{:#?}",
            compiled.diagnostics.iter().filter(|found| found.severity == postern::report::Severity::Error).collect::<Vec<_>>()
        )
    });
    let set = derive(&model);
    Published { text: text.to_owned(), model, set }
}

fn subset<T: Clone + std::fmt::Debug + 'static>(of: &'static [T], least: usize) -> impl Strategy<Value = Vec<T>> {
    proptest::sample::subsequence(of.to_vec(), least..=of.len())
}

/// No name with an underscore in the middle of a label: DNS knows such names, the other parser does not.
const DOMAINS: &[&str] =
    &["example.com", "lists.example.com", "例え.example", "xn--mgbh0fb.example", "a-b.example.org", "1984.example"];
const PARKED: &[&str] = &["parked.example", "old.example.com"];
const ADDRESSES: &[&str] = &["203.0.113.25", "203.0.113.26", "198.51.100.7", "2001:db8::25", "2001:db8:1::1"];
const LISTENERS: &[&str] = &["mx", "submission", "submissions", "web"];
const HOSTS: &[&str] = &["mail.example.com", "example.com", "mx1.provider.example", "host.parked.example"];
const NETWORKS: &[&str] = &["198.51.100.0/28", "198.51.100.77", "2001:db8:9::/48", "192.0.2.128/25"];
const INCLUDES: &[&str] = &["_spf.partner.example", "spf.例え.example"];
/// No `=` in them: `mail-auth` takes it for the sign of quoted-printable, which an address of a report is not.
const REPORTS: &[&str] = &[
    "mailto:reports@example.com",
    "mailto:dmarc+all@reports.elsewhere.example",
    "mailto:a@elsewhere.example?x,y!z;w",
    "https://reports.elsewhere.example/tls?b,c",
];
const POLICIES: &[&str] = &["none", "quarantine", "reject"];
const PINS: &[&str] = &["key", "authority"];

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!(" \"{word}\"")).collect()
}

/// There or not.
fn maybe(block: impl Strategy<Value = String> + 'static) -> BoxedStrategy<String> {
    prop_oneof![Just(String::new()), block].boxed()
}

fn spf() -> impl Strategy<Value = String> {
    (subset(NETWORKS, 0), subset(INCLUDES, 0), select(&["fail", "softfail", "neutral"][..])).prop_map(
        |(networks, includes, all)| {
            let networks: String = networks.iter().map(|network| format!("        address \"{network}\"\n")).collect();
            let includes: String = includes.iter().map(|name| format!("        include \"{name}\"\n")).collect();
            format!("    spf {{\n{networks}{includes}        all \"{all}\"\n    }}\n")
        },
    )
}

fn dmarc() -> impl Strategy<Value = String> {
    let policy = || select(POLICIES);
    let mail = &REPORTS[..3];
    (policy(), policy(), policy(), any::<[bool; 3]>(), subset(mail, 0)).prop_map(
        |(own, sub, none, [has_sub, has_none, test], reports)| {
            let mut text = format!("    dmarc policy=\"{own}\" testing=#{test}");
            for (name, value, is_there) in [("subdomains", sub, has_sub), ("nonexistent", none, has_none)] {
                if is_there {
                    text += &format!(" {name}=\"{value}\"");
                }
            }
            let reports: String = reports.iter().map(|report| format!(" reports=\"{report}\"")).take(1).collect();
            text + &reports + "\n"
        },
    )
}

fn dkim() -> impl Strategy<Value = String> {
    let states = || select(&["publish", "active", "retired", "revoked", "removed"][..]);
    (states(), states()).prop_map(|(rsa, ed25519)| {
        let key = |selector: &str, name: &str, state: &str| {
            format!(
                "    dkim \"{selector}\" algorithm=\"{name}-sha256\" public-key=\"{name}.pub\" key-secret=\"{name}\" state=\"{state}\"\n"
            )
        };
        key("2026r", "rsa", rsa) + &key("2026e", "ed25519", ed25519)
    })
}

fn mta_sts() -> impl Strategy<Value = String> {
    (select(&["none", "testing"][..]), 1_u32..52, any::<bool>()).prop_map(|(mode, weeks, elsewhere)| {
        let web = if elsewhere { " web-host=\"www.provider.example\"" } else { "" };
        format!("    mta-sts mode=\"{mode}\" max-age=\"{weeks}w\"{web}\n")
    })
}

fn dane() -> impl Strategy<Value = String> {
    proptest::collection::vec((select(PINS), any::<[u8; 32]>()), 1..4).prop_map(|pins| {
        let pin = |(of, octets): &(&str, [u8; 32])| {
            format!("        {of} sha256=\"{}\"\n", postern_schema::snapshot::digest_hex(octets))
        };
        format!("    dane {{\n        key sha256=\"{}\"\n{}    }}\n", "ab".repeat(32), pins.iter().map(pin).collect::<String>())
    })
}

fn caa() -> impl Strategy<Value = String> {
    any::<[bool; 6]>().prop_map(|[account, method, wildcards, persist, reports, others]| {
        let part = |is_there, text: &str| if is_there { text.to_owned() } else { String::new() };
        format!(
            "    caa issuer=\"letsencrypt.org\"{}{}{}{}{}\n{}",
            part(account, " account=\"https://acme.example/acct/1\""),
            part(method, " method=\"dns-01\""),
            part(wildcards, " wildcards=#true"),
            part(persist, " persist=#true"),
            part(reports, " reports=\"mailto:caa@example.com\""),
            part(
                others,
                "    caa issuer=\"ca.example\" certificates=\"mail\"\n    caa issuer=\"ca.example\" certificates=\"marks\"\n"
            )
        )
    })
}

fn others() -> impl Strategy<Value = String> {
    (subset(REPORTS, 1), any::<[bool; 7]>()).prop_map(|(reports, [imap, pop3, elsewhere, bimi, wildcard, pacc, web])| {
        let part = |is_there, text: &str| if is_there { text.to_owned() } else { String::new() };
        format!(
            "    tls-report{}\n    autoconfig{}{} {{\n{}{}{}    }}\n{}{}",
            quoted(&reports),
            part(elsewhere, " web-host=\"www.provider.example\""),
            part(pacc, " pacc=#true"),
            part(imap, "        imap \"imap.example.com\"\n"),
            part(pop3, "        pop3 \"pop.例え.example\" port=1995\n"),
            part(web, "        jmap \"jmap.example.com\" port=8443\n        caldav \"dav.example.com\"\n        carddav \"dav.example.com\"\n"),
            part(bimi, "    bimi logo=\"https://www.example.com/logo.svg\" certificate=\"https://www.example.com/logo.pem\"\n"),
            part(wildcard, "    wildcard\n"),
        )
    })
}

/// What one domain says of itself.
fn domain() -> impl Strategy<Value = String> {
    (maybe(spf()), maybe(dmarc()), maybe(dkim()), maybe(mta_sts()), maybe(dane()), maybe(caa()), maybe(others())).prop_map(
        |(spf, mut dmarc, dkim, mta_sts, dane, caa, mut others)| {
            // What the compiler refuses: a strict policy without a signer, and a logo without a strict policy.
            let signs = dkim.contains("state=\"active\"");
            if !signs {
                POLICIES.iter().for_each(|policy| dmarc = dmarc.replace(policy, "none"));
            }
            if !signs || !dmarc.contains("policy=\"reject\"") {
                others = others.lines().filter(|line| !line.contains("bimi")).map(|line| format!("{line}\n")).collect();
            }
            [spf, dmarc, dkim, mta_sts, dane, caa, others].concat()
        },
    )
}

/// A site file.
pub fn site() -> impl Strategy<Value = String> {
    let publications = proptest::collection::vec(domain(), DOMAINS.len());
    let names = (select(HOSTS), subset(DOMAINS, 1), subset(PARKED, 0));
    (names, subset(ADDRESSES, 0), subset(LISTENERS, 0), any::<bool>(), publications).prop_map(
        |((host, domains, parked), addresses, listeners, relayed, publications)| {
            let mut text = format!("site \"{host}\" {{\n    postmaster \"alice@{}\"\n", domains[0]);
            if !addresses.is_empty() {
                text += &format!("    address{}\n", quoted(&addresses));
            }
            text += "}\ntls { self-signed; }\n";
            listeners.iter().for_each(|listener| text += &format!("listen \"{listener}\"\n"));
            text += "users \"staff\" { passwd secret=\"users\"; }\n";
            for (domain, publication) in domains.iter().zip(publications) {
                text += &format!("domain \"{domain}\" {{\n    mailbox \"alice\"\n    alias \"reports\" \"alice\"\n    alias \"caa\" \"alice\"\n{publication}}}\n");
            }
            if !parked.is_empty() {
                text += &format!("parked{}\n", quoted(&parked));
            }
            if relayed {
                text += "relay \"hub\" host=\"hub.provider.example\" { tls \"verify\"; }\nroute to=\"*\" via=\"hub\"\n";
            } else {
                text += "route to=\"*\" via=\"direct\"\n";
            }
            text
        },
    )
}
