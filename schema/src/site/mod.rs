//! What is true of a mail site, without source spans: [`Site`] for all that is small and always at hand, [`DomainEntry`] and
//! [`AddressEntry`] for what grows with the number of domains and users.
//!
//! Every entry carries an [`Origin`], the file and line that said so: it survives into the snapshot, so that a decision
//! can name its line. These are domain types; how they are stored is for [`crate::snapshot`] alone.

mod acme;
mod address;
mod client_list;
mod domain;
mod egress;
mod header;
mod judging;
mod limit;
mod listener;
mod network;
mod notices;
mod origin;
mod policy;
mod publication;
mod report;
mod rewriting;
mod screening;
mod secret;
mod signing;
mod users;
mod web_url;

pub use acme::Acme;
pub use address::{AddressEntry, AddressKind, Forward};
pub use client_list::{ClientList, Codes, CodesError};
pub use domain::{DomainClass, DomainEntry, NextHop, Onward, Pattern};
pub use egress::{
    Destination, Endpoint, FromAddress, Login, Means, Rate, Receiver, Relay, Route, RoutePattern, TlsLevel, Transport,
    TransportKind, Via,
};
pub use header::{HeaderChange, HeaderEdit, Service};
pub use judging::{ArcPolicy, DmarcReaction, Quarantine};
pub use limit::{ClientLimit, LimitPer, Limited};
pub use listener::{Listener, ListenerKind, WebListener};
pub use network::{Fingerprint, Network};
pub use notices::{NoticeClass, Notices};
pub use origin::{Origin, Sources};
pub use policy::{
    Certificate, Chain, Language, Limits, LogFormat, Logging, Metrics, QueuePolicy, Reaction, Screen, TlsPolicy, TlsVersion,
};
pub use publication::{Autoconfig, LoginName, MtaSts, Pin, PinOf, Publication, SpfPolicy};
pub use report::{ReportKind, Reporter, Reports};
pub use rewriting::{Archive, Archived, Masquerade, Place, Rewrite, Rewriting, Selection, Slot, Srs, Stage, Whose};
pub use screening::{Check, Greylist, Reputation};
pub use secret::SecretName;
pub use signing::{DkimSigner, PublicKey, Selector, SigningAlgorithm, SigningState};
pub use users::{
    Directory, DirectorySecurity, SendAs, TokenIssuer, TokenKey, TokenProof, TokenPublicKey, UserBackend, UserStore,
};
pub use web_url::WebUrl;

use crate::name::{Domain, Mailbox};
use std::net::{IpAddr, SocketAddr};

/// Everything about a site but its domains and addresses.
///
/// Held in memory by whoever decides: a few kilobytes for most sites. Lists are in source order, which is the order of
/// precedence wherever "first match wins".
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// The files that [`Origin`]s point into.
    pub sources: Sources,
    /// The host's own name: EHLO, banner, Received (`myhostname`).
    pub hostname: Domain,
    /// The domain that a bare local part belongs to (`myorigin`).
    pub origin_domain: Domain,
    /// Who reads mail to postmaster at every domain that does not say otherwise (RFC 5321 4.5.1).
    pub postmaster: Mailbox,
    /// Where the `postmaster` was said.
    pub postmaster_origin: Origin,
    /// What the postmaster is told of.
    pub notices: Notices,
    /// The public addresses of the host, those that mail leaves from.
    pub addresses: Vec<IpAddr>,
    /// The DNS server that is asked; `None`: those of the system.
    pub resolver: Option<SocketAddr>,
    /// The services that are listened on.
    pub listeners: Vec<Listener>,
    /// Where policies and settings are served over HTTPS; `None`: nowhere.
    pub web: Option<WebListener>,
    /// Networks that are trusted with something (`mynetworks`).
    pub networks: Vec<Network>,
    /// Who may log in.
    pub users: Vec<UserStore>,
    /// Named ways to hand mail over.
    pub transports: Vec<Transport>,
    /// Named hosts that carry mail onward (`relayhost`).
    pub relays: Vec<Relay>,
    /// Where mail for elsewhere goes; first match wins.
    pub routes: Vec<Route>,
    /// Receivers that are treated in their own way; the first of a domain counts.
    pub receivers: Vec<Receiver>,
    /// Certificates and the least protocol version.
    pub tls: TlsPolicy,
    /// What is asked of a client before its mail is taken.
    pub screen: Screen,
    /// Whose ARC chains are believed, and what is sealed.
    pub arc: ArcPolicy,
    /// What is changed in headers, in source order.
    pub headers: Vec<HeaderEdit>,
    /// Addresses that turn into others.
    pub rewriting: Rewriting,
    /// Retry and lifetime.
    pub queue: QueuePolicy,
    /// Sizes and counts.
    pub limits: Limits,
    /// How the daemon logs.
    pub logging: Logging,
    /// Where numbers for Prometheus are served.
    pub metrics: Option<Metrics>,
    /// What others are told about their mail.
    pub reports: Reports,
}

