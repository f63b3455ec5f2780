//! A small site in memory, and what it must decide.

use super::*;
use crate::name::{Domain, ForwardPath, LocalPart, Mailbox, ReversePath};
use crate::site::*;
use proptest::prelude::*;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// A [`Lookup`] over maps; `broken` makes every look-up fail.
struct Memory {
    site: Site,
    domains: HashMap<Domain, Arc<DomainEntry>>,
    addresses: HashMap<(Domain, String), AddressEntry>,
    broken: bool,
}

impl Lookup for Memory {
    fn site(&self) -> &Site {
        &self.site
    }
    fn domain(&self, name: &Domain) -> Result<Option<Arc<DomainEntry>>, LookupFailed> {
        if self.broken { Err(LookupFailed("broken".into())) } else { Ok(self.domains.get(name).cloned()) }
    }
    fn address(&self, domain: &Domain, local: &str) -> Result<Option<AddressEntry>, LookupFailed> {
        Ok(self.addresses.get(&(domain.clone(), local.to_owned())).cloned())
    }
}

fn at(line: u32) -> Origin {
    Origin { file: 0, line }
}

fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

fn mailbox(text: &str) -> Mailbox {
    Mailbox::parse(text).unwrap()
}

fn listener(name: &str, kind: ListenerKind) -> Listener {
    Listener {
        name: name.into(),
        kind,
        addresses: vec!["0.0.0.0".parse().unwrap()],
        port: kind.default_port(),
        socket: None,
        peers: None,
        proxy_from: None,
        xclient_from: None,
        origin: at(2),
    }
}

fn entry(name: &str, class: DomainClass) -> (Domain, Arc<DomainEntry>) {
    let entry = DomainEntry {
        name: domain(name),
        class,
        transport: "store".into(),
        catch_all: None,
        delimiter: Some('+'),
        patterns: vec![Pattern::new("^sales-(\\w+)$", "alice+{1}@example.com", at(11)).unwrap()],
        signers: Vec::new(),
        publication: Default::default(),
        origin: at(10),
    };
    (domain(name), Arc::new(entry))
}

/// example.com with alice, bob, team (both and one outside), loop; alias.example is example.com; parked.example is parked.
fn users() -> Vec<UserStore> {
    vec![UserStore {
        name: "staff".into(),
        backend: UserBackend::Passwd(SecretName::parse("users").unwrap()),
        messages: None,
        new_recipients: None,
        send_as: vec![SendAs { user: "bob".into(), mailboxes: vec![mailbox("Sales@example.com")], origin: at(5) }],
        origin: at(5),
    }]
}

fn networks() -> Vec<Network> {
    vec![
        Network {
            name: "office".into(),
            ranges: vec!["192.0.2.0/24".parse().unwrap()],
            certificates: vec![Fingerprint([7; 32])],
            relay: true,
            exempt: Vec::new(),
            mends_line_ends: false,
            reason: "".into(),
            origin: at(3),
        },
        Network {
            name: "guests".into(),
            ranges: vec!["192.0.2.128/25".parse().unwrap()],
            certificates: Vec::new(),
            relay: false,
            exempt: vec![Check::Dnsbl, Check::Spf],
            mends_line_ends: false,
            reason: "".into(),
            origin: at(4),
        },
    ]
}

