//! SIT007: an address that DNS sends mail to, and nothing listens there.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::{DomainClass, ListenerKind};
use std::net::IpAddr;

/// The rule.
pub static RULE: Rule = Rule::check(
    "SIT007",
    "address-unheard",
    Severity::Warning,
    &[Part::Host, Part::Listeners, Part::Domains],
    check,
    include_str!("address_unheard.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let draft = subject.draft;
    let takes_mail = draft.domains.iter().any(|domain| domain.class.value != DomainClass::Parked);
    let of_mx = || draft.listeners.iter().filter(|listener| listener.kind.value == ListenerKind::Mx);
    // What stands in front of the host may be reached otherwise than it is.
    if !takes_mail || of_mx().any(|listener| listener.proxy_from.is_some() || listener.socket.is_some()) {
        return;
    }
    let bound = || of_mx().flat_map(|listener| &listener.addresses).map(|address| address.value);
    if !bound().any(|address| !address.is_loopback()) {
        return;
    }
    for address in &draft.host.addresses {
        let public = address.value;
        // Behind a translation of addresses, an inner address stands for the outer one.
        let hears =
            |bound: IpAddr| bound.is_ipv4() == public.is_ipv4() && (bound.is_unspecified() || bound == public || is_inner(bound));
        if !bound().any(hears) {
            let host = &draft.host.hostname.value;
            findings.push(
                RULE.at(address.span, format!("DNS says that {host} is at {public}, and no listener takes mail there"))
                    .help(format!("Write address=\"{public}\" at another `listen`, or remove the address"))
                    .postfix(&["inet_interfaces", "inet_protocols"]),
            );
        }
    }
}

fn is_inner(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private(),
        IpAddr::V6(address) => address.is_unique_local(),
    }
}
