//! Every zone that comes out of a site is read back by a parser that is not ours, to the same records.
#![allow(clippy::unwrap_used)]

use hickory_proto::rr::{Name, RData};
use hickory_proto::serialize::txt::Parser;
use postern::compile::{CompileOptions, compile};
use postern::emit::dns::{DnsFormat, RecordSet, derive};
use postern_schema::record::{RecordData, Target};
use postern_schema::snapshot::digest_hex;
use postern_tests::daemon::binaries::workspace;
use postern_tests::publishing::{publish, site};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Owner, type and value, the value without the spelling of zone files.
type Triple = (String, String, String);

fn ours(set: &RecordSet) -> BTreeSet<Triple> {
    let host = |target: &Target| target.to_string();
    let records = set.records.iter().chain(&set.reverse).map(|planned| &planned.record);
    let triple = |record: &postern_schema::record::Record| {
        let value = match &record.data {
            RecordData::Txt(text) => text.as_str().to_owned(),
            RecordData::Mx { preference, exchange } => format!("{preference} {}", host(exchange)),
            RecordData::Srv { priority, weight, port, target } => format!("{priority} {weight} {port} {}", host(target)),
            RecordData::Caa { critical, tag, value } => format!("{} {tag} {value}", if *critical { 128 } else { 0 }),
            other => other.to_string(),
        };
        (record.owner.to_string(), record.data.kind().to_string(), value)
    };
    records.map(triple).collect()
}

fn theirs(files: &[(std::path::PathBuf, String)]) -> BTreeSet<Triple> {
    let mut found = BTreeSet::new();
    for (path, text) in files {
        let (_, sets) = Parser::new(text.as_str(), None, Some(Name::root()))
            .parse()
            .unwrap_or_else(|error| panic!("{path:?}: {error}\n{text}"));
        for record in sets.values().flat_map(|set| set.records_without_rrsigs()) {
            let value = match &record.data {
                RData::A(address) => address.to_string(),
                RData::AAAA(address) => address.to_string(),
                RData::MX(mx) => format!("{} {}", mx.preference, mx.exchange.to_ascii()),
                RData::SRV(srv) => format!("{} {} {} {}", srv.priority, srv.weight, srv.port, srv.target.to_ascii()),
                RData::PTR(name) => name.to_ascii(),
                RData::TXT(txt) => {
                    let octets: Vec<u8> = txt.txt_data.iter().flat_map(|string| string.iter().copied()).collect();
                    String::from_utf8(octets).expect("our texts are ASCII")
                }
                RData::CNAME(name) => name.to_ascii(),
                RData::TLSA(tlsa) => {
                    let (usage, selector, matching) =
                        (u8::from(tlsa.cert_usage), u8::from(tlsa.selector), u8::from(tlsa.matching));
                    format!("{usage} {selector} {matching} {}", digest_hex(&tlsa.cert_data))
                }
                RData::CAA(caa) => {
                    let flags = if caa.issuer_critical { 128 } else { 0 };
                    format!("{flags} {} {}", caa.tag, String::from_utf8_lossy(&caa.value))
                }
                other => panic!("{path:?} has a record that we do not write: {other}"),
            };
            assert_eq!(record.ttl, 3600);
            found.insert((record.name.to_ascii(), record.record_type().to_string(), value));
        }
    }
    found
}

#[test]
fn the_example_of_all_records_has_every_kind_in_it() {
    let compiled = compile(&workspace().join("examples/dns-records/site.kdl"), &CompileOptions::default()).unwrap();
    let set = derive(&compiled.model.unwrap());
    let found = theirs(&DnsFormat::Zone.files(&set));
    assert_eq!(found, ours(&set));
    let kinds: BTreeSet<&str> = found.iter().map(|(_, kind, _)| kind.as_str()).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["A", "AAAA", "CAA", "CNAME", "MX", "PTR", "SRV", "TLSA", "TXT"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn zones_read_back_to_the_records_that_they_were_made_of(site in site()) {
        let set = publish(&site).set;
        let files = DnsFormat::Zone.files(&set);
        prop_assert_eq!(theirs(&files), ours(&set), "{}", site);
    }
}
