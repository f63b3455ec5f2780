//! Every text that comes out of a site is read back by `mail-auth`, which judges mail by such records, to what the site says.
//! BIMI, PACC and what ACME looks for have no parser there.
#![allow(clippy::unwrap_used)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_auth::common::crypto::Algorithm;
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::dmarc::{Dmarc, Policy};
use mail_auth::mta_sts::{self, MtaSts, TlsRpt};
use mail_auth::spf::{Directive, Macro, Mechanism, Qualifier, Spf};
use postern::emit::dns::spf_of;
use postern_schema::name::Domain;
use postern_schema::record::{self, DmarcPolicy, RecordData, ReportUri, SpfAll, SpfTerm};
use postern_schema::site::{DomainClass, PublicKey, SigningState};
use postern_tests::publishing::{Published, keys, publish, site};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// The texts at a name, and that they were asked for.
struct Texts<'a> {
    published: &'a Published,
    asked: BTreeSet<String>,
}

impl Texts<'_> {
    fn at(&mut self, name: &str) -> Vec<String> {
        self.asked.insert(name.to_owned());
        let records = self.published.set.records.iter().map(|planned| &planned.record);
        let texts = records.filter(|record| record.owner.as_str() == name).filter_map(|record| match &record.data {
            RecordData::Txt(text) => Some(text.as_str().to_owned()),
            _ => None,
        });
        texts.collect()
    }

    /// The one text at a name.
    fn one(&mut self, name: &str) -> String {
        let mut texts = self.at(name);
        assert_eq!(texts.len(), 1, "{name}: {texts:?}\n{}", self.published.text);
        texts.remove(0)
    }
}

fn literal(domain: &Domain) -> Macro {
    Macro::Literal(domain.as_str().as_bytes().into())
}

/// What an evaluator of SPF should find.
fn directives(spf: &record::Spf) -> Vec<Directive> {
    let pass = |mechanism| Directive { qualifier: Qualifier::Pass, mechanism };
    let term = |term: &SpfTerm| match term {
        SpfTerm::Network(network) => match network.trunc() {
            ipnet::IpNet::V4(network) => Mechanism::Ip4 { addr: network.addr(), mask: u32::from(network.netmask()) },
            ipnet::IpNet::V6(network) => Mechanism::Ip6 { addr: network.addr(), mask: u128::from(network.netmask()) },
        },
        SpfTerm::OwnAddresses => Mechanism::A { macro_string: Macro::None, ip4_mask: u32::MAX, ip6_mask: u128::MAX },
        SpfTerm::AddressesOf(name) => Mechanism::A { macro_string: literal(name), ip4_mask: u32::MAX, ip6_mask: u128::MAX },
        SpfTerm::Include(name) => Mechanism::Include { macro_string: literal(name) },
    };
    let qualifier = match spf.all {
        SpfAll::Fail => Qualifier::Fail,
        SpfAll::SoftFail => Qualifier::SoftFail,
        SpfAll::Neutral => Qualifier::Neutral,
    };
    spf.terms.iter().map(term).map(pass).chain([Directive { qualifier, mechanism: Mechanism::All }]).collect()
}

fn assert_spf(text: &str, wanted: &record::Spf) {
    let found = Spf::parse(text.as_bytes()).unwrap();
    assert_eq!(*found.directives, *directives(wanted), "{text}");
    assert!(found.redirect.is_none() && found.exp.is_none(), "{text}");
}

fn policy(policy: DmarcPolicy) -> Policy {
    match policy {
        DmarcPolicy::None => Policy::None,
        DmarcPolicy::Quarantine => Policy::Quarantine,
        DmarcPolicy::Reject => Policy::Reject,
    }
}

fn assert_dmarc(text: &str, wanted: &record::Dmarc) {
    let found = Dmarc::parse(text.as_bytes()).unwrap();
    let subdomains = wanted.subdomains.unwrap_or(wanted.policy);
    let policies = [wanted.policy, subdomains, wanted.nonexistent.unwrap_or(subdomains)].map(policy);
    assert_eq!([found.p, found.sp, found.np], policies, "{text}");
    assert_eq!(found.t, wanted.testing, "{text}");
    // Here the encoding is taken off; of TLS-RPT it is left on.
    let decoded =
        |uri: &ReportUri| uri.as_str().replace("mailto:", "").replace("%2C", ",").replace("%21", "!").replace("%3B", ";");
    let reports: Vec<String> = wanted.reports.iter().map(decoded).collect();
    assert_eq!(found.rua.iter().map(|uri| uri.uri.clone()).collect::<Vec<_>>(), reports, "{text}");
    assert!(found.ruf.is_empty(), "{text}");
}

/// The key that is published verifies what its other half signs.
fn assert_key(text: &str, wanted: &PublicKey) {
    let key = DomainKey::parse(text.as_bytes()).unwrap();
    let said = b"some text";
    match wanted {
        PublicKey::Rsa(_) => {
            key.p.verify_bytes(said, &keys().sign(true, said), Algorithm::RsaSha256).unwrap();
            assert!(text.ends_with(&STANDARD.encode(keys().rsa_octets())), "{text}");
        }
        PublicKey::Ed25519(_) => {
            // RFC 8463 3: what is signed is the digest.
            use sha2::Digest;
            let signature = keys().sign(false, &sha2::Sha256::digest(said));
            key.p.verify_bytes(said, &signature, Algorithm::Ed25519Sha256).unwrap();
        }
    }
}

