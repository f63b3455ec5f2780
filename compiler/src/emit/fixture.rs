//! A hand-made site for the tests of this folder: every kind of entry once, nothing that needs a parser.

use crate::model::Model;
use crate::source::Sources;
use postern_schema::name::{Domain, HostName, LocalPart, Mailbox};
use postern_schema::site::{
    AddressEntry, AddressKind, ArcPolicy, Archive, Archived, Certificate, Chain, Check, ClientLimit, ClientList, Codes,
    DmarcReaction, DomainClass, DomainEntry, Fingerprint, Forward, FromAddress, Greylist, HeaderChange, HeaderEdit, LimitPer,
    Limited, Limits, Listener, ListenerKind, Logging, Login, Masquerade, Metrics, Network, NoticeClass, Notices, Origin, Pattern,
    Place, Quarantine, QueuePolicy, Rate, Reaction, Receiver, Relay, Reporter, Reports, Reputation, Rewrite, Rewriting, Route,
    RoutePattern, Screen, SecretName, SendAs, Service, Site, Srs, Stage, TlsLevel, TlsPolicy, TlsVersion, Transport,
    TransportKind, UserBackend, UserStore, Via, Whose,
};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub fn domain(text: &str) -> Domain {
    Domain::parse(text).expect("a domain")
}

pub fn mailbox(text: &str) -> Mailbox {
    Mailbox::parse(text).expect("a mailbox")
}

fn line(line: u32) -> Origin {
    Origin { file: 0, line }
}

/// The files that [`model`] claims to come from.
pub fn sources() -> Sources {
    let mut sources = Sources::new(Path::new("/srv/site"));
    sources.add("site.kdl", "site \"mail.example.com\"\n".to_owned()).expect("room for one source");
    sources
}

/// Adds an address to a model.
pub fn declare(model: &mut Model, domain: &Domain, local: &str, entry: &AddressEntry) {
    let local = LocalPart::from_content(local).expect("a local part");
    Arc::make_mut(&mut model.addresses).insert(domain, &local, entry);
}

pub fn model() -> Model {
    let mut model = Model { site: site(), domains: Default::default(), addresses: Default::default() };
    let add = |model: &mut Model, name: &str, class: DomainClass, at: u32| {
        let patterns = match class {
            DomainClass::Local => vec![Pattern::new("^sales-(\\w+)$", "sales+{1}@example.com", line(14)).expect("a pattern")],
            _ => Vec::new(),
        };
        let entry = DomainEntry {
            name: domain(name),
            class,
            transport: "store".into(),
            catch_all: None,
            delimiter: Some('+'),
            patterns,
            signers: Vec::new(),
            publication: Default::default(),
            origin: line(at),
        };
        model.domains.insert(domain(name), Arc::new(entry));
    };
    add(&mut model, "example.com", DomainClass::Local, 10);
    add(&mut model, "shop.example", DomainClass::AliasOf(domain("example.com")), 16);
    add(&mut model, "example.net", DomainClass::Parked, 17);
    let here = domain("example.com");
    for (at, name) in [(11, "alice"), (12, "bob")] {
        let entry = AddressEntry { kind: AddressKind::Mailbox { quota_octets: None }, origin: line(at) };
        declare(&mut model, &here, name, &entry);
    }
    let targets = ["alice@example.com", "bob@example.com"].map(|to| Forward { mailbox: mailbox(to) });
    let info = AddressEntry { kind: AddressKind::Alias(targets.into()), origin: line(13) };
    declare(&mut model, &here, "info", &info);
    let targets = vec![Forward { mailbox: mailbox("dave@elsewhere.example") }];
    let dave = AddressEntry { kind: AddressKind::Forward { targets, srs: true, keep_copy: true }, origin: line(14) };
    declare(&mut model, &here, "dave", &dave);
    let dev = AddressEntry { kind: AddressKind::List { transport: "manager".into() }, origin: line(15) };
    declare(&mut model, &here, "dev", &dev);
    model
}

