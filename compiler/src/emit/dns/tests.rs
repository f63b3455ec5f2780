//! Which records a site gets, and which it does not.

use super::*;
use crate::emit::fixture::{self, domain};
use crate::model::Model;
use postern_schema::record::{Owner, RecordData, Spf, SpfAll, SpfTerm, Target, Text};
use postern_schema::site::{RoutePattern, Via};
use std::collections::BTreeSet;
use std::sync::Arc;

mod formats;
mod golden;

/// The fixture without its relay: everything leaves directly.
fn direct() -> Model {
    let mut model = fixture::model();
    model.site.routes[0].via = Via::Direct;
    model
}

fn lines(set: &RecordSet) -> Vec<String> {
    set.records
        .iter()
        .map(|planned| format!("{} {} {}", planned.record.owner, planned.record.data.kind(), planned.record.data))
        .collect()
}

#[test]
fn a_site_that_sends_directly() {
    let set = derive(&direct());
    assert_eq!(
        lines(&set),
        [
            "example.com. MX 10 mail.example.com.",
            "example.com. TXT \"v=spf1 ip4:203.0.113.25 ip6:2001:db8::25 ~all\"",
            "_dmarc.example.com. TXT \"v=DMARC1; p=none\"",
            "_submission._tcp.example.com. SRV 0 1 587 mail.example.com.",
            "_submissions._tcp.example.com. SRV 0 0 0 .",
            "mail.example.com. A 203.0.113.25",
            "mail.example.com. AAAA 2001:db8::25",
            "mail.example.com. TXT \"v=spf1 a -all\"",
            "example.net. MX 0 .",
            "example.net. TXT \"v=spf1 -all\"",
            "_dmarc.example.net. TXT \"v=DMARC1; p=reject; np=reject\"",
            "*._domainkey.example.net. TXT \"v=DKIM1; p=\"",
            "shop.example. MX 10 mail.example.com.",
            "shop.example. TXT \"v=spf1 ip4:203.0.113.25 ip6:2001:db8::25 ~all\"",
            "_dmarc.shop.example. TXT \"v=DMARC1; p=none\"",
            "_submission._tcp.shop.example. SRV 0 1 587 mail.example.com.",
            "_submissions._tcp.shop.example. SRV 0 0 0 .",
        ]
    );
    let reverse: Vec<String> = set.reverse.iter().map(|planned| planned.record.owner.to_string()).collect();
    assert_eq!(reverse[0], "25.113.0.203.in-addr.arpa.");
    assert_eq!(reverse.len(), 2);
    assert_eq!(set.notes, []);
}

#[test]
fn behind_a_relay_no_spf_is_made_up_and_a_note_says_so() {
    let set = derive(&fixture::model());
    let spf: Vec<String> = lines(&set).into_iter().filter(|line| line.contains("v=spf1")).collect();
    assert_eq!(spf, ["mail.example.com. TXT \"v=spf1 a -all\"", "example.net. TXT \"v=spf1 -all\""]);
    let about: Vec<&str> = set.notes.iter().map(|note| note.domain.as_str()).collect();
    assert_eq!(about, ["example.com", "shop.example"]);
    assert!(set.notes[0].text.contains("smarthost (smtp.provider.example)"), "{}", set.notes[0].text);
}

#[test]
fn a_relay_counts_only_for_the_senders_and_routes_that_reach_it() {
    let mut model = fixture::model();
    // Direct for everybody comes first: the relay behind it is never used.
    let mut first = model.site.routes[0].clone();
    first.via = Via::Direct;
    model.site.routes.insert(0, first);
    assert_eq!(derive(&model).notes, []);
    // A relay for some recipients alone is one that mail leaves through.
    model.site.routes[0].to = RoutePattern::Domain(domain("partner.example"));
    assert_eq!(derive(&model).notes.len(), 2);
    // A relay for the senders of one domain concerns that domain.
    model.site.routes[0].to = RoutePattern::Any;
    model.site.routes.swap(0, 1);
    model.site.routes[0].from = RoutePattern::Domain(domain("shop.example"));
    let about: Vec<String> = derive(&model).notes.iter().map(|note| note.domain.to_string()).collect();
    assert_eq!(about, ["shop.example"]);
}

