//! `listen`, `network`, `users`: who reaches the host.

use super::Lowering;
use super::draft::{ListenerDraft, NetworkDraft, Part, SendAsDraft, Setting, UsersDraft};
use crate::rules::LISTENER_WITHOUT_KIND;
use crate::source::Spanned;
use crate::syntax::View;
use ipnet::IpNet;
use postern_schema::name::Mailbox;
use postern_schema::site::{ListenerKind, SecretName};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Without an `address`, every address of the host: IPv4 and IPv6 are two sockets, so that either may be missing.
const EVERY_ADDRESS: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];

pub(super) fn listeners(lowering: &mut Lowering<'_>) -> Vec<ListenerDraft> {
    let views: Vec<View<'_>> = lowering.document.children("listen").collect();
    views.iter().filter_map(|view| listener(view, lowering)).collect()
}

fn listener(view: &View<'_>, lowering: &mut Lowering<'_>) -> Option<ListenerDraft> {
    let name = view.argument::<String>("name").filter(|name| lowering.listeners.is_first(name))?;
    let kind = if view.property_span("kind").is_some() {
        let word = view.property::<String>("kind")?;
        Spanned::new(ListenerKind::parse(&word.value)?, word.span)
    } else if let Some(kind) = ListenerKind::parse(&name.value) {
        Spanned::new(kind, name.span)
    } else if lowering.gaps.holds(Part::Listeners) {
        return None;
    } else {
        lowering.findings.push(
            LISTENER_WITHOUT_KIND
                .at(name.span, format!("{:?} is no kind of listener, and there is no kind= beside it", name.value))
                .help("Write kind=\"mx\", kind=\"submission\" or kind=\"submissions\"")
                .postfix(&["master.cf"]),
        );
        return None;
    };
    let addresses = match view.property::<IpAddr>("address") {
        Some(address) => vec![Setting::new(Some(address), EVERY_ADDRESS[0])],
        None => EVERY_ADDRESS.map(Setting::default_of).to_vec(),
    };
    let port = Setting::new(view.property::<u16>("port"), kind.value.default_port());
    Some(ListenerDraft { span: view.span(), name: boxed(name), kind, addresses, port })
}

pub(super) fn networks(lowering: &mut Lowering<'_>) -> Vec<NetworkDraft> {
    let network = |view: View<'_>| {
        let name = view.argument::<String>("name").filter(|name| lowering.networks.is_first(name))?;
        let reason = view.property::<String>("reason").map(boxed);
        Some(NetworkDraft {
            span: view.span(),
            name: boxed(name),
            ranges: view.arguments::<IpNet>("ranges"),
            relay: Setting::new(view.property::<bool>("relay"), false),
            reason: Setting::new(reason, Box::default()),
        })
    };
    lowering.document.children("network").filter_map(network).collect()
}

pub(super) fn users(lowering: &mut Lowering<'_>) -> Vec<UsersDraft> {
    let store = |view: View<'_>| {
        let name = view.argument::<String>("name").filter(|name| lowering.users.is_first(name))?;
        let passwd = view.child("passwd")?.property::<SecretName>("secret")?;
        let send_as = view.children("may-send-as").filter_map(|view| send_as(&view)).collect();
        Some(UsersDraft { span: view.span(), name: boxed(name), passwd, send_as })
    };
    lowering.document.children("users").filter_map(store).collect()
}

fn send_as(view: &View<'_>) -> Option<SendAsDraft> {
    let user = boxed(view.argument::<String>("user")?);
    Some(SendAsDraft { span: view.span(), user, mailboxes: view.arguments::<Mailbox>("addresses") })
}

pub(super) fn boxed(text: Spanned<String>) -> Spanned<Box<str>> {
    text.map(String::into_boxed_str)
}
