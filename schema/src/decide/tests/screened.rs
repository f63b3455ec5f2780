//! The checks of a stranger at RCPT: in which order they are asked, what each comes to, and who is spared.

use super::*;
use crate::decide::{GreylistFact, Listing, ReputationFact, ScreenFacts};
use std::net::Ipv4Addr;

fn list(zone: &str, weight: i32, codes: &str, line: u32) -> ClientList {
    let codes = if codes.is_empty() { Codes::default() } else { Codes::parse(codes).unwrap() };
    ClientList { zone: domain(zone), weight, codes, origin: at(line) }
}

/// The small site, which asks for everything.
fn strict() -> Memory {
    let mut memory = site();
    let screen = &mut memory.site.screen;
    screen.require_fqdn_helo = Some(at(30));
    screen.require_resolvable_helo = Some(at(31));
    screen.lists = vec![list("bl.test", 3, "127.0.0.2-4", 32), list("other.test", 1, "", 33), list("wl.test", -2, "", 34)];
    screen.threshold = (3, at(35));
    screen.greylist = Some(Greylist { origin: at(36), ..Greylist::default() });
    screen.reputation = Some(Reputation { halflife: std::time::Duration::from_secs(3600), limit: 20, origin: at(37) });
    memory
}

fn ask(site: &Memory, client: Client<'_>, to: &str, screen: ScreenFacts<'_>) -> Answer<RelayPermit> {
    let (from, to) = (ReversePath::parse("a@remote.test").unwrap(), ForwardPath::parse(to).unwrap());
    accept(&RecipientFacts { client, reverse_path: &from, forward_path: &to, screen, srs: None }, site)
}

fn stranger() -> Client<'static> {
    client("mx", "198.51.100.1", None)
}

fn listing(zone: &str, last: u8) -> Listing {
    Listing { zone: domain(zone), code: Ipv4Addr::new(127, 0, 0, last) }
}

#[test]
fn each_fact_is_asked_for_in_its_turn() {
    let site = strict();
    let mut screen = ScreenFacts::default();
    let mut asked = Vec::new();
    let verdict = loop {
        match ask(&site, stranger(), "alice@example.com", screen) {
            Answer::Verdict(verdict) => break verdict,
            Answer::Need(need) => {
                match &need {
                    Need::Reputation => screen.reputation = Some(ReputationFact::Good),
                    Need::Helo => screen.helo = Some("mx.remote.test"),
                    Need::HeloDomain(_) => screen.helo_domain = Some(SenderDomain::Found),
                    Need::Lists => screen.lists = Some(&[]),
                    Need::Greylist => screen.greylist = Some(GreylistFact::Passed),
                    other => panic!("{other:?}"),
                }
                asked.push(need);
            }
        }
    };
    assert_eq!(verdict.reason, Reason::LocalRecipient);
    let helo = Need::HeloDomain(domain("mx.remote.test"));
    assert_eq!(asked, [Need::Reputation, Need::Helo, helo, Need::Lists, Need::Greylist]);
}

#[test]
fn weights_codes_and_errors_of_lists() {
    let site = strict();
    let error = Listing { zone: domain("bl.test"), code: Ipv4Addr::new(127, 255, 255, 254) };
    let public = Listing { zone: domain("bl.test"), code: Ipv4Addr::new(192, 0, 2, 1) };
    for (said, reason) in [
        (vec![], Reason::LocalRecipient),
        (vec![listing("bl.test", 2)], Reason::ClientListed),
        (vec![listing("bl.test", 9)], Reason::LocalRecipient),
        (vec![listing("other.test", 9)], Reason::LocalRecipient),
        (vec![listing("bl.test", 9), listing("bl.test", 4)], Reason::ClientListed),
        (vec![listing("bl.test", 2), listing("wl.test", 3)], Reason::LocalRecipient),
        (vec![listing("bl.test", 2), listing("other.test", 2), listing("wl.test", 3)], Reason::LocalRecipient),
        (vec![listing("nobody.test", 2)], Reason::LocalRecipient),
        (vec![error], Reason::LocalRecipient),
        (vec![public], Reason::LocalRecipient),
    ] {
        let verdict = ask(&site, stranger(), "alice@example.com", ScreenFacts { lists: Some(&said), ..ScreenFacts::CLEAR });
        let verdict = verdict.verdict().unwrap();
        assert_eq!(verdict.reason, reason, "{said:?}");
        if reason == Reason::ClientListed {
            assert!(verdict.trace.listings().unwrap().contains("bl.test=127.0.0."), "{:?}", verdict.trace);
        }
    }
}

