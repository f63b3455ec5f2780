//! From a destination to the addresses to connect to, best first (RFC 5321 5.1).

use crate::dns::{Dns, Found, Mx};
use postern_schema::name::{Domain, HostName};
use postern_schema::reply::Reply;
use postern_schema::site::{Destination, Endpoint, FromAddress, Login, Site, TlsLevel, TransportKind};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The port of a mail host (RFC 5321 4.5.4.2).
const SMTP_PORT: u16 = 25;
/// How many addresses one attempt tries (`smtp_mx_address_limit`).
const ADDRESS_LIMIT: usize = 5;
/// The host of a socket in the file system, for logs.
const LOCALHOST: HostName = HostName::Literal(IpAddr::V4(Ipv4Addr::LOCALHOST));

/// Everything that a session needs to know of its peer before it connects.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Hosts and addresses, best first; never none.
    pub candidates: Vec<Candidate>,
    /// The least protection.
    pub tls: TlsLevel,
    /// The domain whose mail hosts they are.
    pub domain: Option<Domain>,
    /// How we log in.
    pub login: Option<Login>,
    /// LMTP is spoken there (RFC 2033).
    pub lmtp: bool,
    /// The local addresses that connections leave from.
    pub from_address: FromAddress,
}

/// One address of one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The name that a verified certificate must be for.
    pub host: HostName,
    /// Where to connect.
    pub address: Address,
}

/// Where a connection leads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// A TCP port.
    Inet(SocketAddr),
    /// A socket in the file system.
    Unix(Box<str>),
}

impl fmt::Display for Candidate {
    /// As it stands in logs: `host[192.0.2.1]:25`, or `localhost[/path/to/socket]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Inet(address) => write!(f, "{}[{}]:{}", self.host, address.ip(), address.port()),
            Address::Unix(path) => write!(f, "{}[{path}]", self.host),
        }
    }
}

/// Whom a [`super::throttle::Throttle`] is about: the way out, the hosts, and the protection. Two domains with the same MX
/// hosts are one peer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Peer {
    from_address: FromAddress,
    /// Sorted; each once.
    hosts: Box<[HostName]>,
    /// The socket or port, which tells services of one host apart.
    service: Box<str>,
    tls: TlsLevel,
}

impl fmt::Display for Peer {
    /// One word, the same in every process: it is a key in the state folder.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, host) in self.hosts.iter().enumerate() {
            write!(f, "{}{host}", if place == 0 { "" } else { "," })?;
        }
        write!(f, ":{}/{}", self.service, self.tls)?;
        if self.from_address.is_none() { Ok(()) } else { write!(f, "/{}", self.from_address) }
    }
}

impl Target {
    fn new(candidates: Vec<Candidate>, tls: TlsLevel) -> Target {
        Target { candidates, tls, domain: None, login: None, lmtp: false, from_address: FromAddress::NONE }
    }

    /// Whom it leads to.
    pub fn peer(&self) -> Peer {
        let mut hosts: Vec<HostName> = self.candidates.iter().map(|candidate| candidate.host.clone()).collect();
        hosts.sort_unstable();
        hosts.dedup();
        let service = match self.candidates.first().map(|candidate| &candidate.address) {
            Some(Address::Inet(address)) => address.port().to_string().into(),
            Some(Address::Unix(path)) => path.clone(),
            None => "".into(),
        };
        Peer { from_address: self.from_address, hosts: hosts.into(), service, tls: self.tls }
    }
}

