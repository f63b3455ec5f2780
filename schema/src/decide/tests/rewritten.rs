//! Addresses that turn into others: forwards and their bounces, owners of aliases, lists, rewritings, archives.

use super::*;
use crate::decide::rewrite;

/// The site with everything that rewrites.
fn rewriting() -> Memory {
    let mut memory = site();
    let to = |text: &str| Forward { mailbox: mailbox(text) };
    let forward = |target: &str, srs, keep_copy| AddressKind::Forward { targets: vec![to(target)], srs, keep_copy };
    let list = || AddressKind::List { transport: "manager".into() };
    for (local, kind) in [
        ("carol", forward("carol@elsewhere.example", true, true)),
        ("dave", forward("dave@elsewhere.example", false, false)),
        ("club", AddressKind::Alias(vec![to("bob@example.com"), to("zoe@elsewhere.example"), to("dave@example.com")])),
        ("owner-club", AddressKind::Alias(vec![to("alice@example.com")])),
        ("dev", list()),
        ("dev-bounces", list()),
    ] {
        memory.addresses.insert((domain("example.com"), local.to_owned()), AddressEntry { kind, origin: at(40) });
    }
    memory.site.transports.push(Transport {
        name: "manager".into(),
        kind: TransportKind::Discard { reason: "".into() },
        origin: at(41),
    });
    memory.site.routes.push(Route {
        to: RoutePattern::Any,
        from: RoutePattern::Any,
        via: Via::Direct,
        tls: None,
        from_address: crate::site::FromAddress::NONE,
        origin: at(42),
    });
    let whose = |text: &str| match text.strip_prefix('@') {
        Some(name) => Whose::Domain(domain(name)),
        None => Whose::Mailbox(mailbox(text)),
    };
    let rewrite = |place, from, to, at_stage| Rewrite {
        place,
        from: whose(from),
        to: whose(to),
        at: at_stage,
        delimiter: Some('+'),
        origin: at(50),
    };
    let all = Stage::Arrival(Service::All);
    memory.site.rewriting = Rewriting {
        rewrites: vec![
            rewrite(Place::Both, "@old.example", "@example.com", all),
            rewrite(Place::Sender, "webuser@example.com", "noreply@example.com", Stage::Arrival(Service::Submission)),
            rewrite(Place::Recipient, "retired@example.com", "alice@example.com", all),
            rewrite(Place::Recipient, "away@example.com", "away@elsewhere.example", all),
            rewrite(Place::Both, "alice@example.com", "alice.smith@public.example", Stage::Egress),
        ],
        masquerades: vec![Masquerade {
            domain: domain("example.com"),
            except: vec![LocalPart::from_content("root").unwrap()],
            kept: vec![domain("lists.example.com")],
            origin: at(51),
        }],
        archives: vec![
            Archive {
                to: mailbox("bob@example.com"),
                when: Archived::From(Selection::parse("boss@rich.example").unwrap()),
                origin: at(52),
            },
            Archive {
                to: mailbox("bob@example.com"),
                when: Archived::To(Selection::parse(".old.example").unwrap()),
                origin: at(53),
            },
        ],
        srs: Some(Srs { domain: domain("example.com"), secret: SecretName::parse("srs").unwrap(), origin: at(54) }),
    };
    memory
}

fn stranger() -> Client<'static> {
    client("mx", "198.51.100.1", None)
}

fn taking(site: &Memory, from: &str, to: &str, srs: Option<&SrsFact>) -> Answer<RelayPermit> {
    let (from, to) = (ReversePath::parse(from).unwrap(), ForwardPath::parse(to).unwrap());
    accept(&RecipientFacts { client: stranger(), reverse_path: &from, forward_path: &to, srs, screen: ScreenFacts::CLEAR }, site)
}

/// Where mail of a stranger ends: each address with how it is sent.
fn ends(to: &str) -> Vec<(String, SentAs)> {
    let verdict = taking(&rewriting(), "x@rich.example", to, None).verdict().unwrap();
    let permit = verdict.disposition.accepted().unwrap_or_else(|| panic!("{to}: {}", verdict.reason));
    permit.expansion().iter().map(|end| (end.mailbox.to_string(), end.sent_as.clone())).collect()
}

fn departing(from: &str, to: &str, sent_as: &SentAs) -> (Reason, Option<Hop>) {
    let (from, to) = (ReversePath::parse(from).unwrap(), mailbox(to));
    let verdict = route(&RouteFacts { reverse_path: &from, recipient: &to, sent_as }, &rewriting()).verdict().unwrap();
    (verdict.reason, verdict.disposition.accepted())
}

fn by(forwarder: &str, srs: bool) -> SentAs {
    SentAs::Forwarder { by: mailbox(forwarder), srs }
}

