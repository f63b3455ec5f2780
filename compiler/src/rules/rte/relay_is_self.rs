//! RTE003: a relay or a transport that is this very host.

use crate::lower::draft::{ListenerDraft, Part};
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use crate::source::Span;
use postern_schema::name::HostName;
use postern_schema::site::{Endpoint, ListenerKind, TransportKind};
use std::net::IpAddr;

/// The rule.
pub static RULE: Rule = Rule::check(
    "RTE003",
    "relay-is-self",
    Severity::Error,
    &[Part::Host, Part::Listeners, Part::Relays],
    check,
    include_str!("relay_is_self.md"),
);

/// Another service may run on this host, such as a filter: only where the site itself listens is a loop.
fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let draft = subject.draft;
    for relay in &draft.relays {
        if let Some(listener) = listens_at(subject, &relay.host.value, relay.port.value) {
            let finding = finding("relay", &relay.name.value, relay.host.span, listener);
            findings.push(
                finding
                    .help("Write the host that the mail shall go to, or `via=\"direct\"` in the route")
                    .postfix(&["relayhost"]),
            );
        }
    }
    for transport in &draft.transports {
        let listener = match &transport.kind {
            // Its MX may be another host.
            TransportKind::Smtp { mx: true, .. } => None,
            TransportKind::Smtp { host, port, .. } | TransportKind::Lmtp { server: Endpoint::Inet { host, port } } => {
                listens_at(subject, host, *port)
            }
            TransportKind::Lmtp { server: Endpoint::Unix(path) } => {
                draft.listeners.iter().find(|listener| listener.socket.as_ref().is_some_and(|own| own.value == *path))
            }
            _ => None,
        };
        if let (Some(listener), Some(span)) = (listener, transport.span) {
            let finding = finding("transport", &transport.name.value, span, listener);
            findings.push(finding.help("Write where the other server listens").postfix(&[
                "transport_maps",
                "virtual_transport",
                "mailbox_transport",
            ]));
        }
    }
}

fn finding(what: &str, name: &str, span: Span, listener: &ListenerDraft) -> Diagnostic {
    RULE.at(span, format!("The {what} {name:?} is this site itself: mail would come back"))
        .also(listener.name.span, "it listens there")
}

/// The listener that a connection to that host and port ends at.
fn listens_at<'a>(subject: &Subject<'a>, host: &HostName, port: u16) -> Option<&'a ListenerDraft> {
    subject.draft.listeners.iter().find(|listener| {
        let is_mail = listener.socket.is_none() && listener.port.value == port && port != 0;
        is_mail && is_bound(subject, listener, host)
    })
}

fn is_bound(subject: &Subject<'_>, listener: &ListenerDraft, host: &HostName) -> bool {
    let own = &subject.draft.host;
    let binds = |address: IpAddr| {
        let of_family = |bound: IpAddr| bound.is_unspecified() && bound.is_ipv4() == address.is_ipv4();
        listener.addresses.iter().any(|bound| bound.value == address || of_family(bound.value))
    };
    match host {
        HostName::Domain(name) if name.as_str() == "localhost" => {
            listener.addresses.iter().any(|bound| bound.value.is_loopback() || bound.value.is_unspecified())
        }
        // Where a listener for strangers is bound, the site's name leads.
        HostName::Domain(name) => {
            *name == own.hostname.value
                && (listener.kind.value == ListenerKind::Mx
                    || listener.addresses.iter().any(|bound| bound.value.is_unspecified()))
        }
        HostName::Literal(address) if address.is_loopback() => binds(*address),
        // An address of this host: what the listener binds says so, or the site. Behind a translating router both are true.
        HostName::Literal(address) => {
            let is_named = listener.addresses.iter().any(|bound| bound.value == *address);
            let is_own = own.addresses.iter().any(|own| own.value == *address);
            is_named || is_own && (binds(*address) || listener.kind.value == ListenerKind::Mx)
        }
    }
}
