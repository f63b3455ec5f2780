//! Who may send where without a login: the relay proof.
//!
//! The address space falls into regions: what lies in one range of a network of the site, or in one special-purpose block
//! (RFC 6890), and in none that is narrower. Within a region no decision can differ, so one address stands for all of it. Each
//! is put to the daemon's own [`accept`], on every listener, for every kind of recipient elsewhere that a route knows.

use crate::model::Model;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use postern_schema::decide::{Answer, Client, Disposition, Lookup, Reason, RecipientFacts, ScreenFacts, accept};
use postern_schema::name::{Domain, ForwardPath, HostName, LocalPart, Mailbox, ReversePath};
use postern_schema::site::{RoutePattern, Site};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Blocks that no stranger on the Internet sends from: private, local, shared and documentation space (RFC 6890 2.2).
const SPECIAL: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/3",
    "::/3",
    "4000::/2",
    "8000::/1",
];

/// A part of the address space in which every client is treated alike.
#[derive(Clone, Debug)]
pub struct Region {
    /// The range or block that it is what remains of; `None`: the whole Internet but what the site or the RFC names.
    pub range: IpNet,
    /// An address in it.
    pub representative: IpAddr,
    /// How many addresses it has.
    pub addresses: u128,
    /// Whether strangers may be in it.
    pub public: bool,
}

/// A way from a client without a login to a recipient elsewhere.
#[derive(Clone, Debug)]
pub struct OpenPath {
    /// Who may.
    pub region: Region,
    /// By which listener.
    pub listener: Box<str>,
    /// To where.
    pub recipient: Mailbox,
}

/// Every region of a site.
pub fn regions(site: &Site) -> Vec<Region> {
    let mut blocks: Vec<IpNet> = site.networks.iter().flat_map(|network| network.ranges.iter().copied()).collect();
    blocks.extend(site.listeners.iter().filter_map(|listener| listener.peers));
    let special: Vec<IpNet> = SPECIAL.iter().filter_map(|text| text.parse().ok()).collect();
    blocks.extend(&special);
    blocks.push(IpNet::V4(Ipv4Net::default()));
    blocks.push(IpNet::V6(Ipv6Net::default()));
    blocks.sort();
    blocks.dedup();
    let region = |range: &IpNet| {
        let inner: Vec<IpNet> = blocks.iter().filter(|other| *other != range && range.contains(*other)).copied().collect();
        let inner = IpNet::aggregate(&inner);
        let representative = first_outside(*range, &inner)?;
        let taken = inner.iter().fold(0_u128, |sum, inner| sum.saturating_add(size(*inner)));
        let public = !special.iter().any(|block| block.contains(&representative));
        Some(Region { range: *range, representative, addresses: size(*range).saturating_sub(taken), public })
    };
    blocks.iter().filter_map(region).collect()
}

/// Every region that may send to somewhere else without a login, with one way each.
pub fn open_paths(model: &Model) -> Vec<OpenPath> {
    let recipients = recipients_elsewhere(model);
    let path = |region: Region| {
        for listener in model.site.listeners.iter().filter(|listener| !listener.kind.requires_login()) {
            for recipient in &recipients {
                if relays(model, &listener.name, region.representative, recipient) {
                    return Some(OpenPath { region, listener: listener.name.clone(), recipient: recipient.clone() });
                }
            }
        }
        None
    };
    regions(&model.site).into_iter().filter_map(path).collect()
}

/// More public addresses than any one organisation has under one key: an IPv4 /8, an IPv6 /24.
pub const MOST_V4: u128 = 1 << 24;
/// The same for IPv6.
pub const MOST_V6: u128 = 1 << 104;

/// Whether so many may relay that it is anybody.
pub fn is_anybody(open: &[OpenPath]) -> bool {
    let sum = |v4: bool| {
        let paths = open.iter().filter(|path| path.region.public && path.region.representative.is_ipv4() == v4);
        paths.fold(0_u128, |sum, path| sum.saturating_add(path.region.addresses))
    };
    sum(true) > MOST_V4 || sum(false) > MOST_V6
}

/// Whether this client, without a login, may send to this recipient.
pub fn relays(model: &Model, listener: &str, client: IpAddr, recipient: &Mailbox) -> bool {
    let facts = RecipientFacts {
        client: Client { listener, address: client, user: None, certificate: &[] },
        reverse_path: &ReversePath::Null,
        forward_path: &ForwardPath::Mailbox(recipient.clone()),
        screen: ScreenFacts::CLEAR,
        srs: None,
    };
    // A missing route is found after the client was let through: the next route that is added opens the way.
    let Answer::Verdict(verdict) = accept(&facts, model) else { return false };
    matches!(verdict.disposition, Disposition::Accept(_)) || verdict.reason == Reason::NoRoute
}

/// One recipient elsewhere for each kind that a route tells apart, none of them in a domain of the site.
pub fn recipients_elsewhere(model: &Model) -> Vec<Mailbox> {
    let below = |parent: &Domain| Domain::parse(&format!("elsewhere.{parent}")).ok();
    let of_route = |pattern: &RoutePattern| match pattern {
        RoutePattern::Any => None,
        RoutePattern::Domain(domain) => Some(domain.clone()),
        RoutePattern::Below(parent) => below(parent),
    };
    let anywhere = (0..).map(|n| format!("elsewhere{n}.invalid")).filter_map(|name| Domain::parse(&name).ok());
    let is_ours = |domain: &Domain| model.domain(domain).ok().flatten().is_some();
    let elsewhere = anywhere.take(64).find(|domain| !is_ours(domain));
    let domains = elsewhere.into_iter().chain(model.site.routes.iter().filter_map(|route| of_route(&route.to)));
    let mailbox = |domain| Some(Mailbox::new(LocalPart::from_content("someone").ok()?, HostName::Domain(domain)));
    domains.filter(|domain| !is_ours(domain)).filter_map(mailbox).collect()
}

/// The number of addresses of a range; the greatest number where that does not fit.
pub fn size(range: IpNet) -> u128 {
    let bits = u32::from(range.max_prefix_len() - range.prefix_len());
    1_u128.checked_shl(bits).unwrap_or(u128::MAX)
}

/// The first address of a range that is in none of these ranges, which lie within it, sorted and apart from each other.
fn first_outside(range: IpNet, inner: &[IpNet]) -> Option<IpAddr> {
    let mut candidate = number(range.network());
    let mut inner: Vec<&IpNet> = inner.iter().collect();
    inner.sort();
    for block in inner {
        if number(block.network()) > candidate {
            break;
        }
        candidate = number(block.broadcast()).checked_add(1)?;
    }
    let candidate = address(candidate, range)?;
    range.contains(&candidate).then_some(candidate)
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

fn address(number: u128, like: IpNet) -> Option<IpAddr> {
    match like {
        IpNet::V4(_) => u32::try_from(number).ok().map(|number| IpAddr::V4(Ipv4Addr::from(number))),
        IpNet::V6(_) => Some(IpAddr::V6(Ipv6Addr::from(number))),
    }
}

#[cfg(test)]
mod tests;