impl Site {
    /// Whether strangers' mail is judged at all: then its header says what was found (RFC 8601).
    pub fn authenticates(&self) -> bool {
        self.screen.authenticates() || self.reports.dmarc.is_some() || self.reports.failure.is_some() || self.arc.seal.is_some()
    }

    /// The listener of that name.
    pub fn listener(&self, name: &str) -> Option<&Listener> {
        self.listeners.iter().find(|listener| &*listener.name == name)
    }

    /// The first listener of a kind that others than this host can reach.
    pub fn public_listener(&self, kind: ListenerKind) -> Option<&Listener> {
        let is_public = |listener: &&Listener| listener.addresses.iter().any(|address| !address.is_loopback());
        self.listeners.iter().filter(|listener| listener.kind == kind).find(is_public)
    }

    /// The network that names one of these certificates; the first.
    pub fn certified(&self, fingerprints: &[Fingerprint]) -> Option<&Network> {
        self.networks.iter().find(|network| network.knows(fingerprints))
    }

    /// The transport of that name.
    pub fn transport(&self, name: &str) -> Option<&Transport> {
        self.transports.iter().find(|transport| &*transport.name == name)
    }

    /// The relay of that name.
    pub fn relay(&self, name: &str) -> Option<&Relay> {
        self.relays.iter().find(|relay| &*relay.name == name)
    }

    /// The hosts that mail for a relay may leave through: the relay, and the one that takes its mail while it cannot be reached. The
    /// backup's own backup is not asked.
    pub fn carriers<'a>(&'a self, relay: &'a Relay) -> impl Iterator<Item = &'a Relay> {
        let backup = relay.backup.as_deref().and_then(|name| self.relay(name)).filter(|backup| backup.name != relay.name);
        std::iter::once(relay).chain(backup)
    }

    /// Whether mail for a relay is signed by whoever carries it on.
    pub fn is_signed_beyond(&self, relay: &Relay) -> bool {
        self.carriers(relay).all(|carrier| carrier.signs_dkim)
    }

    /// How the receiver of that domain is treated, where the site says so.
    pub fn receiver(&self, domain: &Domain) -> Option<&Receiver> {
        self.receivers.iter().find(|receiver| receiver.domain == *domain)
    }

    /// The network that holds the client: the longest prefix wins, and of equal ones the first.
    pub fn network(&self, client: IpAddr) -> Option<&Network> {
        let client = client.to_canonical();
        self.networks
            .iter()
            .filter_map(|network| Some((network.longest_match(client)?, network)))
            .reduce(|best, next| if next.0 > best.0 { next } else { best })
            .map(|(_, network)| network)
    }

    /// The network whose members are spared this check, if the client is one.
    pub fn spares(&self, client: IpAddr, check: Check) -> Option<&Network> {
        self.network(client).filter(|network| network.exempt.contains(&check))
    }
}
