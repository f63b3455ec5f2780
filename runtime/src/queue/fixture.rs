//! Messages for the tests of the queue. Permits come from `decide::accept`, asked about a site that relays for everybody and
//! has one alias: `team@here.test`, which stands for `ann@example.net` and `ben@example.net`.

use super::envelope::{Attempt, Client, Generation};
use super::id::FreshId;
use super::message::{Accepted, Body};
use postern_schema::decide::{self, Lookup, LookupFailed, RecipientFacts, RelayPermit, ScreenFacts, TlsWish};
use postern_schema::name::{Domain, ForwardPath, Mailbox, ReversePath};
use postern_schema::reply::{Reply, ReplyCode};
use postern_schema::site::{
    AddressEntry, AddressKind, DomainClass, DomainEntry, Fingerprint, Forward, FromAddress, Limits, Listener, ListenerKind,
    Logging, Network, Notices, Origin, QueuePolicy, Reports, Rewriting, Route, RoutePattern, Screen, Site, Sources, TlsPolicy,
    TlsVersion, Via,
};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const ORIGIN: Origin = Origin::DEFAULT;

struct Fixture(Site);

impl Lookup for Fixture {
    fn site(&self) -> &Site {
        &self.0
    }

    fn domain(&self, name: &Domain) -> Result<Option<Arc<DomainEntry>>, LookupFailed> {
        Ok((name.as_str() == "here.test").then(|| {
            Arc::new(DomainEntry {
                name: name.clone(),
                class: DomainClass::Local,
                transport: "store".into(),
                catch_all: None,
                delimiter: None,
                patterns: Vec::new(),
                signers: Vec::new(),
                publication: Default::default(),
                origin: ORIGIN,
            })
        }))
    }

    fn address(&self, _: &Domain, folded_local: &str) -> Result<Option<AddressEntry>, LookupFailed> {
        let targets = ["ann@example.net", "ben@example.net"].map(|target| Forward { mailbox: mailbox(target) });
        Ok((folded_local == "team").then(|| AddressEntry { kind: AddressKind::Alias(targets.into()), origin: ORIGIN }))
    }
}

/// That site.
pub(crate) fn site() -> Site {
    let everybody = ["0.0.0.0/0", "::/0"].map(|range| range.parse().unwrap());
    Site {
        sources: Sources::default(),
        hostname: Domain::parse("mx.here.test").unwrap(),
        origin_domain: Domain::parse("here.test").unwrap(),
        postmaster: mailbox("root@here.test"),
        postmaster_origin: ORIGIN,
        notices: Notices::default(),
        addresses: Vec::new(),
        listeners: vec![Listener {
            name: "mx".into(),
            kind: ListenerKind::Mx,
            addresses: vec![CLIENT],
            port: 0,
            socket: None,
            peers: None,
            proxy_from: None,
            xclient_from: None,
            origin: ORIGIN,
        }],
        web: None,
        networks: vec![Network {
            name: "everybody".into(),
            ranges: everybody.into(),
            certificates: Vec::new(),
            relay: true,
            exempt: Vec::new(),
            mends_line_ends: false,
            reason: "".into(),
            origin: ORIGIN,
        }],
        users: Vec::new(),
        transports: Vec::new(),
        relays: Vec::new(),
        routes: vec![Route {
            to: RoutePattern::Any,
            from: RoutePattern::Any,
            via: Via::Direct,
            tls: None,
            from_address: FromAddress::NONE,
            origin: ORIGIN,
        }],
        receivers: Vec::new(),
        tls: TlsPolicy {
            certificates: Vec::new(),
            self_signed: false,
            acme: None,
            minimum: TlsVersion::default(),
            origin: ORIGIN,
        },
        screen: Screen::default(),
        arc: Default::default(),
        headers: Vec::new(),
        rewriting: Rewriting::default(),
        queue: QueuePolicy::default(),
        limits: Limits::default(),
        logging: Logging::default(),
        resolver: None,
        metrics: None,
        reports: Reports::default(),
    }
}

pub(super) fn mailbox(text: &str) -> Mailbox {
    Mailbox::parse(text).unwrap()
}

pub(super) fn permit(to: &str) -> RelayPermit {
    let client = decide::Client { listener: "mx", address: CLIENT, user: None, certificate: &[] };
    let (reverse_path, forward_path) = (ReversePath::Null, ForwardPath::parse(to).unwrap());
    let facts = RecipientFacts {
        client,
        reverse_path: &reverse_path,
        forward_path: &forward_path,
        screen: ScreenFacts::CLEAR,
        srs: None,
    };
    decide::accept(&facts, &Fixture(site())).verdict().unwrap().disposition.accepted().unwrap()
}

pub(super) fn accepted(id: FreshId, from: &str, to: &[&str], body: impl Into<Body>) -> Accepted {
    Accepted {
        arrival_ms: id.id().millis(),
        id,
        reverse_path: ReversePath::parse(from).unwrap(),
        recipients: to.iter().map(|to| permit(to).into()).collect(),
        smtp_utf8: false,
        eight_bit: false,
        tls_wish: TlsWish::Default,
        ret: None,
        envid: None,
        client: Client {
            address: CLIENT,
            helo: "client.test".into(),
            listener: "mx".into(),
            user: None,
            certificate: [Fingerprint([7; 32])].into(),
        },
        generation: Generation(7),
        hold: None,
        body: body.into(),
    }
}

pub(super) fn attempt(code: &str, text: &str, remote_mta: Option<&str>) -> Arc<Attempt> {
    let reply = Reply::from_peer(ReplyCode::parse(code.as_bytes()).unwrap(), text);
    Arc::new(Attempt::new(reply, remote_mta.map(Box::from), 1_795_285_010_000, Generation(8)))
}