#[test]
fn without_addresses_spf_names_the_host_and_a_note_asks_for_them() {
    let mut model = direct();
    model.site.addresses.clear();
    let set = derive(&model);
    assert!(lines(&set).contains(&"example.com. TXT \"v=spf1 a:mail.example.com ~all\"".to_owned()));
    assert!(!lines(&set).iter().any(|line| line.contains(" A ") || line.contains(" AAAA ")));
    assert_eq!(set.reverse, []);
    assert_eq!(set.notes.len(), 1);
}

#[test]
fn what_nobody_can_reach_is_not_published() {
    let mut absent = direct();
    absent.site.listeners.clear();
    let mut on_loopback = direct();
    for listener in &mut on_loopback.site.listeners {
        listener.addresses = vec!["127.0.0.1".parse().expect("an address"), "::1".parse().expect("an address")];
    }
    for model in [absent, on_loopback] {
        let set = derive(&model);
        assert!(!lines(&set).iter().any(|line| line.contains(" MX 10 ")));
        assert!(lines(&set).contains(&"_submission._tcp.example.com. SRV 0 0 0 .".to_owned()));
        assert_eq!(set.notes.len(), 2);
    }
}

#[test]
fn a_host_with_the_name_of_a_domain_has_one_spf_record() {
    let mut model = direct();
    model.site.hostname = domain("example.com");
    for model in [model.clone(), {
        model.site.routes[0].via = Via::Relay("smarthost".into());
        model
    }] {
        let spf = lines(&derive(&model)).into_iter().filter(|line| line.starts_with("example.com. TXT")).count();
        assert!(spf <= 1, "{:?}", lines(&derive(&model)));
    }
}

#[test]
fn a_host_outside_of_every_domain_lies_in_its_parents_zone() {
    let mut model = direct();
    model.site.hostname = domain("mx1.provider.example");
    let set = derive(&model);
    let zones: Vec<&str> = set.zones().map(|(zone, _)| zone.as_str()).collect();
    assert_eq!(zones, ["example.com", "example.net", "provider.example", "shop.example"]);
}

#[test]
fn a_domain_below_another_of_the_site_shares_its_zone_and_can_be_asked_for_alone() {
    let mut model = direct();
    let name = domain("lists.example.com");
    let mut entry = (*model.domains[&domain("example.com")]).clone();
    entry.name = name.clone();
    model.domains.insert(name.clone(), Arc::new(entry));
    let set = derive(&model);
    let zones: Vec<&str> = set.zones().map(|(zone, _)| zone.as_str()).collect();
    assert_eq!(zones, ["example.com", "example.net", "shop.example"]);
    let only = set.only(&name);
    assert!(lines(&only).iter().all(|line| line.contains("lists.example.com. ")), "{:?}", lines(&only));
    assert_eq!(only.records.len(), 5);
    assert!(!lines(&set.only(&domain("example.com"))).iter().any(|line| line.contains("lists.example.com. MX")));
    assert!(lines(&set.only(&domain("example.com"))).contains(&"mail.example.com. A 203.0.113.25".to_owned()));
}

#[test]
fn a_name_too_long_for_a_record_below_it_gets_a_note() {
    let mut model = direct();
    let name = domain(&format!("{}.example", ["a".repeat(60).as_str(); 4].join(".")));
    let mut entry = (*model.domains[&domain("example.net")]).clone();
    entry.name = name.clone();
    model.domains.insert(name.clone(), Arc::new(entry));
    let set = derive(&model);
    assert_eq!(set.only(&name).records.len(), 2);
    assert_eq!(set.only(&name).notes.len(), 2);
}

