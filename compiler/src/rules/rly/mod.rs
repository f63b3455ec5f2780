//! Relaying: who may send to anywhere without a login.

pub mod balancer_anybody;
pub mod chosen_destination;
pub mod container_pool;
pub mod link_local;
pub mod open_relay;
pub mod private_behind_public;
pub mod shared_space;
pub mod trust_without_listener;
pub mod wide_network;

use crate::lower::draft::{ListenerDraft, NetworkDraft, SiteDraft};
use crate::source::Spanned;
use ipnet::IpNet;
use std::net::IpAddr;

/// The class of clients that nothing is known of, as an `allow` names it.
const STRANGERS: &str = "strangers";

/// A range whose clients may relay without a login, by whichever door.
struct Trusted<'a> {
    range: &'a Spanned<IpNet>,
    /// "The network \"office\" trusts", for messages.
    who: String,
    /// Why, as the site says; only a network says it.
    reason: &'a str,
    /// The class of clients that it is, as an `allow` names it.
    class: String,
}

/// The ranges that may relay: those of networks, and the peers of listeners for filters.
fn trusted(draft: &SiteDraft) -> impl Iterator<Item = Trusted<'_>> {
    let networks = draft.networks.iter().flat_map(trusted_network);
    let peers = draft.listeners.iter().flat_map(|listener| listener.peers.iter().map(|range| by_listener(listener, range)));
    networks.chain(peers)
}

fn trusted_network(network: &NetworkDraft) -> impl Iterator<Item = Trusted<'_>> {
    let ranges = network.ranges.iter().filter(|_| network.relay.value);
    ranges.map(|range| Trusted {
        range,
        who: format!("The network {:?} trusts", network.name.value),
        reason: network.reason.value.trim(),
        class: class_of(network),
    })
}

fn by_listener<'a>(listener: &'a ListenerDraft, range: &'a Spanned<IpNet>) -> Trusted<'a> {
    Trusted {
        range,
        who: format!("The listener {:?} trusts", listener.name.value),
        reason: "",
        class: class_of_listener(listener),
    }
}

/// Those whose word is taken for which client they speak for.
fn spokesmen(draft: &SiteDraft) -> impl Iterator<Item = Trusted<'_>> {
    draft.listeners.iter().flat_map(|listener| {
        let ranges = listener.proxy_from.iter().chain(&listener.xclient_from);
        ranges.map(|range| Trusted {
            who: format!("The listener {:?} believes", listener.name.value),
            ..by_listener(listener, range)
        })
    })
}

/// The class of clients that a network is, as an `allow` names it.
fn class_of(network: &NetworkDraft) -> String {
    format!("network {}", network.name.value)
}

/// The class of clients that come by a listener, as an `allow` names it.
pub(super) fn class_of_listener(listener: &ListenerDraft) -> String {
    format!("listener {}", listener.name.value)
}

/// Whether `range` lies within one of these blocks.
pub(super) fn is_within(range: IpNet, blocks: &[&str]) -> bool {
    blocks.iter().filter_map(|block| block.parse::<IpNet>().ok()).any(|block| block.contains(&range))
}

/// Whether `range` and one of these blocks have an address in common.
fn meets(range: IpNet, blocks: &[&str]) -> bool {
    blocks.iter().filter_map(|block| block.parse::<IpNet>().ok()).any(|block| block.contains(&range) || range.contains(&block))
}

/// Whether both lie in networks that no router passes on to the Internet: private, loopback, link-local, shared.
pub(super) fn is_private(range: IpNet) -> bool {
    const PRIVATE: [&str; 9] = [
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    ];
    is_within(range, &PRIVATE)
}

fn is_loopback(range: IpNet) -> bool {
    match range.network() {
        IpAddr::V4(address) => address.is_loopback() && range.prefix_len() >= 8,
        IpAddr::V6(address) => address.is_loopback() && range.prefix_len() == 128,
    }
}
