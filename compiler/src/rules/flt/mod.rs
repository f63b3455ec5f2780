//! Filters and policy services: how they are wired together, and what becomes of mail when one of them fails. The runtime does not
//! serve them yet; what a site says of them is judged all the same.

pub mod changed_after_signing;
pub mod endpoint_is_self;
pub mod endpoint_twice;
pub mod exposed_reinject;
pub mod fail_open;
pub mod fail_open_signer;
pub mod filter_loop;
pub mod no_way_back;
pub mod outlasts_client;
pub mod plain_network;
pub mod unused_filter;
pub mod unused_reinject;

use crate::lower::draft::{FilterDraft, Flow, ListenerDraft, SiteDraft};
use postern_schema::name::HostName;
use postern_schema::site::Endpoint;
use std::net::IpAddr;

/// Every way in, as filters tell them apart.
fn flows(draft: &SiteDraft) -> impl Iterator<Item = Flow<'_>> {
    draft.listeners.iter().map(|listener| match listener.kind.value {
        kind if kind.is_for_peers() => Flow::Returned(&listener.name.value),
        kind => Flow::Listener(&listener.name.value, kind),
    })
}

/// The listeners that filters give mail back to.
fn returning(draft: &SiteDraft) -> impl Iterator<Item = &ListenerDraft> {
    draft.listeners.iter().filter(|listener| listener.kind.value.is_for_peers())
}

/// Whether some mail goes through both.
fn share_mail(draft: &SiteDraft, a: &FilterDraft, b: &FilterDraft) -> bool {
    flows(draft).any(|flow| a.sees(flow) && b.sees(flow))
}

/// Whether it signs, as it says itself or by its name.
fn is_signer(filter: &FilterDraft) -> bool {
    filter.signs.is_some() || filter.name.value.to_ascii_lowercase().contains("dkim")
}

/// Whether both are one socket.
fn is_same(a: &Endpoint, b: &Endpoint) -> bool {
    match (a, b) {
        (Endpoint::Inet { host: one, port }, Endpoint::Inet { host: other, port: other_port }) => {
            port == other_port && (one == other || is_loopback(one) && is_loopback(other))
        }
        _ => a == b,
    }
}

fn is_loopback(host: &HostName) -> bool {
    match host {
        HostName::Literal(address) => address.is_loopback(),
        HostName::Domain(name) => name.as_str() == "localhost",
    }
}

/// Whether a connection to `endpoint` ends at a listener of this site that is bound so.
fn is_bound(draft: &SiteDraft, endpoint: &Endpoint, address: IpAddr, port: u16) -> bool {
    let Endpoint::Inet { host, port: wanted } = endpoint else { return false };
    let is_ours = |host: &HostName| match host {
        HostName::Literal(found) => draft.host.addresses.iter().any(|own| own.value == *found),
        HostName::Domain(name) => *name == draft.host.hostname.value,
    };
    *wanted == port
        && match host {
            _ if address.is_unspecified() => is_loopback(host) || is_ours(host),
            HostName::Literal(found) => *found == address,
            HostName::Domain(_) => address.is_loopback() && is_loopback(host),
        }
}

#[cfg(test)]
mod tests;
