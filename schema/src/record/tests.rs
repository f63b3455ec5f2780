//! Presentation forms, as their RFCs have them.

use super::*;
use proptest::prelude::*;

fn domain(text: &str) -> Domain {
    Domain::parse(text).expect("a domain")
}

#[test]
fn owners_stand_below_their_domain_or_not_at_all() {
    let example = domain("example.com");
    let owner = Owner::below("*._domainkey", &example).expect("it fits");
    assert_eq!(owner.to_string(), "*._domainkey.example.com.");
    assert_eq!(owner.relative_to(&example), Some("*._domainkey"));
    assert_eq!(Owner::at(&example).relative_to(&example), Some(""));
    assert_eq!(Owner::at(&domain("notexample.com")).relative_to(&example), None);
    assert_eq!(Owner::at(&domain("example.com")).relative_to(&domain("mail.example.com")), None);
    let long = domain(&format!("{}.example", ["a".repeat(60).as_str(); 4].join(".")));
    assert_eq!(long.as_str().len(), 251);
    assert_eq!(Owner::below("_dmarc", &long), None);
    assert!(owner.is_underscored() && !Owner::at(&example).is_underscored());
}

#[test]
fn owners_sort_as_zones_do() {
    let mut owners = ["mail.example.com", "example.com", "example.net", "a.mail.example.com", "b.example.com"]
        .map(|name| Owner::at(&domain(name)));
    owners.sort();
    let sorted: Vec<&str> = owners.iter().map(Owner::as_str).collect();
    assert_eq!(sorted, ["example.com", "b.example.com", "mail.example.com", "a.mail.example.com", "example.net"]);
}

#[test]
fn addresses_have_reverse_names() {
    let reverse = |text: &str| Owner::reverse(text.parse().expect("an address")).to_string();
    assert_eq!(reverse("203.0.113.25"), "25.113.0.203.in-addr.arpa.");
    assert_eq!(reverse("::ffff:203.0.113.25"), "25.113.0.203.in-addr.arpa.");
    assert_eq!(reverse("2001:db8::25"), "5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.");
}

#[test]
fn every_kind_has_its_presentation_form() {
    let shown = |data: RecordData| format!("{} {data}", data.kind());
    let host = || Target::Host(domain("mail.example.com"));
    assert_eq!(shown(RecordData::address("203.0.113.25".parse().expect("an address"))), "A 203.0.113.25");
    assert_eq!(shown(RecordData::address("2001:db8::25".parse().expect("an address"))), "AAAA 2001:db8::25");
    assert_eq!(shown(RecordData::Mx { preference: 10, exchange: host() }), "MX 10 mail.example.com.");
    assert_eq!(shown(RecordData::Mx { preference: 0, exchange: Target::None }), "MX 0 .");
    assert_eq!(shown(RecordData::Cname(domain("mail.example.com"))), "CNAME mail.example.com.");
    assert_eq!(shown(RecordData::Ptr(domain("mail.example.com"))), "PTR mail.example.com.");
    let srv = RecordData::Srv { priority: 0, weight: 1, port: 465, target: host() };
    assert_eq!(shown(srv), "SRV 0 1 465 mail.example.com.");
    let tlsa = RecordData::Tlsa { usage: 3, selector: 1, matching: 1, association: vec![0x0a, 0xff] };
    assert_eq!(shown(tlsa), "TLSA 3 1 1 0aff");
    let caa = |critical, value: &str| RecordData::Caa { critical, tag: "issue".into(), value: value.into() };
    assert_eq!(
        shown(caa(false, "letsencrypt.org; validationmethods=dns-01")),
        "CAA 0 issue \"letsencrypt.org; validationmethods=dns-01\""
    );
    assert_eq!(shown(caa(true, ";")), "CAA 128 issue \";\"");
    assert_eq!(shown(RecordData::Txt(Text::of(r#"a "b" \c ü;"#))), r#"TXT "a \"b\" \\c \195\188;""#);
}

#[test]
fn a_record_is_a_line_of_a_zone() {
    let data = RecordData::Txt(Text::from(&DkimKey::Revoked));
    let owner = Owner::below("*._domainkey", &domain("example.net")).expect("it fits");
    let record = Record { owner, data, ttl_seconds: 3600 };
    assert_eq!(record.to_string(), "*._domainkey.example.net. 3600 IN TXT \"v=DKIM1; p=\"");
}

#[test]
fn policies_read_as_their_rfcs_say() {
    let addresses = ["203.0.113.25", "2001:db8::25"]
        .map(|text| SpfTerm::Network(text.parse::<std::net::IpAddr>().expect("an address").into()));
    let spf = Spf { terms: addresses.into(), all: SpfAll::SoftFail };
    assert_eq!(spf.to_string(), "v=spf1 ip4:203.0.113.25 ip6:2001:db8::25 ~all");
    let by_name = vec![SpfTerm::OwnAddresses, SpfTerm::AddressesOf(domain("mail.example.com"))];
    assert_eq!(Spf { terms: by_name, all: SpfAll::Fail }.to_string(), "v=spf1 a a:mail.example.com -all");
    assert_eq!(Spf { terms: Vec::new(), all: SpfAll::Fail }.to_string(), "v=spf1 -all");
    let parked = Dmarc { nonexistent: Some(DmarcPolicy::Reject), ..Dmarc::plain(DmarcPolicy::Reject) };
    assert_eq!(parked.to_string(), "v=DMARC1; p=reject; np=reject");
    assert_eq!(Dmarc::plain(DmarcPolicy::None).to_string(), "v=DMARC1; p=none");
    let faculty = Dmarc { testing: true, organization: true, ..Dmarc::plain(DmarcPolicy::Quarantine) };
    assert_eq!(faculty.to_string(), "v=DMARC1; p=quarantine; t=y; psd=n");
}

#[test]
fn a_text_of_255_octets_is_one_string_and_one_more_makes_two() {
    assert_eq!(Text::of(&"a".repeat(255)).strings().len(), 1);
    assert_eq!(Text::of(&"a".repeat(256)).strings(), ["a".repeat(255), "a".to_owned()]);
    assert_eq!(Text::of("").strings(), [""]);
    assert_eq!(Text::of("").to_string(), "\"\"");
}

proptest! {
    #[test]
    fn strings_join_to_the_text_and_none_is_too_long(text in "(\\PC|é|例){0,600}") {
        let text = Text::of(&text);
        let strings = text.strings();
        prop_assert_eq!(strings.concat(), text.as_str());
        prop_assert!(strings.iter().all(|string| string.len() <= 255));
    }

    /// What a zone-file reader makes of the quoted form is the octets that went in.
    #[test]
    fn quoting_can_be_undone(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let quoted = text::quoted(&octets);
        prop_assert!(quoted.is_ascii() && !quoted.contains('\n'));
        let mut back = Vec::new();
        let mut rest = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).expect("quotes").bytes();
        while let Some(octet) = rest.next() {
            match octet {
                b'"' => prop_assert!(false, "a quote that is not escaped"),
                b'\\' => match rest.next().expect("an escape") {
                    digit @ b'0'..=b'9' => {
                        let mut digits = || u32::from(rest.next().expect("a digit") - b'0');
                        let value = u32::from(digit - b'0') * 100 + digits() * 10 + digits();
                        back.push(u8::try_from(value).expect("an octet"));
                    }
                    escaped => back.push(escaped),
                },
                plain => back.push(plain),
            }
        }
        prop_assert_eq!(back, octets);
    }
}
