//! Who may send to whom: every class of client against every class of recipient, over every listener. The table that
//! `postern explain SITE --relay` prints, and the proof that strangers reach our own domains and nothing else.
//!
//! Each cell is one question to the daemon's own decision, [`accept`], asked for one client that stands for its class. The classes of clients without a login are the regions of [`crate::rules::probe`], in which no decision can differ.

use crate::addresses::{Address, Form};
use crate::model::Model;
use crate::rules::graph::witnesses;
use crate::rules::probe::{Region, recipients_elsewhere, regions};
use postern_schema::decide::{Answer, Client, Lookup, Reason, RecipientFacts, ScreenFacts, StepKind, Trace, accept};
use postern_schema::name::{Domain, ForwardPath, HostName, LocalPart, Mailbox, ReversePath};
use postern_schema::site::{DomainClass, DomainEntry, Fingerprint, Listener, ListenerKind, Network, Origin, Slot, Stage, Whose};
use serde::Serialize;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

/// One cell of the table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Cell {
    /// The listener's name.
    pub listener: String,
    /// Who sends.
    pub client: ClientKind,
    /// To whom.
    pub recipient: RecipientKind,
    /// The address that stood for the recipients.
    pub example: String,
    /// `accept`, `reject` or `defer`; `undecided` where DNS would be asked first.
    pub disposition: &'static str,
    /// The name of the reason.
    pub reason: String,
    /// The line that opens it, or for a cell that is shut the last one that the decision read.
    pub source: Option<String>,
}

/// A class of clients.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum ClientKind {
    /// Without a login, from an address that no network of the site holds.
    Stranger {
        /// The address that stood for them.
        address: IpAddr,
    },
    /// Without a login, from a network of the site.
    Network {
        /// Its name.
        name: String,
        /// The range.
        range: String,
        /// The address that stood for it.
        address: IpAddr,
    },
    /// Believed in what it says of the client that it speaks for: a load balancer (PROXY), a filter in front (XCLIENT).
    Spokesman {
        /// The property that says so.
        by: &'static str,
        /// From where.
        range: String,
    },
    /// Without a login, with a certificate that a network names.
    Certificate {
        /// The network.
        network: String,
        /// The certificate that stood for those of it.
        fingerprint: String,
    },
    /// A filter or MTA that the listener is for.
    Peer {
        /// From where.
        range: String,
        /// The address that stood for it.
        address: IpAddr,
    },
    /// Logged in.
    User {
        /// The store that knows the user.
        store: String,
    },
}

/// A class of recipients.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecipientKind {
    /// A mailbox of a local domain.
    Ours,
    /// An address of a local domain whose mail goes to another host.
    Forwarded,
    /// An address of a relay domain, whose mail goes to the host behind us.
    Relayed,
    /// A local part that nobody has, in a local domain.
    NobodyHere,
    /// Any address of a parked domain.
    Parked,
    /// Any other domain.
    Elsewhere,
}

impl RecipientKind {
    /// The word of the table.
    pub fn as_str(self) -> &'static str {
        match self {
            RecipientKind::Ours => "ours",
            RecipientKind::Forwarded => "forwarded",
            RecipientKind::Relayed => "relayed",
            RecipientKind::NobodyHere => "nobody-here",
            RecipientKind::Parked => "parked",
            RecipientKind::Elsewhere => "elsewhere",
        }
    }
}

/// The whole table: by listener, then by client, then by recipient.
pub fn table(model: &Model) -> Vec<Cell> {
    let (clients, recipients) = (clients(model), recipients(model));
    let mut cells = Vec::new();
    for listener in &model.site.listeners {
        let peers = peers(listener);
        for client in clients.iter().filter(|client| client.may_come_by(listener)).chain(&peers) {
            cells.extend(recipients.iter().map(|(kind, recipient)| cell(model, &listener.name, client, *kind, recipient)));
        }
        for (spokesman, says_login) in spokesmen(listener) {
            let claimed = || clients.iter().filter(|client| says_login || !matches!(client, ClientKind::User { .. }));
            cells.extend(recipients.iter().filter_map(|(kind, recipient)| {
                // It is whom it likes to be: what one of them may do, it may.
                let answers = claimed().map(|client| cell(model, &listener.name, client, *kind, recipient));
                let best = answers.reduce(|best, next| if best.disposition == "accept" { best } else { next })?;
                Some(Cell { client: spokesman.clone(), ..best })
            }));
        }
    }
    cells
}

