//! `listen`, `network`: who reaches the host, and where.

use super::Lowering;
use super::draft::{ListenerDraft, NetworkDraft, Part, Setting, WebDraft};
use crate::rules::{LISTENER_WITHOUT_KIND, LMTP_ON_25, MISPLACED_PROPERTY, NETWORK_OF_NOBODY, SPOKESMAN_OF_WEB};
use crate::source::Spanned;
use crate::syntax::View;
use ipnet::IpNet;
use postern_schema::site::{Check, Endpoint, Fingerprint, ListenerKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Without an `address`, a listener for peers is bound where filters are.
const THIS_HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Any other listener, to every address of the host: IPv4 and IPv6 are two sockets, so that either may be missing.
pub(super) const EVERY_ADDRESS: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];

/// What a listener is for: mail of some kind, or web pages.
#[derive(Clone, Copy)]
enum Service {
    Mail(ListenerKind),
    Web,
}

impl Service {
    const WEB: &str = "web";
    const WEB_PORT: u16 = 443;

    fn is_for_peers(self) -> bool {
        matches!(self, Service::Mail(kind) if kind.is_for_peers())
    }

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
            None if service.value.is_for_peers() => vec![Setting::default_of(THIS_HOST)],
            None => EVERY_ADDRESS.map(Setting::default_of).to_vec(),
        };
        report_misplaced(view, &service, lowering);
        let port = |usual| Setting::new(view.property::<u16>("port"), usual);
        match service.value {
            Service::Mail(kind) => {
                let (kind, port) = (Spanned::new(kind, service.span), port(kind.default_port()));
                let [proxy_from, xclient_from] = ["proxy-protocol-from", "xclient-from"].map(|name| view.property::<IpNet>(name));
                let peers = view.property::<IpNet>("from");
                let mut listener =
                    ListenerDraft { span, name, kind, addresses, port, socket: None, peers, proxy_from, xclient_from };
                if let Some(Spanned { value: Endpoint::Unix(path), span }) = view.property::<Endpoint>("socket") {
                    listener.socket = Some(Spanned::new(path, span));
                    (listener.addresses, listener.port) = (Vec::new(), Setting::default_of(0));
                }
                mail.push(listener);
            }
            Service::Web => web.push(WebDraft { span, name, addresses, port: port(Service::WEB_PORT) }),
        }
    }
    (mail, web)
}

/// Properties that mean nothing for what the listener is for, and a port that LMTP may not have.
fn report_misplaced(view: &View<'_>, service: &Spanned<Service>, lowering: &mut Lowering<'_>) {
    let about = match &service.value {
        Service::Web => {
            for property in ["proxy-protocol-from", "xclient-from"] {
                let Some(span) = view.property_span(property) else { continue };
                let message = format!("`{property}` is about mail, and this listener serves web pages");
                let finding = SPOKESMAN_OF_WEB.at(span, message).help("Remove it; let clients reach this listener themselves");
                lowering.findings.push(finding);
            }
            &[("from", "its pages are for everybody"), ("socket", "browsers and mail hosts reach a port alone")][..]
        }
        Service::Mail(ListenerKind::Reinject) => &[
            ("socket", "SMTP has a port; a socket in the file system is for kind=\"lmtp\""),
            ("proxy-protocol-from", "its peers are believed by their own address"),
            ("xclient-from", "its peers are believed as they are, and say by XFORWARD whom they speak for"),
        ],
        Service::Mail(ListenerKind::Lmtp) => &[
            ("proxy-protocol-from", "its peers are believed by their own address"),
            ("xclient-from", "its peers are believed as they are, and say by XFORWARD whom they speak for"),
        ],
        Service::Mail(_) => &[
            ("from", "it takes mail from everybody, or from users wherever they are"),
            ("socket", "a socket in the file system is for kind=\"lmtp\""),
        ],
    };
    for (property, why) in about {
        if let Some(span) = view.property_span(property) {
            let message = format!("`{property}` means nothing for this listener: {why}");
            lowering.findings.push(MISPLACED_PROPERTY.at(span, message).help("Remove it, or write another kind="));
        }
    }
    if !matches!(service.value, Service::Mail(ListenerKind::Lmtp)) {
        return;
    }
    if let Some(port) = view.property::<u16>("port").filter(|port| port.value == ListenerKind::Mx.default_port()) {
        lowering.findings.push(
            LMTP_ON_25
                .at(port.span, "LMTP is never spoken on port 25: other hosts would take it for SMTP")
                .help("Write port=24, or socket=\"unix:/run/postern/lmtp\"")
                .postfix(&["master.cf"]),
        );
    }
    let Some(socket) = view.property::<Endpoint>("socket") else { return };
    if let Endpoint::Inet { .. } = socket.value {
        let message = "This is a port, not a socket in the file system";
        let finding = MISPLACED_PROPERTY.at(socket.span, message).help("Write address= and port=, or socket=\"unix:/path\"");
        lowering.findings.push(finding);
    }
    for property in ["address", "port", "from"] {
        if let Some(span) = view.property_span(property) {
            let message = format!("`{property}` means nothing beside `socket`: who may open the socket is for its folder to say");
            lowering.findings.push(MISPLACED_PROPERTY.at(span, message).help("Remove one of the two"));
        }
    }
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
                .help("Write kind=\"mx\", kind=\"submission\", kind=\"submissions\", kind=\"reinject\", kind=\"lmtp\" or kind=\"web\"")
                .postfix(&["master.cf"]),
        );
        return None;
    };
    Some((name, kind))
}

pub(super) fn networks(lowering: &mut Lowering<'_>) -> Vec<NetworkDraft> {
    let views: Vec<View<'_>> = lowering.document.children("network").collect();
    let mut network = |view: View<'_>| {
        let name = view.argument::<String>("name").filter(|name| lowering.networks.is_first(name))?;
        let reason = view.property::<String>("reason").map(boxed);
        let certificates: Vec<Spanned<Fingerprint>> =
            view.children("certificate").flat_map(|view| view.arguments("fingerprints")).collect();
        // What could not be read may have been one.
        let says_none = view.node().arguments.len() < 2 && view.children("certificate").next().is_none();
        if says_none && !lowering.gaps.holds(Part::Networks) {
            lowering.findings.push(
                NETWORK_OF_NOBODY
                    .at(name.span, format!("Nobody is in the network {:?}: it has neither ranges nor certificates", name.value))
                    .help("Write its addresses, as in `network \"office\" \"192.0.2.0/24\"`, or `certificate` in its block")
                    .postfix(&["mynetworks", "relay_clientcerts"]),
            );
        }
        Some(NetworkDraft {
            span: view.span(),
            name: boxed(name),
            ranges: view.arguments::<IpNet>("ranges"),
            certificates,
            relay: Setting::new(view.property::<bool>("relay"), false),
            exempt: view.child("exempt").map_or_else(Vec::new, |exempt| exempted(&exempt)),
            mends_line_ends: Setting::new(view.property::<bool>("mend-line-ends"), false),
            reason: Setting::new(reason, Box::default()),
        })
    };
    views.into_iter().filter_map(&mut network).collect()
}

fn exempted(view: &View<'_>) -> Vec<Spanned<Check>> {
    let words = view.arguments::<String>("checks").into_iter();
    words.filter_map(|word| Some(Spanned::new(Check::parse(&word.value)?, word.span))).collect()
}

pub(super) fn boxed(text: Spanned<String>) -> Spanned<Box<str>> {
    text.map(String::into_boxed_str)
}
