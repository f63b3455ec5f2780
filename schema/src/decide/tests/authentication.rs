//! What authentication decides: SPF at MAIL, DMARC at the end of the message, and which keys sign.

use super::*;
use crate::record::DmarcPolicy;
use crate::site::{Destination, DkimSigner, FromAddress, PublicKey, Reaction, Selector, SigningState};
use crate::spf::SpfResult;

fn screened(spf_fail: Option<Reaction>, honour: Option<bool>) -> Memory {
    let mut site = site();
    site.site.screen = Screen {
        spf_fail: spf_fail.map(|reaction| (reaction, at(20))),
        dmarc_honour: honour.map(|honour| (honour, at(21))),
        ..Screen::default()
    };
    site
}

const STRANGER: &str = "198.51.100.1";

#[test]
fn spf_is_asked_where_the_site_refuses_by_it_and_nowhere_else() {
    let from = ReversePath::parse("x@elsewhere.example").unwrap();
    let ask = |site: &Memory, client, spf| {
        sender(&SenderFacts { client, is_tls: true, reverse_path: &from, sender_domain: None, spf }, site)
    };
    let refusing = screened(Some(Reaction::Reject), None);
    assert_eq!(ask(&refusing, client("mx", STRANGER, None), None), Answer::Need(Need::Spf));
    for (result, reason) in [
        (SpfResult::Pass, Reason::SenderAccepted),
        (SpfResult::SoftFail, Reason::SenderAccepted),
        (SpfResult::PermError, Reason::SenderAccepted),
        (SpfResult::Fail, Reason::SpfFailed),
        (SpfResult::TempError, Reason::SpfUnknown),
    ] {
        let answer = ask(&refusing, client("mx", STRANGER, None), Some(result));
        assert_eq!(answer.verdict().unwrap().reason, reason, "{result}");
    }
    for (site, client) in [
        (screened(Some(Reaction::Log), Some(true)), client("mx", STRANGER, None)),
        (screened(Some(Reaction::Reject), None), client("mx", "192.0.2.5", None)),
    ] {
        assert_eq!(ask(&site, client, None).verdict().unwrap().reason, Reason::SenderAccepted);
    }
}

#[test]
fn dmarc_decides_where_it_is_honoured() {
    let decide = |site: &Memory, client, dmarc| content(&ContentFacts { client, authors: &[], dmarc }, site);
    let honouring = screened(None, Some(true));
    assert_eq!(decide(&honouring, client("mx", STRANGER, None), None), Answer::Need(Need::Dmarc));
    for (fact, disposition, reason) in [
        (DmarcFact::None, Disposition::Accept(Handling::Deliver), Reason::ContentAccepted),
        (DmarcFact::Pass, Disposition::Accept(Handling::Deliver), Reason::ContentAccepted),
        (DmarcFact::PermError, Disposition::Accept(Handling::Deliver), Reason::ContentAccepted),
        (DmarcFact::Fail(DmarcPolicy::None), Disposition::Accept(Handling::Deliver), Reason::ContentAccepted),
        (DmarcFact::Fail(DmarcPolicy::Quarantine), Disposition::Accept(Handling::Quarantine), Reason::DmarcQuarantine),
        (DmarcFact::Fail(DmarcPolicy::Reject), Disposition::Refuse, Reason::DmarcFailed),
        (DmarcFact::TempError, Disposition::Defer, Reason::DmarcUnknown),
    ] {
        let verdict = decide(&honouring, client("mx", STRANGER, None), Some(fact)).verdict().unwrap();
        assert_eq!((verdict.disposition, verdict.reason), (disposition, reason), "{fact}");
    }
    let user = client("submission", STRANGER, Some("alice"));
    for (site, client) in [(screened(None, Some(false)), client("mx", STRANGER, None)), (honouring, user)] {
        let verdict = decide(&site, client, None).verdict().unwrap();
        assert_eq!(verdict.disposition, Disposition::Accept(Handling::Deliver));
    }
}

#[test]
fn the_keys_of_the_nearest_domain_sign_for_those_who_may_send() {
    let mut site = site();
    let key = |selector: &str, state| DkimSigner {
        selector: Selector::parse(selector).unwrap(),
        public_key: PublicKey::Ed25519([0; 32]),
        key: None,
        state,
        origin: at(30),
    };
    let mut entry = DomainEntry::clone(&site.domains[&domain("example.com")]);
    entry.signers = vec![key("old", SigningState::Retired), key("r", SigningState::Active), key("e", SigningState::Active)];
    site.domains.insert(domain("example.com"), Arc::new(entry));
    let up = Destination::Relay { name: "up".into(), tls: TlsLevel::Verify, from_address: FromAddress::NONE };
    let direct = Destination::Mx { domain: domain("direct.example"), tls: TlsLevel::May, from_address: FromAddress::NONE };
    let sign = |site: &Memory, author, from: &str, destinations: &[Destination]| -> Vec<String> {
        let facts = SignFacts { author, from: &[domain(from)], destinations };
        let (due, _) = signing(&facts, site).unwrap();
        due.iter().map(|due| format!("{}._domainkey.{}", due.signer.selector, due.domain)).collect()
    };
    let both = ["r._domainkey.example.com", "e._domainkey.example.com"];
    let user = Author::Client(client("submission", STRANGER, Some("alice")));
    let office = Author::Client(client("mx", "192.0.2.5", None));
    let stranger = Author::Client(client("mx", STRANGER, None));
    for author in [user, office, Author::Server] {
        assert_eq!(sign(&site, author, "example.com", &[up.clone(), direct.clone()]), both);
        assert_eq!(sign(&site, author, "mail.example.com", &[]), both);
        assert!(sign(&site, author, "elsewhere.example", std::slice::from_ref(&up)).is_empty());
    }
    assert!(sign(&site, stranger, "example.com", std::slice::from_ref(&up)).is_empty());
    site.site.relays[0].signs_dkim = true;
    assert!(sign(&site, user, "example.com", &[up.clone(), up.clone()]).is_empty());
    assert_eq!(sign(&site, user, "example.com", &[up, direct]), both);
    let facts = SignFacts { author: user, from: &[domain("example.com")], destinations: &[] };
    assert!(signing(&facts, &Memory { broken: true, ..site }).is_err());
}