impl ClientKind {
    /// The address that stands for the class; users come from anywhere.
    fn address(&self, model: &Model) -> IpAddr {
        match self {
            ClientKind::Stranger { address } | ClientKind::Network { address, .. } | ClientKind::Peer { address, .. } => *address,
            ClientKind::Spokesman { .. } | ClientKind::User { .. } | ClientKind::Certificate { .. } => {
                crate::explain::stranger(&model.site)
            }
        }
    }

    /// A login is taken on some listeners alone, and an IPv6 client needs an IPv6 socket.
    fn may_come_by(&self, listener: &Listener) -> bool {
        match self {
            ClientKind::User { .. } => listener.kind.requires_login(),
            ClientKind::Certificate { .. } => listener.kind == ListenerKind::Mx,
            ClientKind::Spokesman { .. } | ClientKind::Peer { .. } => false,
            ClientKind::Stranger { address } | ClientKind::Network { address, .. } => {
                let is_peer = listener.kind.is_for_peers() && listener.admits(*address);
                !is_peer && listener.addresses.iter().any(|bound| bound.is_ipv4() == address.is_ipv4())
            }
        }
    }
}

impl fmt::Display for ClientKind {
    /// "strangers (198.51.100.99)", "network office, 192.0.2.0/24", "users of staff".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientKind::Stranger { address } => write!(f, "strangers ({address})"),
            ClientKind::Network { name, range, .. } => write!(f, "network {name}, {range}"),
            ClientKind::Spokesman { by, range } => write!(f, "whoever {range} speaks for ({by})"),
            ClientKind::Certificate { network, fingerprint } => {
                write!(f, "certificates of network {network} ({}...)", fingerprint.get(..11).unwrap_or(fingerprint))
            }
            ClientKind::Peer { range, .. } => write!(f, "peers, {range}"),
            ClientKind::User { store } => write!(f, "users of {store}"),
        }
    }
}

/// The peers of a listener for such.
fn peers(listener: &Listener) -> Option<ClientKind> {
    let address = listener.peers.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |range| range.addr());
    let range = match (&listener.socket, listener.peers) {
        (Some(path), _) => format!("whoever may open {path}"),
        (None, Some(range)) => range.to_string(),
        (None, None) => "this host".to_owned(),
    };
    listener.kind.is_for_peers().then_some(ClientKind::Peer { range, address })
}

/// Who is believed at a listener, and whether that holds for logins too.
fn spokesmen(listener: &Listener) -> impl Iterator<Item = (ClientKind, bool)> {
    let told = [("proxy-protocol-from", listener.proxy_from, false), ("xclient-from", listener.xclient_from, true)];
    told.into_iter()
        .filter_map(|(by, range, says_login)| Some((ClientKind::Spokesman { by, range: range?.to_string() }, says_login)))
}