#[test]
fn a_forward_may_keep_a_copy_and_leaves_in_the_name_of_the_site() {
    let carol = by("carol@example.com", true);
    let expected = [("carol+x@example.com".to_owned(), SentAs::Sender), ("carol@elsewhere.example".to_owned(), carol.clone())];
    assert_eq!(ends("carol+x@example.com"), expected);
    assert_eq!(ends("dave@example.com"), [("dave@elsewhere.example".to_owned(), by("dave@example.com", false))]);
    let sender = |from: &str, sent_as: &SentAs| departing(from, "carol@elsewhere.example", sent_as).1.unwrap().sender;
    assert_eq!(sender("x@rich.example", &carol), Departure::Srs);
    assert_eq!(sender("x@rich.example", &by("dave@example.com", false)), Departure::Unchanged);
    assert_eq!(sender("", &carol), Departure::Unchanged, "the null path stays null");
    assert_eq!(sender("bob@example.com", &carol), Departure::Unchanged, "the site's own record covers it");
    assert_eq!(sender("bob@alias.example", &carol), Departure::Unchanged);
    assert_eq!(sender("bob@parked.example", &carol), Departure::Srs, "a parked domain's record covers nothing");
    let (reason, hop) = departing("x@rich.example", "carol@example.com", &SentAs::Sender);
    assert_eq!((reason, hop.unwrap().mailbox), (Reason::LocalDelivery, mailbox("carol@example.com")));
    assert_eq!(departing("", "dave@example.com", &SentAs::Sender).0, Reason::MailboxGone, "dave has no mailbox");
}

#[test]
fn routes_by_sender_see_the_sender_that_the_mail_leaves_with() {
    let way = |sent_as: &SentAs| departing("x@rich.example", "c@elsewhere.example", sent_as).1.unwrap().destination.to_string();
    assert_eq!(way(&by("carol@example.com", true)), "relay:up", "the route from=example.com");
    assert_eq!(way(&SentAs::Sender), "mx:elsewhere.example");
}

#[test]
fn mail_through_an_alias_with_an_owner_is_the_owners() {
    let owner = SentAs::Owner(mailbox("owner-club@example.com"));
    let expected = ["bob@example.com", "zoe@elsewhere.example", "dave@elsewhere.example"];
    assert_eq!(ends("club@example.com"), expected.map(|end| (end.to_owned(), owner.clone())));
    assert_eq!(ends("owner-club@example.com"), [("alice@example.com".to_owned(), SentAs::Sender)]);
    for to in ["bob@example.com", "zoe@elsewhere.example"] {
        assert_eq!(departing("x@rich.example", to, &owner).1.unwrap().sender, Departure::As(mailbox("owner-club@example.com")));
        assert_eq!(departing("", to, &owner).1.unwrap().sender, Departure::Unchanged, "the null path stays null");
    }
}

#[test]
fn a_list_has_its_addresses_with_their_details() {
    for to in ["dev@example.com", "dev-bounces+bob=rich.example@example.com", "dev-bounces@alias.example"] {
        assert_eq!(ends(to), [(to.to_owned(), SentAs::Sender)]);
        let (reason, hop) = departing("x@rich.example", to, &SentAs::Sender);
        let hop = hop.unwrap();
        assert_eq!((reason, hop.destination.to_string()), (Reason::LocalDelivery, "discard:manager".to_owned()));
        assert_eq!(hop.mailbox.to_string(), to.replace("alias.example", "example.com"));
    }
    let mut memory = rewriting();
    let mut entry = (*memory.domains[&domain("example.com")]).clone();
    entry.delimiter = Some('-');
    memory.domains.insert(domain("example.com"), Arc::new(entry));
    let taken = taking(&memory, "", "dev-bounces+x@example.com", None).verdict().unwrap();
    assert_eq!(taken.reason, Reason::LocalRecipient, "a plus is the list manager's, whatever divides users here");
}

#[test]
fn bounces_of_forwarded_mail_come_back_and_nothing_else_does() {
    let site = rewriting();
    let to = "SRS0=HASH=AA=rich.example=boss@example.com";
    assert_eq!(taking(&site, "", to, None), Answer::Need(Need::Srs(mailbox(to))));
    let good = SrsFact::parse("good", &mailbox(to)).unwrap();
    for (from, fact, reason) in [
        ("", &good, Reason::BounceReturned),
        ("MAILER-DAEMON@far.example", &good, Reason::BounceReturned),
        ("x@far.example", &good, Reason::SrsNotBounce),
        ("", &SrsFact::Forged, Reason::SrsInvalid),
        ("", &SrsFact::Expired, Reason::SrsExpired),
        ("", &SrsFact::Unknown, Reason::SrsUnknown),
    ] {
        let verdict = taking(&site, from, to, Some(fact)).verdict().unwrap();
        assert_eq!(verdict.reason, reason, "{from} {fact:?}");
        if let Some(permit) = verdict.disposition.accepted() {
            assert_eq!(permit.expansion(), [End::from(mailbox("boss@rich.example"))]);
        }
    }
    let elsewhere = "SRS0=HASH=AA=rich.example=boss@alias.example";
    assert_eq!(taking(&site, "", elsewhere, None).verdict().unwrap().reason, Reason::UnknownMailbox, "another domain is no such");
}