fn site() -> Memory {
    let site = Site {
        sources: Sources(vec!["site.kdl".into()]),
        hostname: domain("mail.example.com"),
        origin_domain: domain("example.com"),
        postmaster: mailbox("alice@example.com"),
        postmaster_origin: at(1),
        notices: crate::site::Notices::default(),
        addresses: vec![],
        listeners: vec![
            listener("mx", ListenerKind::Mx),
            listener("submission", ListenerKind::Submission),
            listener("back", ListenerKind::Reinject),
        ],
        web: None,
        networks: networks(),
        users: users(),
        transports: vec![Transport {
            name: "store".into(),
            kind: TransportKind::Maildir { path: "mail/{domain}/{user}".into() },
            origin: Origin::DEFAULT,
        }],
        relays: vec![Relay {
            name: "up".into(),
            host: crate::name::HostName::parse("relay.example.net").unwrap(),
            port: 587,
            tls: TlsLevel::Verify,
            login: None,
            rate: None,
            backup: None,
            spf_includes: Vec::new(),
            signs_dkim: false,
            origin: at(6),
        }],
        routes: vec![
            Route {
                to: RoutePattern::Below(domain("direct.example")),
                from: RoutePattern::Any,
                via: Via::Direct,
                tls: Some(TlsLevel::Encrypt),
                from_address: FromAddress::NONE,
                origin: at(7),
            },
            Route {
                to: RoutePattern::Any,
                from: RoutePattern::Domain(domain("example.com")),
                via: Via::Relay("up".into()),
                tls: Some(TlsLevel::May),
                from_address: FromAddress::NONE,
                origin: at(8),
            },
        ],
        receivers: Vec::new(),
        tls: TlsPolicy { certificates: vec![], self_signed: true, acme: None, minimum: TlsVersion::default(), origin: at(9) },
        screen: Screen { require_sender_domain: Some(at(9)), ..Screen::default() },
        arc: Default::default(),
        headers: Vec::new(),
        rewriting: Rewriting::default(),
        queue: QueuePolicy::default(),
        limits: Limits::default(),
        logging: Logging::default(),
        resolver: None,
        metrics: None,
        reports: Reports::default(),
    };
    let keep = AddressKind::Mailbox { quota_octets: None };
    let alias =
        |targets: &[&str]| AddressKind::Alias(targets.iter().map(|target| Forward { mailbox: mailbox(target) }).collect());
    let addresses = [
        ("alice", keep.clone()),
        ("bob", keep),
        ("team", alias(&["alice@example.com", "bob@example.com", "ALICE@example.com", "carol@elsewhere.example"])),
        ("loop", alias(&["loop@example.com"])),
    ];
    Memory {
        site,
        domains: [
            entry("example.com", DomainClass::Local),
            entry("alias.example", DomainClass::AliasOf(domain("example.com"))),
            entry("parked.example", DomainClass::Parked),
        ]
        .into(),
        addresses: addresses
            .into_iter()
            .map(|(local, kind)| ((domain("example.com"), local.to_owned()), AddressEntry { kind, origin: at(20) }))
            .collect(),
        broken: false,
    }
}

fn client<'a>(listener: &'a str, address: &str, user: Option<&'a str>) -> Client<'a> {
    Client { listener, address: address.parse().unwrap(), user, certificate: &[] }
}

fn accepting(site: &Memory, client: Client<'_>, to: &str) -> Verdict<RelayPermit> {
    let from = ReversePath::parse("alice@example.com").unwrap();
    let to = ForwardPath::parse(to).unwrap();
    accept(&RecipientFacts { client, reverse_path: &from, forward_path: &to, screen: ScreenFacts::CLEAR, srs: None }, site)
        .verdict()
        .unwrap()
}

#[test]
fn recipients_by_client_and_class() {
    let site = site();
    let stranger = client("mx", "198.51.100.1", None);
    let office = client("mx", "192.0.2.5", None);
    let guest = client("mx", "192.0.2.200", None);
    let alice = client("submission", "198.51.100.1", Some("alice"));
    for (client, to, reason) in [
        (stranger, "alice@example.com", Reason::LocalRecipient),
        (stranger, "ALICE+list@EXAMPLE.com", Reason::LocalRecipient),
        (stranger, "sales-eu@example.com", Reason::LocalRecipient),
        (stranger, "bob@alias.example", Reason::LocalRecipient),
        (stranger, "postmaster", Reason::LocalRecipient),
        (stranger, "postmaster@alias.example", Reason::LocalRecipient),
        (stranger, "nobody@example.com", Reason::UnknownMailbox),
        (stranger, "\"alice \"@example.com", Reason::UnknownMailbox),
        (stranger, "x@parked.example", Reason::NullMxDomain),
        (stranger, "x@elsewhere.example", Reason::RelayDenied),
        (stranger, "x@[192.0.2.9]", Reason::RelayDenied),
        (stranger, "\"x@elsewhere.example\"@example.com", Reason::UnknownMailbox),
        (stranger, "x%elsewhere.example@example.com", Reason::UnknownMailbox),
        (stranger, "loop@example.com", Reason::ExpansionTooLarge),
        (guest, "x@elsewhere.example", Reason::RelayDenied),
        (office, "x@elsewhere.example", Reason::TrustedNetwork),
        (alice, "x@elsewhere.example", Reason::AuthenticatedRelay),
        (client("submission", "192.0.2.5", None), "alice@example.com", Reason::AuthenticationRequired),
        (client("gone", "192.0.2.5", None), "alice@example.com", Reason::LookupFailed),
    ] {
        assert_eq!(accepting(&site, client, to).reason, reason, "{to} from {}", client.address);
    }
}