fn cell(model: &Model, listener: &str, client: &ClientKind, kind: RecipientKind, recipient: &Mailbox) -> Cell {
    let shown = match client {
        ClientKind::Certificate { fingerprint, .. } => Fingerprint::parse(fingerprint),
        _ => None,
    };
    let user = matches!(client, ClientKind::User { .. }).then_some("user");
    let facts = RecipientFacts {
        client: Client { listener, address: client.address(model), user, certificate: shown.as_slice() },
        // The null path may be used by everybody, so what is decided is the recipient alone.
        reverse_path: &ReversePath::Null,
        forward_path: &ForwardPath::Mailbox(recipient.clone()),
        screen: ScreenFacts::CLEAR,
        srs: None,
    };
    let (disposition, reason, source) = match accept(&facts, model) {
        Answer::Need(need) => ("undecided", format!("{need:?}"), None),
        Answer::Verdict(verdict) => {
            let source = opening(verdict.reason, &verdict.trace).map(|origin| model.site.sources.describe(origin));
            (verdict.disposition.as_str(), verdict.reason.to_string(), source)
        }
    };
    let (listener, client, example) = (listener.to_owned(), client.clone(), recipient.to_string());
    Cell { listener, client, recipient: kind, example, disposition, reason, source }
}

/// The line without which the answer would be another.
fn opening(reason: Reason, trace: &Trace) -> Option<Origin> {
    let opens = |kind: &StepKind| match reason {
        Reason::TrustedNetwork => matches!(kind, StepKind::TrustedNetwork(_)),
        Reason::TrustedCertificate => matches!(kind, StepKind::TrustedCertificate(_)),
        Reason::TrustedPeer => matches!(kind, StepKind::Peer(_)),
        Reason::AuthenticatedRelay => matches!(kind, StepKind::Listener(..)),
        Reason::LocalRecipient => matches!(
            kind,
            StepKind::Mailbox(_)
                | StepKind::Alias(..)
                | StepKind::Forward(..)
                | StepKind::List(_)
                | StepKind::Rewritten(..)
                | StepKind::Pattern(..)
                | StepKind::CatchAll(_)
                | StepKind::Postmaster(_)
        ),
        Reason::RelayDomain => matches!(kind, StepKind::Relayed(_)),
        _ => false,
    };
    let steps = || trace.steps().iter().filter(|step| !step.origin.is_default());
    steps().find(|step| opens(&step.kind)).or_else(|| steps().next_back()).map(|step| step.origin)
}

fn clients(model: &Model) -> Vec<ClientKind> {
    let of_region = |region: Region| match model.site.network(region.representative) {
        Some(network) => Some(ClientKind::Network {
            name: network.name.to_string(),
            range: region.range.to_string(),
            address: region.representative,
        }),
        None if region.range.prefix_len() == 0 => Some(ClientKind::Stranger { address: region.representative }),
        None => None,
    };
    let users = model.site.users.iter().map(|store| ClientKind::User { store: store.name.to_string() });
    let certified = |network: &Network| {
        let fingerprint = network.certificates.first()?.to_string();
        Some(ClientKind::Certificate { network: network.name.to_string(), fingerprint })
    };
    let certified = model.site.networks.iter().filter_map(certified);
    regions(&model.site).into_iter().filter_map(of_region).chain(certified).chain(users).collect()
}

