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

use crate::lower::draft::NetworkDraft;
use crate::source::Spanned;
use ipnet::IpNet;
use std::net::IpAddr;

/// The ranges that may relay, each with its network.
fn relay_ranges(networks: &[NetworkDraft]) -> impl Iterator<Item = (&NetworkDraft, &Spanned<IpNet>)> {
    let relay = networks.iter().filter(|network| network.relay.value);
    relay.flat_map(|network| network.ranges.iter().map(move |range| (network, range)))
}

/// The class of clients that a network is, as an `allow` names it.
fn class_of(network: &NetworkDraft) -> String {
    format!("network {}", network.name.value)
}

/// Whether `range` lies within one of these blocks.
pub(super) fn is_within(range: IpNet, blocks: &[&str]) -> bool {
    blocks.iter().filter_map(|block| block.parse::<IpNet>().ok()).any(|block| block.contains(&range))
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
