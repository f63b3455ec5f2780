//! LST001: two listeners on one address and port.

use crate::lower::draft::{Part, Setting, SiteDraft};
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use crate::source::{Span, Spanned};
use std::net::IpAddr;

/// The rule.
pub static RULE: Rule =
    Rule::check("LST001", "bound-twice", Severity::Error, &[Part::Listeners, Part::Tls], check, include_str!("bound_twice.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let sockets = sockets(subject.draft);
    for (index, listener) in sockets.iter().enumerate() {
        if let Some(first) = sockets[..index].iter().find(|first| collide(first, listener)) {
            findings.push(
                RULE.at(listener.span, format!("Both {} and {} want port {}", first.name, listener.name, listener.port))
                    .also(first.span, "the first")
                    .help("Give one of the two another port= or address=")
                    .postfix(&["master.cf", "inet_interfaces"]),
            );
        }
    }
}

/// What a listener of any kind binds.
struct Socket {
    name: String,
    /// The place of the port, or of the whole.
    span: Span,
    addresses: Vec<IpAddr>,
    port: u16,
}

impl Socket {
    fn of_listener(name: &Spanned<Box<str>>, addresses: &[Setting<IpAddr>], port: &Setting<u16>) -> Socket {
        Socket {
            name: format!("the listener {:?}", name.value),
            span: port.span.unwrap_or(name.span),
            addresses: addresses.iter().map(|address| address.value).collect(),
            port: port.value,
        }
    }
}

fn sockets(draft: &SiteDraft) -> Vec<Socket> {
    let mail = draft.listeners.iter().map(|mail| Socket::of_listener(&mail.name, &mail.addresses, &mail.port));
    let challenges = draft.tls.acme.iter().filter_map(|acme| acme.http.as_ref());
    let web = draft.web.iter().chain(challenges).map(|web| Socket::of_listener(&web.name, &web.addresses, &web.port));
    let metrics = draft.metrics.iter().map(|metrics| Socket {
        name: "`metrics`".to_owned(),
        span: metrics.span,
        addresses: vec![metrics.value.ip()],
        port: metrics.value.port(),
    });
    // In the order of the site, so that the second one is at fault.
    let mut sockets: Vec<Socket> = mail.chain(web).chain(metrics).collect();
    sockets.sort_by_key(|socket| (socket.span.source, socket.span.start));
    sockets
}

fn collide(a: &Socket, b: &Socket) -> bool {
    // Port 0 is a new one each time.
    if a.port != b.port || a.port == 0 {
        return false;
    }
    a.addresses.iter().any(|a| {
        b.addresses.iter().any(|b| {
            let same_family = a.is_ipv4() == b.is_ipv4();
            a == b || same_family && (a.is_unspecified() || b.is_unspecified())
        })
    })
}