/// One recipient of each class that the site has; of those elsewhere, one for each kind that a route tells apart.
fn recipients(model: &Model) -> Vec<(RecipientKind, Mailbox)> {
    let of_kind = |wanted: &dyn Fn(&Address<'_>) -> bool| model.addresses.declared().find(wanted)?.mailbox();
    let ours = of_kind(&|address| address.is_mailbox()).or_else(|| of_kind(&|address| address.is_alias()));
    let forwarded = of_kind(&|address| address.targets().any(|target| is_elsewhere(target.host_name(), model)));
    let parked = model.domains.values().find(|domain| domain.class == DomainClass::Parked);
    let mut found = Vec::new();
    found.extend(ours.map(|ours| (RecipientKind::Ours, ours)));
    found.extend(
        forwarded
            .or_else(|| caught_elsewhere(model))
            .or_else(|| made_elsewhere(model))
            .map(|address| (RecipientKind::Forwarded, address)),
    );
    found.extend(rewritten_elsewhere(model).map(|address| (RecipientKind::Forwarded, address)));
    found.extend(relayed(model).map(|address| (RecipientKind::Relayed, address)));
    found.extend(nobody(model).map(|nobody| (RecipientKind::NobodyHere, nobody)));
    found.extend(parked.and_then(|domain| Some((RecipientKind::Parked, mailbox("someone", &domain.name)?))));
    found.extend(recipients_elsewhere(model).into_iter().map(|recipient| (RecipientKind::Elsewhere, recipient)));
    found
}

/// An address of a relay domain: one that takes all, or else one that is listed.
fn relayed(model: &Model) -> Option<Mailbox> {
    let mut domains = model.domains.values();
    match domains.find(|domain| matches!(&domain.class, DomainClass::Relay(onward) if !onward.listed)) {
        Some(domain) => mailbox("someone", &domain.name),
        None => model.addresses.declared().find(|address| address.form() == Form::Relayed)?.mailbox(),
    }
}

fn is_elsewhere(host: &HostName, model: &Model) -> bool {
    host.domain().is_none_or(|domain| !model.domains.contains_key(domain))
}

/// An address that only a catch-all takes, and sends on to another host.
fn caught_elsewhere(model: &Model) -> Option<Mailbox> {
    let caught = |target: &Mailbox| is_elsewhere(&target.host, model);
    let domain = model.domains.values().find(|domain| domain.catch_all.as_ref().is_some_and(|(target, _)| caught(target)))?;
    mailbox(&free(model, &domain.name)?, &domain.name)
}

/// An address that a pattern makes one of another host.
fn made_elsewhere(model: &Model) -> Option<Mailbox> {
    let patterns = model.domains.values().flat_map(|domain| domain.patterns.iter().map(move |pattern| (&domain.name, pattern)));
    patterns.into_iter().find_map(|(domain, pattern)| {
        let leaves = |local: &LocalPart| {
            let made = pattern.apply(&local.folded()).and_then(|made| Mailbox::parse(&made).ok());
            made.is_some_and(|made| is_elsewhere(&made.host, model))
        };
        let local = witnesses(pattern.expression()).into_iter().find(leaves)?;
        Some(Mailbox::new(local, HostName::Domain(domain.clone())))
    })
}

/// An address of ours that a `rewrite` turns into one of another host, as it comes in.
fn rewritten_elsewhere(model: &Model) -> Option<Mailbox> {
    let rewrites = model.site.rewriting.rewrites.iter();
    let mut arriving =
        rewrites.filter(|rewrite| matches!(rewrite.at, Stage::Arrival(_)) && rewrite.place.covers(Slot::EnvelopeRecipient));
    arriving.find_map(|rewrite| {
        let given = match &rewrite.from {
            Whose::Mailbox(given) => given.clone(),
            Whose::Domain(domain) => mailbox("someone", domain)?,
        };
        let leaves = match &rewrite.to {
            Whose::Mailbox(target) => is_elsewhere(&target.host, model),
            Whose::Domain(domain) => !model.domains.contains_key(domain),
        };
        (leaves && !is_elsewhere(&given.host, model)).then_some(given)
    })
}

/// An address that nobody has, in a domain where that means something.
fn nobody(model: &Model) -> Option<Mailbox> {
    let is_strict = |domain: &DomainEntry| match &domain.class {
        DomainClass::Local => domain.catch_all.is_none() && domain.patterns.is_empty(),
        DomainClass::Relay(onward) => onward.listed,
        DomainClass::AliasOf(_) | DomainClass::Parked => false,
    };
    let domain = model.domains.values().find(|domain| is_strict(domain))?;
    mailbox(&free(model, &domain.name)?, &domain.name)
}

fn free(model: &Model, domain: &Domain) -> Option<String> {
    let is_free = |local: &String| matches!(model.address(domain, local), Ok(None));
    (0..64).map(|n| format!("nobody{n}")).find(is_free)
}

fn mailbox(local: &str, domain: &Domain) -> Option<Mailbox> {
    let local = LocalPart::from_content(local).ok()?;
    Some(Mailbox::new(local, HostName::Domain(domain.clone())))
}

#[cfg(test)]
mod tests;