#[test]
fn a_name_has_one_spf_one_dmarc_and_one_ttl_and_a_null_mx_stands_alone() {
    for model in [fixture::model(), direct()] {
        let set = derive(&model);
        for (first, rrset) in rrsets(&set.records) {
            assert!(rrset.iter().all(|planned| planned.record.ttl_seconds == first.ttl_seconds));
            for start in ["\"v=spf1", "\"v=DMARC1"] {
                let count = rrset.iter().filter(|planned| planned.record.data.to_string().starts_with(start)).count();
                assert!(count <= 1, "{} has {count} of {start}", first.owner);
            }
            let null = |planned: &Planned| matches!(planned.record.data, RecordData::Mx { exchange: Target::None, .. });
            assert!(rrset.len() == 1 || !rrset.iter().any(null));
        }
        let owners: BTreeSet<&Owner> = set.records.iter().map(|planned| &planned.record.owner).collect();
        for owner in owners {
            let mut kinds = set.records.iter().filter(|planned| planned.record.owner == *owner).map(|p| p.record.data.kind());
            assert!(kinds.clone().count() == 1 || !kinds.any(|kind| kind == RecordKind::Cname));
        }
    }
}

/// Every kind of record once, and the hard cases: a long text, several values of one name, a wildcard.
fn every_kind() -> RecordSet {
    let zone = domain("example.com");
    let mail = || domain("mail.example.com");
    let many: Vec<SpfTerm> = (1..=20).map(|last| SpfTerm::Network(std::net::IpAddr::from([203, 0, 113, last]).into())).collect();
    let long = Text::from(&Spf { terms: many, all: SpfAll::Fail });
    assert!(long.strings().len() > 1);
    let below = |labels: &str| Owner::below(labels, &zone).expect("it fits");
    let data = vec![
        (Owner::at(&zone), RecordData::Mx { preference: 10, exchange: Target::Host(mail()) }),
        (Owner::at(&zone), RecordData::Mx { preference: 20, exchange: Target::Host(domain("mx.elsewhere.example")) }),
        (Owner::at(&zone), RecordData::Txt(long)),
        (
            Owner::at(&zone),
            RecordData::Caa { critical: true, tag: "issue".into(), value: "ca.example; validationmethods=dns-01".into() },
        ),
        (Owner::at(&zone), RecordData::Caa { critical: false, tag: "issuewild".into(), value: ";".into() }),
        (below("mail"), RecordData::address("203.0.113.25".parse().expect("an address"))),
        (below("mail"), RecordData::address("203.0.113.26".parse().expect("an address"))),
        (below("mail"), RecordData::address("2001:db8::25".parse().expect("an address"))),
        (below("mail10"), RecordData::address("203.0.113.10".parse().expect("an address"))),
        (below("mail9"), RecordData::address("203.0.113.9".parse().expect("an address"))),
        (below("autoconfig"), RecordData::Cname(mail())),
        (below("_25._tcp.mail"), RecordData::Tlsa { usage: 3, selector: 1, matching: 1, association: vec![0x0a; 32] }),
        (below("_imaps._tcp"), RecordData::Srv { priority: 0, weight: 0, port: 0, target: Target::None }),
        (below("_submissions._tcp"), RecordData::Srv { priority: 0, weight: 1, port: 465, target: Target::Host(mail()) }),
        (below("*._domainkey"), RecordData::Txt(Text::from(&postern_schema::record::DkimKey::Revoked))),
    ];
    let planned = |(owner, data)| Planned {
        zone: zone.clone(),
        record: Record { owner, data, ttl_seconds: TTL_SECONDS },
        domain: zone.clone(),
        purpose: "a test",
    };
    let mut records: Vec<Planned> = data.into_iter().map(planned).collect();
    records.sort();
    RecordSet { records, ..RecordSet::default() }
}
