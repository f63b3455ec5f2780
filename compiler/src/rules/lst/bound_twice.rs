//! LST001: two listeners on one address and port.

use crate::lower::draft::{Part, Setting, SiteDraft};
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use crate::source::Spanned;
use std::net::IpAddr;

/// The rule.
pub static RULE: Rule =
    Rule::check("LST001", "bound-twice", Severity::Error, &[Part::Listeners, Part::Tls], check, include_str!("bound_twice.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let sockets = sockets(subject.draft);
    for (index, listener) in sockets.iter().enumerate() {
        if let Some(first) = sockets[..index].iter().find(|first| collide(first, listener)) {
            let span = listener.port.span.unwrap_or(listener.name.span);
            findings.push(
                RULE.at(
                    span,
                    format!(
                        "The listeners {:?} and {:?} both want port {}",
                        first.name.value, listener.name.value, listener.port.value
                    ),
                )
                .also(first.port.span.unwrap_or(first.name.span), "the first")
                .help("Give one of the two another port= or address=")
                .postfix(&["master.cf", "inet_interfaces"]),
            );
        }
    }
}

/// What a listener of any kind binds.
struct Socket<'a> {
    name: &'a Spanned<Box<str>>,
    addresses: &'a [Setting<IpAddr>],
    port: &'a Setting<u16>,
}

fn sockets(draft: &SiteDraft) -> Vec<Socket<'_>> {
    let mail = draft.listeners.iter().map(|mail| Socket { name: &mail.name, addresses: &mail.addresses, port: &mail.port });
    let challenges = draft.tls.acme.iter().filter_map(|acme| acme.http.as_ref());
    let web =
        draft.web.iter().chain(challenges).map(|web| Socket { name: &web.name, addresses: &web.addresses, port: &web.port });
    // In the order of the site, so that the second one is at fault.
    let mut sockets: Vec<Socket<'_>> = mail.chain(web).collect();
    sockets.sort_by_key(|socket| (socket.name.span.source, socket.name.span.start));
    sockets
}

fn collide(a: &Socket<'_>, b: &Socket<'_>) -> bool {
    // Port 0 is a new one each time.
    if a.port.value != b.port.value || a.port.value == 0 {
        return false;
    }
    a.addresses.iter().any(|a| {
        b.addresses.iter().any(|b| {
            let same_family = a.value.is_ipv4() == b.value.is_ipv4();
            a.value == b.value || same_family && (a.value.is_unspecified() || b.value.is_unspecified())
        })
    })
}