/// Finds the target of a destination that is reached over a connection, in the site of today.
///
/// # Errors
/// The reply that stands for what DNS or the site said: it decides whether the mail waits or bounces.
pub async fn find(destination: &Destination, site: &Site, dns: &dyn Dns) -> Result<Target, Reply> {
    let mut target = match destination {
        Destination::Transport { name, .. } => of_transport(name, site, dns).await?,
        Destination::Literal { host, tls, .. } => match host {
            HostName::Literal(address) => Target::new(candidates(host, vec![*address], SMTP_PORT).collect(), *tls),
            HostName::Domain(_) => return Err(Reply::local_trouble(format!("{host} is no address literal"))),
        },
        Destination::Relay { name, tls, .. } => of_relay(name, *tls, site, dns).await?,
        Destination::Mx { domain, tls, .. } => of_domain(domain, SMTP_PORT, *tls, site, dns).await?,
    };
    // The sender may demand more than the site does (RFC 8689 4.2.1), or do without what the receiver says (RFC 8689 4.2.2).
    target.tls = destination.tls().map_or(target.tls, |level| level.against(target.tls));
    let from = destination.from_address();
    target.candidates.retain(|candidate| match &candidate.address {
        Address::Inet(address) => from.reaches(address.ip()),
        Address::Unix(_) => true,
    });
    if target.candidates.is_empty() && !from.is_none() {
        return Err(Reply::unreachable(format!("{destination} has no address that {from} can reach")));
    }
    Ok(Target { from_address: from, ..target })
}

/// A relay, with at least this protection and its own.
///
/// # Errors
/// As for [`find`].
pub async fn of_relay(name: &str, tls: TlsLevel, site: &Site, dns: &dyn Dns) -> Result<Target, Reply> {
    let relay = site.relay(name).ok_or_else(|| Reply::local_trouble(format!("relay {name} is not in the site")))?;
    // The relay's name is the site's mistake and not the sender's: the mail waits until it is mended.
    let unresolved = |reply| Reply::local_trouble(format!("relay {name} cannot be found: {reply}"));
    let addresses = addresses(&relay.host, dns).await.map_err(unresolved)?;
    let target = Target::new(candidates(&relay.host, addresses, relay.port).collect(), tls.max(relay.tls));
    Ok(Target { login: relay.login.clone(), ..target })
}

async fn of_transport(name: &str, site: &Site, dns: &dyn Dns) -> Result<Target, Reply> {
    let unresolved = |reply| Reply::local_trouble(format!("transport {name} cannot be found: {reply}"));
    match site.transport(name).map(|transport| &transport.kind) {
        Some(TransportKind::Lmtp { server: Endpoint::Unix(path) }) => {
            let candidate = Candidate { host: LOCALHOST, address: Address::Unix(path.clone()) };
            Ok(Target { lmtp: true, ..Target::new(vec![candidate], TlsLevel::None) })
        }
        Some(TransportKind::Lmtp { server: Endpoint::Inet { host, port } }) => {
            let addresses = addresses(host, dns).await.map_err(unresolved)?;
            Ok(Target { lmtp: true, ..Target::new(candidates(host, addresses, *port).collect(), TlsLevel::May) })
        }
        Some(TransportKind::Smtp { host: HostName::Domain(domain), port, mx: true, tls }) => {
            of_domain(domain, *port, *tls, site, dns).await.map_err(unresolved)
        }
        Some(TransportKind::Smtp { host, port, tls, .. }) => {
            let addresses = addresses(host, dns).await.map_err(unresolved)?;
            Ok(Target::new(candidates(host, addresses, *port).collect(), *tls))
        }
        Some(_) => Err(Reply::local_trouble(format!("transport {name} is not reached over a connection"))),
        None => Err(Reply::local_trouble(format!("transport {name} is not in the site"))),
    }
}

async fn of_domain(domain: &Domain, port: u16, tls: TlsLevel, site: &Site, dns: &dyn Dns) -> Result<Target, Reply> {
    let candidates = mail_hosts(domain, port, site, dns).await?;
    Ok(Target { domain: Some(domain.clone()), ..Target::new(candidates, tls) })
}

