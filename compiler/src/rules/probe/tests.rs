//! The proof against brute force: what it says of a region must be what the daemon says of any address in it.

use super::{OpenPath, open_paths, recipients_elsewhere, regions, relays, size};
use crate::compile::{CompileOptions, compile_text};
use crate::model::Model;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use postern_schema::site::{Network, Origin};
use proptest::prelude::*;
use std::net::IpAddr;

fn model() -> Model {
    let text = r#"
site "mail.example.com" { postmaster "alice@example.com"; }
tls { self-signed; }
listen "mx"
listen "submission"
users "u" { passwd secret="u"; }
domain "example.com" { mailbox "alice"; }
route to="partner.example" via="direct" tls="verify"
route to="*" via="direct"
"#;
    compile_text("site.kdl", text, &CompileOptions::default()).model.unwrap()
}

fn range() -> impl Strategy<Value = IpNet> {
    let v4 = (any::<u32>(), 0..=32_u8).prop_map(|(bits, prefix)| IpNet::V4(Ipv4Net::new(bits.into(), prefix).unwrap().trunc()));
    // Few distinct addresses, so that ranges nest and neighbours meet.
    let near = (0_u32..8, 24..=32_u8)
        .prop_map(|(bits, prefix)| IpNet::V4(Ipv4Net::new((0xC000_0200 + bits * 32).into(), prefix).unwrap().trunc()));
    let v6 = (any::<u128>(), 0..=128_u8)
        .prop_map(|(bits, prefix)| IpNet::V6(Ipv6Net::new((bits | 1 << 125).into(), prefix).unwrap().trunc()));
    prop_oneof![v4, near, v6]
}

fn networks() -> impl Strategy<Value = Vec<Network>> {
    let network = (proptest::collection::vec(range(), 1..4), any::<bool>());
    proptest::collection::vec(network, 0..6).prop_map(|networks| {
        let named = |(index, (ranges, relay)): (usize, (Vec<IpNet>, bool))| Network {
            name: format!("n{index}").into(),
            ranges,
            certificates: Vec::new(),
            relay,
            exempt: Vec::new(),
            mends_line_ends: false,
            reason: Box::default(),
            origin: Origin::DEFAULT,
        };
        networks.into_iter().enumerate().map(named).collect()
    })
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<u32>().prop_map(|bits| IpAddr::V4(bits.into())),
        (0_u32..512).prop_map(|bits| IpAddr::V4((0xC000_0180 + bits).into())),
        any::<u128>().prop_map(|bits| IpAddr::V6((bits | 1 << 125).into())),
    ]
}

/// The open paths of the region that holds the address.
fn proof<'a>(open: &'a [OpenPath], ranges: &[IpNet], address: IpAddr) -> Option<&'a OpenPath> {
    let region = ranges.iter().filter(|range| range.contains(&address)).max_by_key(|range| range.prefix_len())?;
    open.iter().find(|path| path.region.range == *region)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_proof_agrees_with_the_daemon_on_every_address(networks in networks(), addresses in proptest::collection::vec(address(), 64)) {
        let mut model = model();
        model.site.networks = networks;
        let ranges: Vec<IpNet> = regions(&model.site).iter().map(|region| region.range).collect();
        let open = open_paths(&model);
        let edges = model.site.networks.iter().flat_map(|network| &network.ranges).flat_map(|range| [range.network(), range.broadcast()]);
        let addresses: Vec<IpAddr> = addresses.into_iter().chain(edges).collect();
        for address in addresses {
            // A range that others fill completely is no region, and no address falls into it alone.
            let daemon = recipients_elsewhere(&model).iter().any(|recipient| relays(&model, "mx", address, recipient));
            prop_assert_eq!(proof(&open, &ranges, address).is_some(), daemon, "{}", address);
            prop_assert!(!recipients_elsewhere(&model).iter().any(|recipient| relays(&model, "submission", address, recipient)));
        }
    }

    #[test]
    fn regions_divide_the_address_space(networks in networks()) {
        let mut model = model();
        model.site.networks = networks;
        let regions = regions(&model.site);
        let v4: u128 = regions.iter().filter(|region| region.representative.is_ipv4()).map(|region| region.addresses).sum();
        prop_assert_eq!(v4, 1 << 32);
        for region in &regions {
            prop_assert!(region.range.contains(&region.representative));
            prop_assert!(region.addresses <= size(region.range));
            let inner = regions.iter().filter(|other| other.range != region.range && region.range.contains(&other.range));
            prop_assert!(inner.into_iter().all(|other| !other.range.contains(&region.representative)));
        }
    }
}

#[test]
fn two_halves_of_the_internet_are_the_internet() {
    let mut model = model();
    assert!(open_paths(&model).is_empty());
    let ranges = ["0.0.0.0/1", "128.0.0.0/1"].map(|range| range.parse().unwrap()).to_vec();
    model.site.networks = vec![Network {
        name: "all".into(),
        ranges,
        certificates: Vec::new(),
        relay: true,
        mends_line_ends: false,
        exempt: Vec::new(),
        reason: Box::default(),
        origin: Origin::DEFAULT,
    }];
    let open = open_paths(&model);
    let public: u128 = open.iter().filter(|path| path.region.public).map(|path| path.region.addresses).sum();
    assert!(public > 3_000_000_000, "{public}");
    // Taking everything but one /24 away again closes it.
    let name = "none".into();
    let ranges =
        ["0.0.0.0/1", "128.0.0.0/1"].iter().flat_map(|half| half.parse::<IpNet>().unwrap().subnets(2).unwrap()).collect();
    model.site.networks.push(Network {
        name,
        ranges,
        certificates: Vec::new(),
        relay: false,
        mends_line_ends: false,
        exempt: Vec::new(),
        reason: Box::default(),
        origin: Origin::DEFAULT,
    });
    assert!(open_paths(&model).is_empty());
}