#[test]
fn a_message_that_was_forwarded_by_the_same_address_goes_in_a_circle() {
    let permit = taking(&rewriting(), "", "carol@example.com", None).verdict().unwrap().disposition.accepted().unwrap();
    let seen = |text: &str| forwarding_loop(&[&permit], &[mailbox("z@example.com"), mailbox(text)]).is_some();
    assert!(seen("Carol@example.com") && !seen("dave@example.com"));
}

#[test]
fn recipients_are_rewritten_before_they_are_looked_up() {
    assert_eq!(ends("retired+x@example.com"), [("alice+x@example.com".to_owned(), SentAs::Sender)]);
    assert_eq!(ends("away@example.com"), [("away@elsewhere.example".to_owned(), SentAs::Sender)], "as an alias would");
    let site = rewriting();
    let refused = |to: &str| taking(&site, "", to, None).verdict().unwrap().reason;
    assert_eq!(refused("bob@old.example"), Reason::RelayDenied, "the given domain is none of ours, whatever it turns into");
    let user = RecipientFacts {
        client: client("submission", "198.51.100.1", Some("alice")),
        reverse_path: &ReversePath::Null,
        forward_path: &ForwardPath::parse("bob@old.example").unwrap(),
        srs: None,
        screen: ScreenFacts::CLEAR,
    };
    let permit = accept(&user, &site).verdict().unwrap().disposition.accepted().unwrap();
    assert_eq!(permit.expansion(), [End::from(mailbox("bob@example.com"))]);
}

#[test]
fn each_step_acts_once_and_in_order() {
    let memory = rewriting();
    let site = &memory.site;
    let user = client("submission", "198.51.100.1", Some("alice"));
    let arrives = |client, from: &str| {
        let path = ReversePath::parse(from).unwrap();
        rewrite::reverse_path(client, &path, site, &mut Trace::default()).to_string()
    };
    assert_eq!(arrives(user, "webuser@example.com"), "noreply@example.com");
    assert_eq!(arrives(user, "webuser+a@example.com"), "noreply+a@example.com");
    assert_eq!(arrives(stranger(), "webuser@example.com"), "webuser@example.com", "said of submission alone");
    assert_eq!(arrives(user, "webuser@old.example"), "webuser@example.com", "what a step has made it does not look at again");
    assert_eq!(arrives(user, "bob@host.example.com"), "bob@example.com");
    assert_eq!(arrives(user, "Root@host.example.com"), "Root@host.example.com");
    assert_eq!(arrives(user, "bob@host.lists.example.com"), "bob@host.lists.example.com");
    assert_eq!(arrives(user, ""), "");
    let header = |slot, address: &str| {
        rewrite::header(user, &mailbox(address), slot, site, &mut Trace::default()).map(|found| found.to_string())
    };
    assert_eq!(header(Slot::From, "webuser@example.com").as_deref(), Some("noreply@example.com"));
    assert_eq!(header(Slot::Recipients, "webuser@example.com"), None);
    assert_eq!(header(Slot::Recipients, "retired@example.com").as_deref(), Some("alice@example.com"));
    assert_eq!(header(Slot::Recipients, "bob@host.example.com").as_deref(), Some("bob@example.com"));
    assert_eq!(header(Slot::EnvelopeRecipient, "bob@host.example.com"), None, "envelope recipients keep their host");
}

#[test]
fn what_leaves_is_rewritten_last_and_what_stays_is_not() {
    let (_, hop) = departing("alice@example.com", "zoe@elsewhere.example", &SentAs::Sender);
    let hop = hop.unwrap();
    assert_eq!(hop.destination.to_string(), "relay:up", "the route goes by what the site calls her");
    assert_eq!(hop.sender, Departure::As(mailbox("alice.smith@public.example")));
    let (_, hop) = departing("alice@example.com", "bob@example.com", &SentAs::Sender);
    assert_eq!(hop.unwrap().sender, Departure::Unchanged);
}

#[test]
fn an_archive_gets_what_it_is_for_and_no_second_copy() {
    let memory = rewriting();
    let permit = |to: &str| {
        let user = client("submission", "198.51.100.1", Some("alice"));
        let to = ForwardPath::parse(to).unwrap();
        let facts = RecipientFacts {
            client: user,
            reverse_path: &ReversePath::Null,
            forward_path: &to,
            srs: None,
            screen: ScreenFacts::CLEAR,
        };
        accept(&facts, &memory).verdict().unwrap().disposition.accepted().unwrap()
    };
    let copies = |from: &str, to: &str| {
        let (from, permit) = (ReversePath::parse(from).unwrap(), permit(to));
        let found = rewrite::archives(&from, &[&permit], &memory, &mut Trace::default()).unwrap();
        found.iter().map(|permit| permit.recipient().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(copies("boss@rich.example", "alice@example.com"), ["bob@example.com"]);
    assert_eq!(copies("x@rich.example", "alice@example.com"), Vec::<String>::new());
    assert_eq!(copies("", "alice@example.com"), Vec::<String>::new());
    assert_eq!(copies("boss@rich.example", "bob@example.com"), Vec::<String>::new(), "bob has it already");
    assert_eq!(copies("x@rich.example", "y@a.old.example"), ["bob@example.com"]);
}
