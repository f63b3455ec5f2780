//! Every zone that comes out of a site is read back by a parser that is not ours, to the same records.

use hickory_proto::rr::{Name, RData};
use hickory_proto::serialize::txt::Parser;
use postern::compile::{CompileOptions, compile_text};
use postern::emit::dns::{DnsFormat, RecordSet, derive};
use postern_schema::record::{RecordData, Target};
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
                other => panic!("{path:?} has a record that we do not write: {other}"),
            };
            assert_eq!(record.ttl, 3600);
            found.insert((record.name.to_ascii(), record.record_type().to_string(), value));
        }
    }
    found
}

fn subset<T: Clone + std::fmt::Debug + 'static>(of: &'static [T], least: usize) -> impl Strategy<Value = Vec<T>> {
    proptest::sample::subsequence(of.to_vec(), least..=of.len())
}

/// No name with an underscore in the middle of a label: DNS knows such names, the other parser does not.
const DOMAINS: &[&str] =
    &["example.com", "lists.example.com", "例え.example", "xn--mgbh0fb.example", "a-b.example.org", "1984.example"];
const PARKED: &[&str] = &["parked.example", "old.example.com"];
const ADDRESSES: &[&str] = &["203.0.113.25", "203.0.113.26", "198.51.100.7", "2001:db8::25", "2001:db8:1::1"];
const LISTENERS: &[&str] = &["mx", "submission", "submissions"];
const HOSTS: &[&str] = &["mail.example.com", "example.com", "mx1.provider.example", "host.parked.example"];

fn site() -> impl Strategy<Value = String> {
    let host = proptest::sample::select(HOSTS);
    (host, subset(DOMAINS, 1), subset(PARKED, 0), subset(ADDRESSES, 0), subset(LISTENERS, 0), any::<bool>()).prop_map(
        |(host, domains, parked, addresses, listeners, relayed)| {
            let quoted = |words: &[&str]| words.iter().map(|word| format!(" \"{word}\"")).collect::<String>();
            let mut text = format!("site \"{host}\" {{\n    postmaster \"alice@{}\"\n", domains[0]);
            if !addresses.is_empty() {
                text += &format!("    address{}\n", quoted(&addresses));
            }
            text += "}\ntls { self-signed; }\n";
            listeners.iter().for_each(|listener| text += &format!("listen \"{listener}\"\n"));
            if listeners.len() > 1 || !listeners.contains(&"mx") {
                text += "users \"staff\" { passwd secret=\"users\"; }\n";
            }
            domains.iter().for_each(|domain| text += &format!("domain \"{domain}\" {{ mailbox \"alice\"; }}\n"));
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn zones_read_back_to_the_records_that_they_were_made_of(site in site()) {
        let compiled = compile_text("site.kdl", &site, &CompileOptions::default());
        let model = compiled.model.unwrap_or_else(|| panic!("{site}\n{:#?}", compiled.diagnostics));
        let set = derive(&model);
        let files = DnsFormat::Zone.files(&set);
        prop_assert_eq!(theirs(&files), ours(&set), "{}", site);
    }
}
