//! SIT003: a public address that is none.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use std::net::IpAddr;

/// The rule.
pub static RULE: Rule = Rule::check("SIT003", "private-address", Severity::Error, &[], check, include_str!("private_address.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for address in &subject.draft.host.addresses {
        if let Some(what) = not_public(address.value) {
            findings.push(
                RULE.at(address.span, format!("{} is {what}, and `address` is for those that the Internet sees", address.value))
                    .help("Write the address that other hosts see, where NAT hides it; the local one belongs to `listen`")
                    .postfix(&["proxy_interfaces", "inet_interfaces"]),
            );
        }
    }
}

fn not_public(address: IpAddr) -> Option<&'static str> {
    match address.to_canonical() {
        address if address.is_unspecified() => Some("no address at all"),
        address if address.is_loopback() => Some("a loopback address"),
        address if address.is_multicast() => Some("a multicast address"),
        IpAddr::V4(v4) if v4.is_private() => Some("a private address"),
        IpAddr::V4(v4) if v4.is_link_local() => Some("a link-local address"),
        IpAddr::V4(v4) if v4.octets()[0] == 100 && v4.octets()[1] & 0xC0 == 64 => Some("shared by the access provider"),
        IpAddr::V6(v6) if v6.is_unique_local() => Some("a private address"),
        IpAddr::V6(v6) if v6.is_unicast_link_local() => Some("a link-local address"),
        _ => None,
    }
}