fn assert_tls_report(text: &str, wanted: &record::TlsReport) {
    let uri = |uri: &ReportUri| match uri.as_str().strip_prefix("mailto:") {
        Some(mailbox) => mta_sts::ReportUri::Mail(mailbox.to_owned()),
        None => mta_sts::ReportUri::Http(uri.as_str().to_owned()),
    };
    assert_eq!(TlsRpt::parse(text.as_bytes()).unwrap().rua, wanted.reports.iter().map(uri).collect::<Vec<_>>(), "{text}");
}

fn check(published: &Published) {
    let mut texts = Texts { published, asked: BTreeSet::new() };
    let site = &published.model.site;
    for (name, entry) in &published.model.domains {
        let publication = &entry.publication;
        if entry.class == DomainClass::Parked {
            assert_spf(&texts.one(name.as_str()), &record::Spf { terms: Vec::new(), all: SpfAll::Fail });
            let plain = record::Dmarc::plain(DmarcPolicy::Reject);
            assert_dmarc(
                &texts.one(&format!("_dmarc.{name}")),
                &record::Dmarc { nonexistent: Some(DmarcPolicy::Reject), ..plain },
            );
            let revoked = texts.one(&format!("*._domainkey.{name}"));
            assert!(DomainKey::parse(revoked.as_bytes()).is_err_and(|error| error.to_string().contains("evoked")), "{revoked}");
            for text in texts.at(&format!("*.{name}")) {
                assert_spf(&text, &record::Spf { terms: Vec::new(), all: SpfAll::Fail });
            }
            continue;
        }
        match spf_of(site, name, &publication.spf) {
            Ok(spf) => assert_spf(&texts.one(name.as_str()), &spf),
            Err(_) => assert_eq!(texts.at(name.as_str()), [""; 0]),
        }
        let plain = record::Dmarc::plain(DmarcPolicy::None);
        assert_dmarc(&texts.one(&format!("_dmarc.{name}")), publication.dmarc.as_ref().unwrap_or(&plain));
        for signer in &entry.signers {
            let owner = format!("{}._domainkey.{name}", signer.selector);
            match signer.state {
                SigningState::Removed => assert_eq!(texts.at(&owner), [""; 0]),
                SigningState::Revoked => assert!(DomainKey::parse(texts.one(&owner).as_bytes()).is_err()),
                _ => assert_key(&texts.one(&owner), &signer.public_key),
            }
        }
        if let Some(sts) = &publication.mta_sts {
            let id = MtaSts::parse(texts.one(&format!("_mta-sts.{name}")).as_bytes()).unwrap().id;
            assert_eq!(id, &*sts.policy(&site.hostname).record().id);
            assert!((1..=32).contains(&id.len()) && id.bytes().all(|octet| octet.is_ascii_alphanumeric()), "{id}");
        }
        if let Some(report) = &publication.tls_report {
            assert_tls_report(&texts.one(&format!("_smtp._tls.{name}")), report);
        }
        if publication.bimi.is_some() {
            texts.one(&format!("default._bimi.{name}"));
        }
        if let Some(autoconfig) = publication.autoconfig.as_ref().filter(|autoconfig| autoconfig.pacc) {
            // As the programs that read it do: the digest is over what is served, and what is served is JSON.
            let document = postern_schema::autoconfig::pacc_document(site, name, autoconfig);
            let digest = texts.one(&format!("_ua-auto-config.{name}"));
            let digest = digest.strip_prefix("v=UAAC1; a=sha256; d=").unwrap();
            assert_eq!(STANDARD.decode(digest).unwrap(), Sha256::digest(&document).as_slice());
            let settings: serde_json::Value = serde_json::from_str(&document).unwrap();
            assert_eq!(settings["info"]["provider"]["name"], name.as_str());
            assert_eq!(settings["protocols"].get("imap").is_some(), autoconfig.imap.is_some());
        }
        if publication.wildcard {
            assert_spf(&texts.one(&format!("*.{name}")), &record::Spf { terms: Vec::new(), all: SpfAll::Fail });
        }
        if publication.caa.iter().any(|caa| caa.persistent().is_some()) {
            assert!(texts.one(&format!("_validation-persist.{name}")).starts_with("letsencrypt.org; accounturi=https://"));
        }
        for receiver in publication.dmarc.iter().flat_map(|dmarc| &dmarc.reports).filter_map(ReportUri::mail_domain) {
            for permission in texts.at(&format!("{name}._report._dmarc.{receiver}")) {
                Dmarc::parse(permission.as_bytes()).unwrap();
            }
        }
    }
    let host = &site.hostname;
    if !published.model.domains.contains_key(host) {
        assert_spf(&texts.one(host.as_str()), &record::Spf { terms: vec![SpfTerm::OwnAddresses], all: SpfAll::Fail });
    }
    let wanted = published.model.domains.values().find_map(|entry| entry.publication.tls_report.as_ref());
    for text in texts.at(&format!("_smtp._tls.{host}")) {
        if !published.model.domains.contains_key(host) {
            assert_tls_report(&text, wanted.unwrap());
        }
    }
    // And there is no text that nobody knows the meaning of.
    let records = published.set.records.iter().map(|planned| &planned.record);
    for record in records.filter(|record| matches!(record.data, RecordData::Txt(_))) {
        assert!(texts.asked.contains(record.owner.as_str()), "{record}\n{}", published.text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn texts_read_back_to_what_the_site_says(site in site()) {
        check(&publish(&site));
    }
}
