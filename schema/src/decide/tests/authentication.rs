//! What authentication decides: SPF at MAIL, DMARC at the end of the message, and which keys sign.

use super::*;
use crate::record::DmarcPolicy;
use crate::site::{
    ArcPolicy, Destination, DkimSigner, DmarcReaction, FromAddress, PublicKey, Quarantine, Reaction, Selector, SigningState,
};
use crate::spf::SpfResult;

fn screened(spf_fail: Option<Reaction>, dmarc: Option<DmarcReaction>) -> Memory {
    let mut site = site();
    site.site.screen = Screen {
        spf_fail: spf_fail.map(|reaction| (reaction, at(20))),
        dmarc: dmarc.map(|reaction| (reaction, at(21))),
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
        (screened(Some(Reaction::Log), Some(DmarcReaction::Honour)), client("mx", STRANGER, None)),
        (screened(Some(Reaction::Reject), None), client("mx", "192.0.2.5", None)),
    ] {
        assert_eq!(ask(&site, client, None).verdict().unwrap().reason, Reason::SenderAccepted);
    }
}

#[test]
fn dmarc_decides_where_it_is_honoured() {
    let decide = |site: &Memory, client, dmarc| content(&judged(client, None, dmarc, None), site);
    let honouring = screened(None, Some(DmarcReaction::Honour));
    assert_eq!(decide(&honouring, client("mx", STRANGER, None), None), Answer::Need(Need::Dmarc));
    for (fact, disposition, reason) in [
        (DmarcFact::None, Disposition::Accept(Handling::Deliver), Reason::ContentAccepted),
        (DmarcFact::Pass, Disposition::Accept(Handling::Deliver), Reason::ContentAccepted),
        (DmarcFact::PermError, Disposition::Accept(Handling::Deliver), Reason::ContentAccepted),
        (DmarcFact::Fail(DmarcPolicy::None), Disposition::Accept(Handling::Deliver), Reason::ContentAccepted),
        (
            DmarcFact::Fail(DmarcPolicy::Quarantine),
            Disposition::Accept(Handling::Quarantine(Quarantine::Mark)),
            Reason::DmarcQuarantine,
        ),
        (DmarcFact::Fail(DmarcPolicy::Reject), Disposition::Refuse, Reason::DmarcFailed),
        (DmarcFact::TempError, Disposition::Defer, Reason::DmarcUnknown),
    ] {
        let verdict = decide(&honouring, client("mx", STRANGER, None), Some(fact)).verdict().unwrap();
        assert_eq!((verdict.disposition, verdict.reason), (disposition, reason), "{fact}");
    }
    let user = client("submission", STRANGER, Some("alice"));
    for (site, client) in
        [(screened(None, Some(DmarcReaction::Always(Reaction::Log))), client("mx", STRANGER, None)), (honouring, user)]
    {
        let verdict = decide(&site, client, None).verdict().unwrap();
        assert_eq!(verdict.disposition, Disposition::Accept(Handling::Deliver));
    }
}

fn judged(client: Client<'_>, spf: Option<SpfResult>, dmarc: Option<DmarcFact>, arc: Option<ArcFact>) -> ContentFacts<'_> {
    ContentFacts { client, authors: &[], spf, dmarc, arc }
}

#[test]
fn what_fails_is_set_aside_where_the_site_says_so() {
    let stranger = client("mx", STRANGER, None);
    let failed = Some(DmarcFact::Fail(DmarcPolicy::None));
    let mailbox = Mailbox::parse("abuse@example.com").unwrap();
    for place in [Quarantine::Hold, Quarantine::Mark, Quarantine::To(mailbox)] {
        let mut site = screened(Some(Reaction::Quarantine), Some(DmarcReaction::Always(Reaction::Quarantine)));
        site.site.screen.quarantine = (place.clone(), at(22));
        let from = ReversePath::parse("x@elsewhere.example").unwrap();
        let facts = SenderFacts { client: stranger, is_tls: true, reverse_path: &from, sender_domain: None, spf: None };
        assert_eq!(sender(&facts, &site).verdict().unwrap().reason, Reason::SenderAccepted, "it waits for the message");
        assert_eq!(content(&judged(stranger, None, None, None), &site), Answer::Need(Need::Spf));
        for (spf, dmarc, reason) in [
            (SpfResult::Fail, DmarcFact::Pass, Reason::SpfQuarantine),
            (SpfResult::Pass, DmarcFact::Fail(DmarcPolicy::None), Reason::DmarcQuarantine),
        ] {
            let verdict = content(&judged(stranger, Some(spf), Some(dmarc), None), &site).verdict().unwrap();
            assert_eq!(verdict.disposition, Disposition::Accept(Handling::Quarantine(place.clone())));
            assert_eq!((verdict.reason, verdict.trace.cause()), (reason, at(22)));
        }
        let unknown = content(&judged(stranger, Some(SpfResult::TempError), failed, None), &site).verdict().unwrap();
        assert_eq!((unknown.disposition, unknown.reason), (Disposition::Defer, Reason::SpfUnknown));
    }
    let refusing = screened(Some(Reaction::Quarantine), Some(DmarcReaction::Always(Reaction::Reject)));
    let verdict = content(&judged(stranger, Some(SpfResult::Fail), failed, None), &refusing).verdict().unwrap();
    assert_eq!((verdict.disposition, verdict.reason), (Disposition::Refuse, Reason::DmarcFailed), "a refusal goes first");
}

#[test]
fn a_chain_of_a_trusted_sealer_excuses_what_fails() {
    let stranger = client("mx", STRANGER, None);
    let mut site = screened(None, Some(DmarcReaction::Honour));
    site.site.arc = ArcPolicy { trusted: vec![domain("lists.example")], trusted_origin: at(23), seal: None };
    let fails = Some(DmarcFact::Fail(DmarcPolicy::Reject));
    assert_eq!(content(&judged(stranger, None, fails, None), &site), Answer::Need(Need::Arc));
    let passes = content(&judged(stranger, None, Some(DmarcFact::Pass), None), &site);
    assert_eq!(passes.verdict().unwrap().reason, Reason::ContentAccepted, "it is not asked for in vain");
    for (arc, disposition, reason) in [
        (ArcFact::Vouched, Disposition::Accept(Handling::Deliver), Reason::ArcTrusted),
        (ArcFact::Unvouched, Disposition::Refuse, Reason::DmarcFailed),
    ] {
        let verdict = content(&judged(stranger, None, fails, Some(arc)), &site).verdict().unwrap();
        assert_eq!((verdict.disposition, verdict.reason), (disposition, reason));
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
