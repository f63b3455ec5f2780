//! From a destination to the addresses to connect to, best first (RFC 5321 5.1).

use crate::dns::{Dns, Found};
use postern_schema::name::{Domain, HostName};
use postern_schema::reply::Reply;
use postern_schema::site::{Destination, Login, Site, TlsLevel};
use std::net::{IpAddr, SocketAddr};

/// The port of a mail host (RFC 5321 4.5.4.2).
const SMTP_PORT: u16 = 25;
/// How many addresses one attempt tries (`smtp_mx_address_limit`).
const ADDRESS_LIMIT: usize = 5;

/// Everything that a session needs to know of its peer before it connects.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Hosts and addresses, best first; never none.
    pub candidates: Vec<Candidate>,
    /// The least protection.
    pub tls: TlsLevel,
    /// How we log in.
    pub login: Option<Login>,
}

/// One address of one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The name that a verified certificate must be for.
    pub host: HostName,
    /// Where to connect.
    pub address: SocketAddr,
}

/// Finds the target of a remote destination in the site of today.
///
/// # Errors
/// The reply that stands for what DNS or the site said: it decides whether the mail waits or bounces.
pub async fn find(destination: &Destination, site: &Site, dns: &dyn Dns) -> Result<Target, Reply> {
    match destination {
        Destination::Maildir { transport } => Err(Reply::local_trouble(format!("transport {transport} is not remote"))),
        Destination::Literal { host, tls } => match host {
            HostName::Literal(address) => {
                let address = SocketAddr::new(*address, SMTP_PORT);
                Ok(Target { candidates: vec![Candidate { host: host.clone(), address }], tls: *tls, login: None })
            }
            HostName::Domain(_) => Err(Reply::local_trouble(format!("{host} is no address literal"))),
        },
        Destination::Relay { name, tls } => {
            let relay = site.relay(name).ok_or_else(|| Reply::local_trouble(format!("relay {name} is not in the site")))?;
            // The relay's name is the site's mistake and not the sender's: the mail waits until it is mended.
            let unresolved = |reply| Reply::local_trouble(format!("relay {name} cannot be found: {reply}"));
            let addresses = addresses(&relay.host, dns).await.map_err(unresolved)?;
            let candidates = candidates(&relay.host, addresses, relay.port).collect();
            Ok(Target { candidates, tls: *tls, login: relay.login.clone() })
        }
        Destination::Mx { domain, tls } => {
            let candidates = mail_hosts(domain, site, dns).await?;
            Ok(Target { candidates, tls: *tls, login: None })
        }
    }
}

async fn mail_hosts(domain: &Domain, site: &Site, dns: &dyn Dns) -> Result<Vec<Candidate>, Reply> {
    let mut hosts = match dns.mx(domain).await {
        Found::Records(hosts) => hosts,
        // RFC 5321 5.1: no MX means that the domain itself is its mail host.
        Found::None => {
            let host = HostName::Domain(domain.clone());
            let addresses = addresses(&host, dns).await?;
            return Ok(candidates(&host, addresses, SMTP_PORT).collect());
        }
        Found::Nonexistent => return Err(Reply::no_such_domain(format!("Domain {domain} does not exist"))),
        Found::Bogus => return Err(Reply::dns_failed(format!("DNSSEC validation failed for the MX of {domain}"))),
        Found::Failed(why) => return Err(Reply::dns_failed(why)),
    };
    if hosts.iter().all(|mx| mx.exchange.is_none()) {
        return Err(Reply::null_mx(format!("Domain {domain} takes no mail (null MX)")));
    }
    hosts.sort_by_key(|mx| mx.preference);
    // RFC 5321 5.1: we are an MX ourselves; whoever is not preferred to us would only send the mail back.
    if let Some(us) = hosts.iter().position(|mx| mx.exchange.as_ref() == Some(&site.hostname)) {
        let ours = hosts[us].preference;
        hosts.retain(|mx| mx.preference < ours);
        if hosts.is_empty() {
            return Err(Reply::loops_back(format!("The MX of {domain} is this host, whose site does not have the domain")));
        }
    }
    let mut result = Vec::new();
    let mut trouble = None;
    for exchange in hosts.into_iter().filter_map(|mx| mx.exchange) {
        let host = HostName::Domain(exchange);
        match addresses(&host, dns).await {
            Ok(addresses) => result.extend(candidates(&host, addresses, SMTP_PORT)),
            Err(reply) => trouble = Some(reply),
        }
        if result.len() >= ADDRESS_LIMIT {
            break;
        }
    }
    result.truncate(ADDRESS_LIMIT);
    match trouble {
        Some(reply) if result.is_empty() => Err(reply),
        _ => Ok(result),
    }
}

fn candidates(host: &HostName, addresses: Vec<IpAddr>, port: u16) -> impl Iterator<Item = Candidate> {
    addresses.into_iter().take(ADDRESS_LIMIT).map(move |ip| Candidate { host: host.clone(), address: SocketAddr::new(ip, port) })
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