async fn mail_hosts(domain: &Domain, port: u16, site: &Site, dns: &dyn Dns) -> Result<Vec<Candidate>, Reply> {
    let mut hosts = match dns.mx(domain).await {
        Found::Records(hosts) => hosts,
        // RFC 5321 5.1: no MX means that the domain itself is its mail host.
        Found::None => vec![Mx { preference: 0, exchange: Some(domain.clone()) }],
        Found::Nonexistent => return Err(Reply::no_such_domain(format!("Domain {domain} does not exist"))),
        Found::Bogus => return Err(Reply::dns_failed(format!("DNSSEC validation failed for the MX of {domain}"))),
        Found::Failed(why) => return Err(Reply::dns_failed(why)),
    };
    if hosts.iter().all(|mx| mx.exchange.is_none()) {
        return Err(Reply::null_mx(format!("Domain {domain} takes no mail (null MX)")));
    }
    // RFC 5321 5.1: hosts of one preference share the load, so they come in an order that nobody knows.
    let order = RandomState::new();
    hosts.sort_by_cached_key(|mx| (mx.preference, order.hash_one(mx.exchange.as_ref().map(Domain::as_str))));
    let looped = || Reply::loops_back(format!("The MX of {domain} is this host, whose site does not have the domain"));
    let mut result: Vec<(u16, Candidate)> = Vec::new();
    let mut trouble = None;
    for Mx { preference, exchange } in hosts {
        let Some(exchange) = exchange else { continue };
        let is_ours = exchange == site.hostname;
        let host = HostName::Domain(exchange);
        let found = if is_ours { Ok(Vec::new()) } else { addresses(&host, dns).await };
        // RFC 5321 5.1: we are an MX ourselves; whoever is not preferred to us would only send the mail back.
        if is_ours || found.as_ref().is_ok_and(|found| found.iter().any(|address| site.addresses.contains(address))) {
            result.retain(|(better, _)| *better < preference);
            if result.is_empty() {
                return Err(looped());
            }
            break;
        }
        match found {
            Ok(found) => result.extend(candidates(&host, found, port).map(|candidate| (preference, candidate))),
            // Of a host of which nothing can be known now, all mail may still be taken: that it waits goes before that it goes back.
            Err(reply) if trouble.as_ref().is_none_or(|before: &Reply| before.code.is_permanent()) => trouble = Some(reply),
            Err(_) => {}
        }
        if result.len() >= ADDRESS_LIMIT {
            break;
        }
    }
    result.truncate(ADDRESS_LIMIT);
    match trouble {
        Some(reply) if result.is_empty() => Err(reply),
        _ => Ok(result.into_iter().map(|(_, candidate)| candidate).collect()),
    }
}

/// The addresses of a host, the two families in turn, so that one that does not work hides no more than half of them
/// (RFC 8305 4).
fn candidates(host: &HostName, addresses: Vec<IpAddr>, port: u16) -> impl Iterator<Item = Candidate> {
    let (v6, v4): (Vec<IpAddr>, Vec<IpAddr>) = addresses.into_iter().partition(IpAddr::is_ipv6);
    let longest = v6.len().max(v4.len());
    let in_turn = (0..longest).flat_map(move |place| [v6.get(place).copied(), v4.get(place).copied()]).flatten();
    let candidate = move |ip| Candidate { host: host.clone(), address: Address::Inet(SocketAddr::new(ip, port)) };
    in_turn.take(ADDRESS_LIMIT).map(candidate)
}

async fn addresses(host: &HostName, dns: &dyn Dns) -> Result<Vec<IpAddr>, Reply> {
    let domain = match host {
        HostName::Literal(address) => return Ok(vec![*address]),
        HostName::Domain(domain) => domain,
    };
    match dns.addresses(domain).await {
        Found::Records(addresses) => Ok(addresses),
        Found::None => Err(Reply::no_such_domain(format!("Host {domain} has no address"))),
        Found::Nonexistent => Err(Reply::no_such_domain(format!("Host {domain} does not exist"))),
        Found::Bogus => Err(Reply::dns_failed(format!("DNSSEC validation failed for {domain}"))),
        Found::Failed(why) => Err(Reply::dns_failed(why)),
    }
}

#[cfg(test)]
mod tests;
