//! `listen`, `network`, `users`: who reaches the host.

use super::Lowering;
use super::draft::{ListenerDraft, NetworkDraft, Part, SendAsDraft, Setting, UsersDraft, WebDraft};
use crate::rules::{BACKEND_OF_USERS, LISTENER_WITHOUT_KIND, SPOKESMAN_OF_WEB};
use crate::source::Spanned;
use crate::syntax::View;
use ipnet::IpNet;
use postern_schema::name::Mailbox;
use postern_schema::site::{Check, Endpoint, ListenerKind, SecretName, UserBackend};
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
                let [proxy_from, xclient_from] = ["proxy-protocol-from", "xclient-from"].map(|name| view.property::<IpNet>(name));
                mail.push(ListenerDraft { span, name, kind, addresses, port, proxy_from, xclient_from });
            }
            Service::Web => {
                for property in ["proxy-protocol-from", "xclient-from"] {
                    let Some(span) = view.property_span(property) else { continue };
                    let message = format!("`{property}` is about mail, and this listener serves web pages");
                    let finding =
                        SPOKESMAN_OF_WEB.at(span, message).help("Remove it; let clients reach this listener themselves");
                    lowering.findings.push(finding);
                }
                web.push(WebDraft { span, name, addresses, port: port(Service::WEB_PORT) });
            }
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
            exempt: view.child("exempt").map_or_else(Vec::new, |exempt| exempted(&exempt)),
            reason: Setting::new(reason, Box::default()),
        })
    };
    lowering.document.children("network").filter_map(network).collect()
}

fn exempted(view: &View<'_>) -> Vec<Spanned<Check>> {
    let words = view.arguments::<String>("checks").into_iter();
    words.filter_map(|word| Some(Spanned::new(Check::parse(&word.value)?, word.span))).collect()
}

pub(super) fn users(lowering: &mut Lowering<'_>) -> Vec<UsersDraft> {
    let views: Vec<View<'_>> = lowering.document.children("users").collect();
    let store = |view: View<'_>| {
        let name = view.argument::<String>("name").filter(|name| lowering.users.is_first(name))?;
        let backend = backend(&view, &name.value, lowering)?;
        let send_as = view.children("may-send-as").filter_map(|view| send_as(&view)).collect();
        let messages = view.child("limit").and_then(|limit| limit.property("messages"));
        Some(UsersDraft { span: view.span(), name: boxed(name), backend, send_as, messages })
    };
    views.into_iter().filter_map(store).collect()
}

/// Who knows the passwords: exactly one of those who can.
fn backend(view: &View<'_>, name: &str, lowering: &mut Lowering<'_>) -> Option<Spanned<UserBackend>> {
    let wrong = |span, what: &str| {
        BACKEND_OF_USERS
            .at(span, format!("The users of {name:?} {what}"))
            .help("Write `passwd secret=\"users\"` or `dovecot \"unix:/run/dovecot/auth-client\"`; a second store is a second `users`")
            .postfix(&["smtpd_sasl_type", "smtpd_sasl_path"])
    };
    match (view.child("passwd"), view.child("dovecot")) {
        (Some(passwd), None) => passwd.property::<SecretName>("secret").map(|secret| secret.map(UserBackend::Passwd)),
        (None, Some(dovecot)) => {
            let socket = dovecot.argument::<Endpoint>("socket")?;
            if let Endpoint::Unix(path) = socket.value {
                return Some(Spanned::new(UserBackend::Dovecot(path), socket.span));
            }
            // Passwords pass over it, and the protocol protects nothing.
            lowering.findings.push(wrong(socket.span, "are asked for over a network, in the clear"));
            None
        }
        (Some(_), Some(dovecot)) => {
            lowering.findings.push(wrong(dovecot.span(), "have two places for their passwords"));
            None
        }
        (None, None) => {
            // What could not be read may have been it.
            if !lowering.gaps.holds(Part::Users) {
                lowering.findings.push(wrong(view.span(), "have no passwords anywhere"));
            }
            None
        }
    }
}

fn send_as(view: &View<'_>) -> Option<SendAsDraft> {
    let user = boxed(view.argument::<String>("user")?);
    Some(SendAsDraft { span: view.span(), user, mailboxes: view.arguments::<Mailbox>("addresses") })
}

pub(super) fn boxed(text: Spanned<String>) -> Spanned<Box<str>> {
    text.map(String::into_boxed_str)
}
