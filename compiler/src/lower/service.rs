//! `listen`, `network`, `users`: who reaches the host.

use super::Lowering;
use super::draft::{ListenerDraft, NetworkDraft, Part, SendAsDraft, Setting, UsersDraft, WebDraft};
use crate::rules::LISTENER_WITHOUT_KIND;
use crate::source::Spanned;
use crate::syntax::View;
use ipnet::IpNet;
use postern_schema::name::Mailbox;
use postern_schema::site::{ListenerKind, SecretName};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Without an `address`, every address of the host: IPv4 and IPv6 are two sockets, so that either may be missing.
const EVERY_ADDRESS: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];

/// What a listener is for: mail of some kind, or web pages.
enum Service {
    Mail(ListenerKind),
    Web,
}

impl Service {
    const WEB: &str = "web";
    const WEB_PORT: u16 = 443;

    fn parse(word: &str) -> Option<Service> {
        if word == Service::WEB { Some(Service::Web) } else { ListenerKind::parse(word).map(Service::Mail) }
    }
}

pub(super) fn listeners(lowering: &mut Lowering<'_>) -> (Vec<ListenerDraft>, Vec<WebDraft>) {
    let views: Vec<View<'_>> = lowering.document.children("listen").collect();
    let (mut mail, mut web) = (Vec::new(), Vec::new());
    for view in &views {
        let Some((name, service)) = named(view, lowering) else { continue };
        let (span, name) = (view.span(), boxed(name));
        let addresses = match view.property::<IpAddr>("address") {
            Some(address) => vec![Setting::new(Some(address), EVERY_ADDRESS[0])],
            None => EVERY_ADDRESS.map(Setting::default_of).to_vec(),
        };
        let port = |usual| Setting::new(view.property::<u16>("port"), usual);
        match service.value {
            Service::Mail(kind) => {
                let (kind, port) = (Spanned::new(kind, service.span), port(kind.default_port()));
                mail.push(ListenerDraft { span, name, kind, addresses, port });
            }
            Service::Web => web.push(WebDraft { span, name, addresses, port: port(Service::WEB_PORT) }),
        }
    }
    (mail, web)
}

/// The name of a listener, and what it is for.
fn named(view: &View<'_>, lowering: &mut Lowering<'_>) -> Option<(Spanned<String>, Spanned<Service>)> {
    let name = view.argument::<String>("name").filter(|name| lowering.listeners.is_first(name))?;
    let kind = if view.property_span("kind").is_some() {
        let word = view.property::<String>("kind")?;
        Spanned::new(Service::parse(&word.value)?, word.span)
    } else if let Some(kind) = Service::parse(&name.value) {
        Spanned::new(kind, name.span)
    } else if lowering.gaps.holds(Part::Listeners) {
        return None;
    } else {
        lowering.findings.push(
            LISTENER_WITHOUT_KIND
                .at(name.span, format!("{:?} is no kind of listener, and there is no kind= beside it", name.value))
                .help("Write kind=\"mx\", kind=\"submission\", kind=\"submissions\" or kind=\"web\"")
                .postfix(&["master.cf"]),
        );
        return None;
    };
    Some((name, kind))
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