#[test]
fn whoever_is_welcome_is_not_greylisted() {
    let site = strict();
    let new = ScreenFacts { greylist: Some(GreylistFact::New), ..ScreenFacts::CLEAR };
    let reason = |screen| ask(&site, stranger(), "alice@example.com", screen).verdict().unwrap().reason;
    assert_eq!(reason(new), Reason::Greylisted);
    let waiting = ScreenFacts { greylist: Some(GreylistFact::Waiting), ..new };
    assert_eq!(reason(waiting), Reason::Greylisted);
    assert_eq!(reason(ScreenFacts { lists: Some(&[listing("wl.test", 3)]), ..new }), Reason::LocalRecipient);
}

#[test]
fn greetings() {
    let site = strict();
    for (helo, reason) in [
        ("mx.remote.test", Reason::LocalRecipient),
        ("[192.0.2.1]", Reason::LocalRecipient),
        ("[IPv6:2001:db8::1]", Reason::LocalRecipient),
        ("localhost", Reason::HeloNotFqdn),
        ("192.0.2.1", Reason::HeloNotFqdn),
        ("", Reason::HeloNotFqdn),
        ("a..b", Reason::HeloNotFqdn),
    ] {
        let facts = ScreenFacts { helo: Some(helo), ..ScreenFacts::CLEAR };
        assert_eq!(ask(&site, stranger(), "alice@example.com", facts).verdict().unwrap().reason, reason, "{helo}");
    }
    let unknown = ScreenFacts { helo_domain: Some(SenderDomain::Nonexistent), ..ScreenFacts::CLEAR };
    assert_eq!(ask(&site, stranger(), "alice@example.com", unknown).verdict().unwrap().reason, Reason::HeloUnresolvable);
}

#[test]
fn who_is_spared() {
    let site = strict();
    let unknown = ScreenFacts::default();
    let bad: Vec<Listing> = vec![listing("bl.test", 2)];
    let listed = ScreenFacts { lists: Some(&bad), ..ScreenFacts::CLEAR };
    // Whoever may relay, whoever has logged in, and what is written to a postmaster.
    let office = client("mx", "192.0.2.5", None);
    let user = client("submission", "198.51.100.1", Some("alice"));
    for (client, to) in [
        (office, "alice@example.com"),
        (user, "alice@example.com"),
        (stranger(), "postmaster"),
        (stranger(), "Postmaster@example.com"),
    ] {
        assert_eq!(ask(&site, client, to, unknown).verdict().map(|verdict| verdict.disposition.as_str()), Some("accept"), "{to}");
    }
    // The guests' network is spared the lists alone.
    let guest = client("mx", "192.0.2.200", None);
    assert_eq!(ask(&site, guest, "alice@example.com", listed).verdict().unwrap().reason, Reason::LocalRecipient);
    assert_eq!(ask(&site, guest, "alice@example.com", unknown), Answer::Need(Need::Reputation));
    // Relaying is refused whatever else is known, and nothing is asked for it.
    assert_eq!(ask(&site, stranger(), "x@elsewhere.example", unknown).verdict().unwrap().reason, Reason::RelayDenied);
}

#[test]
fn a_poor_reputation_hides_which_addresses_there_are() {
    let site = strict();
    let poor = ScreenFacts { reputation: Some(ReputationFact::Poor), ..ScreenFacts::CLEAR };
    for to in ["alice@example.com", "nobody@example.com"] {
        assert_eq!(ask(&site, stranger(), to, poor).verdict().unwrap().reason, Reason::PoorReputation, "{to}");
    }
}
