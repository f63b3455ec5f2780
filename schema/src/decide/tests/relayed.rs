//! Relay domains: whom they take mail for, and where it goes.

use super::*;
use crate::site::{FromAddress, NextHop, Onward};

/// The site, and relayed.example behind it, where alice and postmaster are known and abuse is ours.
fn with_relayed(via: Option<NextHop>, listed: bool) -> Memory {
    let mut site = site();
    let name = domain("relayed.example");
    let (key, domain) = entry("relayed.example", DomainClass::Relay(Onward { via, listed }));
    site.domains.insert(key, domain);
    let ours = AddressKind::Alias(vec![Forward { mailbox: mailbox("bob@example.com") }]);
    for (local, kind) in [("alice", AddressKind::Relayed), ("abuse", ours)] {
        site.addresses.insert((name.clone(), local.to_owned()), AddressEntry { kind, origin: at(30) });
    }
    site
}

fn taken(site: &Memory, to: &str) -> Reason {
    accepting(site, client("mx", "198.51.100.1", None), to).reason
}

fn hop(site: &Memory, from: &str, to: &str) -> Option<Destination> {
    let (from, to) = (ReversePath::parse(from).unwrap(), mailbox(to));
    match route(&RouteFacts { reverse_path: &from, recipient: &to, sent_as: &SentAs::Sender }, site)
        .verdict()
        .unwrap()
        .disposition
    {
        Disposition::Accept(hop) => {
            assert_eq!(hop.mailbox, to);
            Some(hop.destination)
        }
        _ => None,
    }
}

#[test]
fn whom_a_relay_domain_takes_mail_for() {
    let via = Some(NextHop::Relay("up".into()));
    let (listed, open) = (with_relayed(via.clone(), true), with_relayed(via, false));
    for (to, when_listed, when_open) in [
        ("alice@relayed.example", Reason::RelayDomain, Reason::RelayDomain),
        ("ALICE+list@relayed.example", Reason::RelayDomain, Reason::RelayDomain),
        ("postmaster@relayed.example", Reason::RelayDomain, Reason::RelayDomain),
        ("abuse@relayed.example", Reason::LocalRecipient, Reason::LocalRecipient),
        ("mallory@relayed.example", Reason::UnknownMailbox, Reason::RelayDomain),
        ("+alice@relayed.example", Reason::UnknownMailbox, Reason::RelayDomain),
        ("x%elsewhere.example@relayed.example", Reason::UnknownMailbox, Reason::RelayDomain),
        ("alice@below.relayed.example", Reason::RelayDenied, Reason::RelayDenied),
    ] {
        assert_eq!((taken(&listed, to), taken(&open, to)), (when_listed, when_open), "{to}");
    }
}

#[test]
fn where_mail_of_a_relay_domain_goes() {
    let to = "Alice+list@relayed.example";
    let relay = |from_address| Destination::Relay { name: "up".into(), tls: TlsLevel::Verify, from_address };
    assert_eq!(
        hop(&with_relayed(Some(NextHop::Relay("up".into())), true), "x@other.example", to),
        Some(relay(FromAddress::NONE))
    );
    let transport = Destination::Transport { name: "store".into(), means: crate::site::Means::Maildir };
    assert_eq!(hop(&with_relayed(Some(NextHop::Transport("store".into())), true), "x@other.example", to), Some(transport));
    // Without a host of its own it has a route or none, like all that is elsewhere; and without one, it takes no mail.
    let routed = with_relayed(None, true);
    assert_eq!(hop(&routed, "alice@example.com", to), Some(relay(FromAddress::NONE)));
    assert_eq!(hop(&routed, "x@other.example", to), None);
    assert_eq!(taken(&routed, to), Reason::RelayDomain);
    let mut without = with_relayed(None, true);
    without.site.routes.clear();
    assert_eq!(taken(&without, to), Reason::NoRoute);
    // A name that is not in the site is no way either.
    assert_eq!(taken(&with_relayed(Some(NextHop::Relay("gone".into())), true), to), Reason::NoRoute);
}
