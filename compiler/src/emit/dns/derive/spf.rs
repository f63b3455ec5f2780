//! Which hosts send in a domain's name (RFC 7208): what follows from the routes, and what `spf` adds. Asked by the rules too, and by
//! [`crate::standing`]: what is published and what is promised of it are one thing.

use postern_schema::name::{Domain, HostName};
use postern_schema::record::{Spf, SpfTerm};
use postern_schema::site::{Relay, Route, RoutePattern, Site, SpfPolicy, Via};
use std::net::IpAddr;

/// The record of a domain: the site's own addresses, the relays that its mail leaves through, and what `spf` adds.
///
/// # Errors
/// The relays whose addresses nobody says: a record without them would be wrong.
pub fn spf_of<'a>(site: &'a Site, domain: &Domain, policy: &SpfPolicy) -> Result<Spf, Vec<&'a Relay>> {
    let relays = egress(site, domain);
    let unsaid: Vec<&Relay> = relays.iter().copied().filter(|relay| relay.spf_includes.is_empty()).collect();
    if !unsaid.is_empty() && policy.includes.is_empty() && policy.addresses.is_empty() {
        return Err(unsaid);
    }
    let mut terms: Vec<SpfTerm> = match site.addresses.as_slice() {
        [] => vec![SpfTerm::AddressesOf(site.hostname.clone())],
        addresses => addresses.iter().map(|address| SpfTerm::Network(address.to_canonical().into())).collect(),
    };
    // What a wider network holds needs no word of its own.
    let wider = |own: &SpfTerm| matches!(own, SpfTerm::Network(own) if policy.addresses.iter().any(|said| said.contains(own)));
    terms.retain(|own| !wider(own));
    terms.extend(policy.addresses.iter().copied().map(SpfTerm::Network));
    let includes = relays.iter().flat_map(|relay| &relay.spf_includes).chain(&policy.includes);
    terms.extend(includes.cloned().map(SpfTerm::Include));
    let mut seen = Vec::new();
    terms.retain(|term| {
        !seen.contains(term) && {
            seen.push(term.clone());
            true
        }
    });
    Ok(Spf { terms, all: policy.all })
}

/// Whether a record names where a relay sends from, as far as that can be said from here. What the relay says of itself is in the
/// record. Where it says nothing, the addresses in `spf` are taken for its own, unless it is known by an address that is none of
/// them; the record of another name is, if both are of one provider.
pub fn names_relay(record: &Spf, policy: &SpfPolicy, relay: &Relay) -> bool {
    if !relay.spf_includes.is_empty() {
        return relay.spf_includes.iter().all(|name| record.terms.contains(&SpfTerm::Include(name.clone())));
    }
    match &relay.host {
        HostName::Literal(address) if !is_inside(*address) => {
            let address = address.to_canonical();
            record.terms.iter().any(|term| matches!(term, SpfTerm::Network(network) if network.contains(&address)))
        }
        HostName::Literal(_) => !policy.addresses.is_empty() || !policy.includes.is_empty(),
        HostName::Domain(host) => !policy.addresses.is_empty() || policy.includes.iter().any(|name| are_akin(name, host)),
    }
}

/// An address that nobody outside sees.
fn is_inside(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_private() || address.is_loopback() || address.is_link_local(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_loopback() || address.is_unicast_link_local(),
    }
}

/// Whether the last two labels of both are the same.
fn are_akin(a: &Domain, b: &Domain) -> bool {
    let end = |name: &Domain| name.as_str().rmatch_indices('.').nth(1).map_or(0, |(at, _)| at + 1);
    a.as_str()[end(a)..] == b.as_str()[end(b)..]
}

/// The relays that mail from a domain can leave through, backups too.
pub fn egress<'a>(site: &'a Site, domain: &Domain) -> Vec<&'a Relay> {
    let mut relays: Vec<&Relay> = Vec::new();
    let named = ways(site, domain).filter_map(|route| match &route.via {
        Via::Relay(name) => site.relay(name),
        Via::Direct => None,
    });
    for relay in named.flat_map(|relay| site.carriers(relay)) {
        if !relays.iter().any(|known| known.name == relay.name) {
            relays.push(relay);
        }
    }
    relays
}

/// The routes that mail from a domain can take.
pub fn ways<'a>(site: &'a Site, domain: &Domain) -> impl Iterator<Item = &'a Route> {
    let covering = site.routes.iter().filter(move |route| match &route.from {
        RoutePattern::Any => true,
        RoutePattern::Domain(from) => from == domain,
        RoutePattern::Below(parent) => domain != parent && domain.is_within(parent),
    });
    // First match wins: behind a route to everywhere, nothing is reached.
    let mut is_open = true;
    covering.take_while(move |route| std::mem::replace(&mut is_open, route.to != RoutePattern::Any))
}