fn users() -> Vec<UserStore> {
    vec![UserStore {
        name: "staff".into(),
        backend: UserBackend::Dovecot("/run/dovecot/auth-client".into()),
        messages: Some(Rate { count: 100, per: Duration::from_secs(3600) }),
        new_recipients: None,
        send_as: vec![SendAs { user: "alice".into(), mailboxes: vec![mailbox("sales@example.com")], origin: line(7) }],
        origin: line(6),
    }]
}

fn screen() -> Screen {
    Screen {
        require_sender_domain: Some(line(18)),
        spf_fail: Some((Reaction::Reject, line(18))),
        received_spf: true,
        dmarc: Some((DmarcReaction::Always(Reaction::Quarantine), line(18))),
        partial_body: true,
        quarantine: (Quarantine::To(mailbox("spam@example.com")), line(18)),
        greet_wait: Some((Duration::from_secs(6), line(19))),
        early_talker: Reaction::Log,
        require_fqdn_helo: Some(line(18)),
        require_resolvable_helo: Some(line(18)),
        lists: vec![
            ClientList {
                zone: domain("bl.example"),
                weight: 3,
                codes: Codes::parse("127.0.0.2-11").expect("codes"),
                origin: line(21),
            },
            ClientList { zone: domain("wl.example"), weight: -2, codes: Codes::default(), origin: line(22) },
        ],
        threshold: (3, line(23)),
        greylist: Some(Greylist { origin: line(24), ..Greylist::default() }),
        reputation: Some(Reputation { halflife: Duration::from_secs(3600), limit: 20, origin: line(25) }),
        limits: vec![
            ClientLimit::CONNECTIONS,
            ClientLimit {
                what: Limited::NewConnections(Rate { count: 300, per: Duration::from_secs(60) }),
                per: LimitPer::Ip,
                origin: line(19),
            },
            ClientLimit {
                what: Limited::Messages(Rate { count: 60, per: Duration::from_secs(60) }),
                per: LimitPer::Network,
                origin: line(20),
            },
        ],
    }
}

fn networks() -> Vec<Network> {
    vec![Network {
        name: "loopback".into(),
        ranges: vec!["127.0.0.0/8".parse().expect("a range")],
        certificates: vec![Fingerprint([7; 32])],
        mends_line_ends: true,
        relay: true,
        exempt: vec![Check::Greylist, Check::Dnsbl],
        reason: "this host".into(),
        origin: line(5),
    }]
}

/// One of each kind.
fn rewriting() -> Rewriting {
    let domain = |name: &str| Domain::parse(name).unwrap();
    let mailbox = |text: &str| Mailbox::parse(text).unwrap();
    let (old, new) = (Whose::Domain(domain("old.example")), Whose::Mailbox(mailbox("alice@example.com")));
    let rewrites = Place::ALL.into_iter().zip([Stage::Egress, Stage::Arrival(Service::Mx)].into_iter().cycle());
    let rewrite = |(place, at)| Rewrite {
        place,
        from: old.clone(),
        to: new.clone(),
        at,
        delimiter: (at == Stage::Egress).then_some('+'),
        origin: line(30),
    };
    let archive = |when| Archive { to: mailbox("keep@example.com"), when, origin: line(31) };
    Rewriting {
        rewrites: rewrites.map(rewrite).collect(),
        masquerades: vec![Masquerade {
            domain: domain("example.com"),
            except: vec![LocalPart::from_content("root").unwrap()],
            kept: vec![domain("lists.example.com")],
            origin: line(32),
        }],
        archives: [Archived::All]
            .into_iter()
            .chain(["from:.example.org", "to:a@example.com"].map(|text| Archived::parse(text).unwrap()))
            .map(archive)
            .collect(),
        srs: Some(Srs { domain: domain("example.com"), secret: SecretName::parse("srs").unwrap(), origin: line(33) }),
    }
}