#[test]
fn an_alias_expands_to_each_address_once() {
    let verdict = accepting(&site(), client("mx", "198.51.100.1", None), "team@example.com");
    let permit = verdict.disposition.accepted().unwrap();
    let expansion: Vec<String> = permit.expansion().iter().map(|end| end.mailbox.to_string()).collect();
    assert_eq!(expansion, ["alice@example.com", "bob@example.com", "carol@elsewhere.example"]);
    assert_eq!(permit.recipient(), &mailbox("team@example.com"));
    assert_eq!(verdict.trace.steps()[2].describe(&site().site.sources), "domain example.com is of class local  (site.kdl:10)");
}

#[test]
fn a_broken_store_is_never_a_yes() {
    let site = Memory { broken: true, ..site() };
    for (client, to) in [
        (client("mx", "198.51.100.1", None), "alice@example.com"),
        (client("mx", "192.0.2.5", None), "x@elsewhere.example"),
        (client("submission", "192.0.2.5", Some("alice")), "x@elsewhere.example"),
    ] {
        let verdict = accepting(&site, client, to);
        assert_eq!((verdict.reason, verdict.disposition.as_str()), (Reason::LookupFailed, "defer"), "{to}");
    }
}

fn sending(client: Client<'_>, from: &str, found: Option<SenderDomain>) -> Answer<()> {
    let from = ReversePath::parse(from).unwrap();
    sender(&SenderFacts { client, is_tls: true, reverse_path: &from, sender_domain: found, spf: None }, &site())
}

#[test]
fn senders_of_users() {
    let user = |name| client("submission", "198.51.100.1", Some(name));
    for (name, from, reason) in [
        ("alice", "alice@example.com", Reason::SenderAccepted),
        ("alice", "Alice+tag@Example.com", Reason::SenderAccepted),
        ("alice@example.com", "alice@example.com", Reason::SenderAccepted),
        ("alice", "", Reason::SenderAccepted),
        ("alice", "bob@example.com", Reason::SenderNotOwned),
        ("alice", "alice@elsewhere.example", Reason::SenderNotOwned),
        ("alice", "alice@alias.example", Reason::SenderNotOwned),
        ("alice", "team@example.com", Reason::SenderNotOwned),
        ("alice@elsewhere.example", "alice@example.com", Reason::SenderNotOwned),
        ("bob", "sales@example.com", Reason::SenderAccepted),
        ("alice", "sales@example.com", Reason::SenderNotOwned),
    ] {
        assert_eq!(sending(user(name), from, None).verdict().unwrap().reason, reason, "{name} as {from}");
    }
    let nobody = sending(client("submission", "192.0.2.5", None), "alice@example.com", None);
    assert_eq!(nobody.verdict().unwrap().reason, Reason::AuthenticationRequired);
}

#[test]
fn the_senders_domain_is_asked_for_only_when_it_matters() {
    let stranger = client("mx", "198.51.100.1", None);
    let from = "x@elsewhere.example";
    assert_eq!(sending(stranger, from, None), Answer::Need(Need::SenderDomain(domain("elsewhere.example"))));
    for (found, reason) in [
        (SenderDomain::Found, Reason::SenderAccepted),
        (SenderDomain::Nonexistent, Reason::SenderDomainNonexistent),
        (SenderDomain::NullMx, Reason::SenderDomainNullMx),
        (SenderDomain::Failed, Reason::SenderDomainUnknown),
    ] {
        assert_eq!(sending(stranger, from, Some(found)).verdict().unwrap().reason, reason);
    }
    for (client, from) in [(stranger, ""), (stranger, "alice@example.com"), (client("mx", "192.0.2.5", None), from)] {
        assert_eq!(sending(client, from, None).verdict().unwrap().reason, Reason::SenderAccepted, "{from}");
    }
}

