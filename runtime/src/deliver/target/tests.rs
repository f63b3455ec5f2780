//! Which hosts of a domain get its mail, in which order, and what becomes of mail for which there is none (RFC 5321 5.1, RFC 7505).

use super::*;
use crate::dns::Pending;
use crate::queue::fixture;
use postern_schema::dns::{Answer, Question};
use postern_schema::site::{Origin, Relay};

/// A line for each record: `name MX 10 host`, `name A address`; a name with `FAIL` or `BOGUS` alone has that for an answer. Any other
/// name does not exist.
struct Zone(&'static str);

impl Zone {
    fn lines(&self, name: &Domain) -> Vec<Vec<&'static str>> {
        let words = self.0.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
        words.filter(|words| words.first() == Some(&name.as_str())).collect()
    }

    fn find<T>(&self, name: &Domain, read: impl Fn(&[&'static str]) -> Option<T>) -> Found<T> {
        let lines = self.lines(name);
        let records: Vec<T> = lines.iter().filter_map(|words| read(&words[1..])).collect();
        match lines.first().map(|words| words[1]) {
            None => Found::Nonexistent,
            Some("FAIL") => Found::Failed("SERVFAIL".to_owned()),
            Some("BOGUS") => Found::Bogus,
            Some(_) if records.is_empty() => Found::None,
            Some(_) => Found::Records(records),
        }
    }
}

impl Dns for Zone {
    fn mx<'a>(&'a self, domain: &'a Domain) -> Pending<'a, Found<Mx>> {
        let found = self.find(domain, |words| match words {
            ["MX", preference, "."] => Some(Mx { preference: preference.parse().unwrap(), exchange: None }),
            ["MX", preference, host] => {
                Some(Mx { preference: preference.parse().unwrap(), exchange: Some(Domain::parse(host).unwrap()) })
            }
            _ => None,
        });
        Box::pin(async { found })
    }

    fn addresses<'a>(&'a self, host: &'a Domain) -> Pending<'a, Found<IpAddr>> {
        let found = self.find(host, |words| match words {
            ["A", address] => Some(address.parse().unwrap()),
            _ => None,
        });
        Box::pin(async { found })
    }

    fn ask<'a>(&'a self, _: &'a Question) -> Pending<'a, Answer> {
        unreachable!("nothing else is asked")
    }
}

fn site() -> Site {
    Site { addresses: vec!["192.0.2.25".parse().unwrap(), "2001:db8::25".parse().unwrap()], ..fixture::site() }
}

async fn hosts(zone: &'static str, from_address: FromAddress) -> Result<Vec<String>, String> {
    let destination = Destination::Mx { domain: Domain::parse("far.test").unwrap(), tls: TlsLevel::May, from_address };
    let found = find(&destination, &site(), &Zone(zone)).await.map_err(|reply| reply.to_string())?;
    Ok(found.candidates.iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn the_hosts_of_a_domain_in_their_order_rfc_5321_5_1() {
    for (zone, wanted) in [
        // The better preference first, whatever the order of the answer.
        (
            "far.test MX 20 b.test\n far.test MX 10 a.test\n a.test A 192.0.2.1\n b.test A 192.0.2.2",
            vec!["a.test[192.0.2.1]:25", "b.test[192.0.2.2]:25"],
        ),
        // No MX: the domain is its own host.
        ("far.test A 192.0.2.3", vec!["far.test[192.0.2.3]:25"]),
        // The families take turns.
        (
            "far.test MX 10 a.test\n a.test A 192.0.2.1\n a.test A 192.0.2.2\n a.test A 2001:db8::1\n a.test A 2001:db8::2",
            vec!["a.test[2001:db8::1]:25", "a.test[192.0.2.1]:25", "a.test[2001:db8::2]:25", "a.test[192.0.2.2]:25"],
        ),
        // One that is not there, or of which nothing can be known, leaves the others.
        ("far.test MX 10 gone.test\n far.test MX 20 a.test\n a.test A 192.0.2.1", vec!["a.test[192.0.2.1]:25"]),
        ("far.test MX 10 lost.test\n lost.test FAIL\n far.test MX 20 a.test\n a.test A 192.0.2.1", vec!["a.test[192.0.2.1]:25"]),
        // A host that is nobody is no host, where there are others (RFC 7505 3).
        ("far.test MX 0 .\n far.test MX 20 a.test\n a.test A 192.0.2.1", vec!["a.test[192.0.2.1]:25"]),
        // We are one of them, by name or by address: only who is preferred to us gets it.
        (
            "far.test MX 10 a.test\n far.test MX 20 mx.here.test\n far.test MX 30 b.test\n a.test A 192.0.2.1\n b.test A 192.0.2.2",
            vec!["a.test[192.0.2.1]:25"],
        ),
        (
            "far.test MX 10 a.test\n far.test MX 20 us.test\n far.test MX 20 b.test\n a.test A 192.0.2.1\n us.test A 192.0.2.25\n \
             b.test A 192.0.2.2",
            vec!["a.test[192.0.2.1]:25"],
        ),
    ] {
        assert_eq!(hosts(zone, FromAddress::NONE).await.unwrap(), wanted, "{zone}");
    }
}

#[tokio::test]
async fn what_dns_says_decides_whether_mail_without_a_host_waits_or_goes_back() {
    for (zone, wanted) in [
        ("", "550 5.1.2 Domain far.test does not exist"),
        ("far.test MX 0 .", "556 5.1.10 Domain far.test takes no mail (null MX)"),
        ("far.test FAIL", "451 4.4.3 SERVFAIL"),
        ("far.test BOGUS", "451 4.4.3 DNSSEC validation failed for the MX of far.test"),
        ("far.test MX 10 gone.test", "550 5.1.2 Host gone.test does not exist"),
        ("far.test MX 10 bare.test\n bare.test TXT x", "550 5.1.2 Host bare.test has no address"),
        ("far.test MX 10 lost.test\n lost.test FAIL", "451 4.4.3 SERVFAIL"),
        ("far.test MX 10 forged.test\n forged.test BOGUS", "451 4.4.3 DNSSEC validation failed for forged.test"),
        // Where one of them may still be there, it is waited for.
        ("far.test MX 10 gone.test\n far.test MX 20 lost.test\n lost.test FAIL", "451 4.4.3 SERVFAIL"),
        ("far.test MX 10 lost.test\n far.test MX 20 gone.test\n lost.test FAIL", "451 4.4.3 SERVFAIL"),
        ("far.test MX 10 mx.here.test", "554 5.4.6 The MX of far.test is this host, whose site does not have the domain"),
        (
            "far.test MX 10 us.test\n far.test MX 20 b.test\n us.test A 2001:db8::25\n b.test A 192.0.2.2",
            "554 5.4.6 The MX of far.test is this host, whose site does not have the domain",
        ),
    ] {
        assert_eq!(hosts(zone, FromAddress::NONE).await.unwrap_err(), wanted, "{zone}");
    }
}

#[tokio::test]
async fn five_addresses_are_enough_and_hosts_of_one_preference_take_turns() {
    const MANY: &str = "far.test MX 10 a.test\n far.test MX 10 b.test\n far.test MX 20 c.test\n a.test A 192.0.2.1\n a.test A 192.0.2.2\n \
        a.test A 192.0.2.3\n b.test A 192.0.2.4\n b.test A 192.0.2.5\n b.test A 192.0.2.6\n c.test A 192.0.2.7";
    let mut firsts = std::collections::BTreeSet::new();
    for _ in 0..64 {
        let found = hosts(MANY, FromAddress::NONE).await.unwrap();
        assert_eq!(found.len(), ADDRESS_LIMIT);
        assert!(found.iter().all(|candidate| !candidate.starts_with("c.test")), "{found:?}");
        firsts.insert(found[0].clone());
    }
    assert_eq!(firsts.len(), 2, "{firsts:?}");
}

#[tokio::test]
async fn only_what_the_address_that_mail_leaves_from_can_reach_is_tried() {
    const BOTH: &str = "far.test MX 10 a.test\n a.test A 192.0.2.1\n a.test A 2001:db8::1";
    let from = |address: &str| FromAddress::of([address.parse::<IpAddr>().unwrap()]);
    assert_eq!(hosts(BOTH, from("192.0.2.25")).await.unwrap(), ["a.test[192.0.2.1]:25"]);
    assert_eq!(hosts(BOTH, from("2001:db8::25")).await.unwrap(), ["a.test[2001:db8::1]:25"]);
    let none = hosts("far.test MX 10 a.test\n a.test A 192.0.2.1", from("2001:db8::25")).await.unwrap_err();
    assert!(none.starts_with("450 4.4.1 ") && none.contains("2001:db8::25"), "{none}");
}

#[tokio::test]
async fn a_relay_that_cannot_be_found_is_the_sites_mistake_and_its_mail_waits() {
    let relay = Relay {
        name: "up".into(),
        host: HostName::parse("relay.test").unwrap(),
        port: 587,
        tls: TlsLevel::Verify,
        login: None,
        rate: None,
        backup: None,
        spf_includes: Vec::new(),
        signs_dkim: false,
        origin: Origin::DEFAULT,
    };
    let site = Site { relays: vec![relay], ..site() };
    let to = |name: &str, tls| Destination::Relay { name: name.into(), tls, from_address: FromAddress::NONE };
    let said = async |destination: &Destination, zone| match find(destination, &site, &Zone(zone)).await {
        Ok(target) => format!("{} {}", target.candidates[0], target.tls),
        Err(reply) => reply.to_string(),
    };
    // Its MX is never asked for, and a route cannot demand less than the relay does.
    let zone = "relay.test MX 10 elsewhere.test\n relay.test A 192.0.2.7";
    assert_eq!(said(&to("up", TlsLevel::None), zone).await, "relay.test[192.0.2.7]:587 verify");
    for (name, zone) in [("up", ""), ("up", "relay.test FAIL"), ("up", "relay.test MX 10 elsewhere.test"), ("gone", "")] {
        let reply = said(&to(name, TlsLevel::None), zone).await;
        assert!(reply.starts_with(&format!("451 4.3.0 relay {name} ")), "{zone}: {reply}");
    }
}