fn site() -> Site {
    let listener = |kind: ListenerKind, at: u32| Listener {
        name: kind.as_str().into(),
        kind,
        addresses: vec!["0.0.0.0".parse().expect("an address"), "::".parse().expect("an address")],
        port: kind.default_port(),
        socket: None,
        peers: kind.is_for_peers().then(|| "10.9.1.0/24".parse().expect("a range")),
        proxy_from: (kind == ListenerKind::Mx).then(|| "10.9.0.0/24".parse().expect("a range")),
        xclient_from: None,
        origin: line(at),
    };
    let listeners = [(ListenerKind::Mx, 3), (ListenerKind::Submission, 4), (ListenerKind::Reinject, 4)];
    let secret = |name: &str| SecretName::parse(name).expect("a secret name");
    Site {
        sources: sources().to_site(),
        hostname: domain("mail.example.com"),
        origin_domain: domain("example.com"),
        postmaster: mailbox("alice@example.com"),
        postmaster_origin: line(2),
        notices: Notices { classes: vec![NoticeClass::DoubleBounce, NoticeClass::Policy], origin: line(2) },
        addresses: vec!["203.0.113.25".parse().expect("an address"), "2001:db8::25".parse().expect("an address")],
        listeners: listeners.map(|(kind, at)| listener(kind, at)).into(),
        web: None,
        networks: networks(),
        users: users(),
        transports: vec![Transport {
            name: "store".into(),
            kind: TransportKind::Maildir { path: "mail/{domain}/{user}".into() },
            origin: Origin::DEFAULT,
        }],
        relays: vec![Relay {
            name: "smarthost".into(),
            host: HostName::Domain(domain("smtp.provider.example")),
            port: 587,
            tls: TlsLevel::Verify,
            login: Some(Login { user: "postern".into(), secret: secret("smarthost"), bearer: true }),
            rate: Some(Rate { count: 14, per: Duration::from_secs(1) }),
            backup: None,
            spf_includes: Vec::new(),
            signs_dkim: false,
            origin: line(8),
        }],
        routes: vec![Route {
            to: RoutePattern::Any,
            from: RoutePattern::Any,
            via: Via::Relay("smarthost".into()),
            tls: None,
            from_address: FromAddress::NONE,
            origin: line(9),
        }],
        receivers: vec![Receiver {
            domain: domain("big.example"),
            concurrency: Some(10),
            rate: None,
            pause_after_defer: Some(Duration::from_secs(30)),
            origin: line(10),
        }],
        tls: TlsPolicy {
            certificates: vec![Certificate {
                name: domain("mail.example.com"),
                chain: Chain::Credential(secret("tls-chain")),
                key: secret("tls-key"),
                origin: line(15),
            }],
            self_signed: false,
            acme: None,
            minimum: TlsVersion::Tls13,
            origin: line(15),
        },
        screen: screen(),
        arc: ArcPolicy {
            trusted: vec![domain("lists.example")],
            trusted_origin: line(24),
            seal: Some((domain("example.com"), line(25))),
        },
        rewriting: rewriting(),
        headers: vec![HeaderEdit {
            change: HeaderChange::Add("X-Site".into(), "example".into()),
            at: Service::Submission,
            origin: line(22),
        }],
        queue: QueuePolicy::default(),
        limits: Limits::default(),
        logging: Logging::default(),
        metrics: Some(Metrics { listen: "127.0.0.1:9100".parse().expect("it is an address"), origin: line(19) }),
        resolver: Some("127.0.0.1:53".parse().expect("it is an address")),
        reports: reports(),
    }
}

fn reports() -> Reports {
    Reports {
        organization: Some("Example".into()),
        dmarc: Some(Reporter { from: mailbox("reports@example.com"), origin: line(23) }),
        tls: None,
        failure: Some(Reporter { from: mailbox("reports@example.com"), origin: line(23) }),
    }
}