#[test]
fn routes() {
    let hop = |from: &str, to: &str| {
        let facts =
            RouteFacts { reverse_path: &ReversePath::parse(from).unwrap(), recipient: &mailbox(to), sent_as: &SentAs::Sender };
        let verdict = route(&facts, &site()).verdict().unwrap();
        (verdict.reason, verdict.disposition.accepted().map(|hop| format!("{} {}", hop.destination, hop.mailbox)))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(hop("", "bob+x@alias.example"), (Reason::LocalDelivery, some("maildir:store bob@example.com")));
    assert_eq!(hop("", "x@a.direct.example"), (Reason::Routed, some("mx:a.direct.example x@a.direct.example")));
    assert_eq!(hop("", "x@direct.example"), (Reason::NoRoute, None));
    assert_eq!(hop("alice@example.com", "x@direct.example"), (Reason::Routed, some("relay:up x@direct.example")));
    assert_eq!(hop("", "nobody@example.com"), (Reason::MailboxGone, None));
    let facts = RouteFacts {
        reverse_path: &ReversePath::parse("a@example.com").unwrap(),
        recipient: &mailbox("x@y.example"),
        sent_as: &SentAs::Sender,
    };
    let hop = route(&facts, &site()).verdict().unwrap().disposition.accepted().unwrap();
    assert_eq!(
        hop.destination,
        Destination::Relay { name: "up".into(), tls: TlsLevel::Verify, from_address: FromAddress::NONE },
        "a route lowers no relay's level"
    );
}

#[test]
fn every_reason_has_a_name_of_its_own() {
    for reason in Reason::ALL {
        assert_eq!(Reason::parse(reason.as_str()), Some(*reason));
    }
}

proptest! {
    /// Whatever the recipient looks like: without a login and outside the networks that may relay, an accepted recipient
    /// is in a domain of the site.
    #[test]
    fn nobody_relays_by_an_odd_address(
        local in "\\PC{1,20}", host in "[a-z.\\[\\]:0-9%@!]{1,30}|example\\.com|alias\\.example", last in any::<u8>(),
    ) {
        let site = site();
        let Ok(local) = LocalPart::from_content(&local) else { return Ok(()) };
        let Ok(host) = crate::name::HostName::parse(&host) else { return Ok(()) };
        let to = Mailbox::new(local, host);
        let address = IpAddr::from([198, 51, 100, last]);
        let from = ReversePath::Null;
        let facts = RecipientFacts {
            client: Client { listener: "mx", address, user: None, certificate: &[] },
            reverse_path: &from,
            forward_path: &ForwardPath::Mailbox(to.clone()),
            screen: ScreenFacts::CLEAR,
            srs: None,
        };
        let verdict = accept(&facts, &site).verdict().unwrap();
        if verdict.disposition.accepted().is_some() {
            prop_assert!(to.domain().is_some_and(|domain| site.domains.contains_key(domain)), "{to}");
        }
    }
}

mod authentication;
mod relayed;

#[test]
fn whoever_holds_a_named_certificate_relays_from_anywhere() {
    let site = site();
    let stranger = client("mx", "198.51.100.9", None);
    let shown = [Fingerprint([7; 32])];
    for (client, reason) in [
        (stranger, Reason::RelayDenied),
        (Client { certificate: &[Fingerprint([8; 32])], ..stranger }, Reason::RelayDenied),
        (Client { certificate: &shown, ..stranger }, Reason::TrustedCertificate),
        (Client { certificate: &shown, listener: "submission", ..stranger }, Reason::AuthenticationRequired),
    ] {
        assert_eq!(rcpt(client, "x@direct.example.sub.direct.example", &site), reason);
    }
}

#[test]
fn a_filter_gives_back_what_it_was_given_and_nobody_else_does() {
    let site = site();
    let filter = client("back", "127.0.0.1", None);
    assert_eq!(rcpt(filter, "x@sub.direct.example", &site), Reason::TrustedPeer);
    assert_eq!(rcpt(filter, "alice@example.com", &site), Reason::LocalRecipient);
    assert_eq!(rcpt(filter, "nobody@example.com", &site), Reason::UnknownMailbox);
    // Not even a network that may relay.
    for address in ["192.0.2.1", "198.51.100.9"] {
        let client = client("back", address, None);
        assert_eq!(rcpt(client, "alice@example.com", &site), Reason::PeerNotListed);
        assert!(!client.is_admitted(&site.site) && filter.is_admitted(&site.site));
    }
}

fn rcpt(client: Client<'_>, to: &str, site: &Memory) -> Reason {
    let forward_path = ForwardPath::Mailbox(mailbox(to));
    let facts = RecipientFacts {
        client,
        reverse_path: &ReversePath::Null,
        forward_path: &forward_path,
        srs: None,
        screen: ScreenFacts::CLEAR,
    };
    accept(&facts, site).verdict().unwrap().reason
}

mod rewritten;
mod screened;
