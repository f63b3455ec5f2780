//! Where one recipient's mail goes next. Asked anew at every delivery attempt, so that queued mail follows the site of today.

use super::expand::{Resolved, resolve};
use super::{Answer, Lookup, Reason, StepKind, Trace, Verdict};
use crate::name::{HostName, Mailbox, ReversePath};
use crate::site::{Destination, NextHop, Route, RoutePattern, Site, TlsLevel, Via};

/// What is known when a delivery is about to be tried.
#[derive(Clone, Copy, Debug)]
pub struct RouteFacts<'a> {
    /// The sender; routes may depend on it.
    pub reverse_path: &'a ReversePath,
    /// One recipient, already expanded.
    pub recipient: &'a Mailbox,
}

/// The next hop of one recipient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hop {
    /// Where to.
    pub destination: Destination,
    /// The mailbox there: the recipient, or for a mailbox of ours the one that remains when detail and alias domain are set
    /// aside.
    pub mailbox: Mailbox,
}

/// What the sender asks of TLS on the way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum TlsWish {
    /// Nothing: what the site and the receiver say counts.
    #[default]
    Default,
    /// REQUIRETLS: every hop is verified, or there is none (RFC 8689 4.2.1).
    Required,
    /// `TLS-Required: No`: what the receiver's domain says of TLS is not to keep the message (RFC 8689 5).
    Optional,
}

impl Hop {
    /// The hop as the sender wants it. What the site itself demands stays in force in any case.
    pub fn as_wished(mut self, wish: TlsWish) -> Hop {
        if wish == TlsWish::Required {
            self.destination.demand(TlsLevel::Verify);
        }
        self
    }
}

/// Decides the next hop of one recipient.
pub fn route(facts: &RouteFacts<'_>, lookup: &dyn Lookup) -> Answer<Hop> {
    let mut trace = Trace::default();
    match resolve(facts.recipient, lookup, &mut trace) {
        Err(failed) => Verdict::lookup_failed(&failed, trace),
        Ok(Resolved::Mailbox(mailbox)) => local_delivery(mailbox, lookup, trace),
        // It was a mailbox when the message was accepted. The sender was told yes, so we wait for the site to be mended.
        Ok(Resolved::Others(_) | Resolved::Unknown | Resolved::Parked) => Verdict::decline(Reason::MailboxGone, trace),
        Ok(Resolved::Relayed(via)) => {
            let destination = relayed(via.as_ref(), facts.reverse_path, facts.recipient, lookup.site(), &mut trace);
            onward(destination, facts.recipient, trace)
        }
        Ok(Resolved::Elsewhere) => {
            let destination = find_route(facts.reverse_path, facts.recipient, lookup.site(), &mut trace);
            onward(destination, facts.recipient, trace)
        }
    }
}

fn onward(destination: Option<Destination>, recipient: &Mailbox, trace: Trace) -> Answer<Hop> {
    match destination {
        None => Verdict::decline(Reason::NoRoute, trace),
        Some(destination) => Verdict::accept(Hop { destination, mailbox: recipient.clone() }, Reason::Routed, trace),
    }
}

/// The destination of a recipient in a relay domain; `None` where it names what is not there, or no route matches.
pub(super) fn relayed(
    via: Option<&NextHop>, sender: &ReversePath, recipient: &Mailbox, site: &Site, trace: &mut Trace,
) -> Option<Destination> {
    match via {
        None => find_route(sender, recipient, site, trace),
        Some(NextHop::Relay(name)) => {
            let relay = site.relay(name)?;
            trace.push(StepKind::Route(name.clone()), relay.origin);
            Some(Destination::Relay { name: relay.name.clone(), tls: relay.tls, from_address: None })
        }
        Some(NextHop::Transport(name)) => {
            let transport = site.transport(name)?;
            trace.push(StepKind::Transport(name.clone()), transport.origin);
            Some(Destination::Transport { name: name.clone(), means: transport.kind.means() })
        }
    }
}

fn local_delivery(mailbox: Mailbox, lookup: &dyn Lookup, mut trace: Trace) -> Answer<Hop> {
    let entry = match mailbox.domain().map(|domain| lookup.domain(domain)) {
        Some(Ok(Some(entry))) => entry,
        Some(Err(failed)) => return Verdict::lookup_failed(&failed, trace),
        Some(Ok(None)) | None => return Verdict::decline(Reason::MailboxGone, trace),
    };
    match lookup.site().transport(&entry.transport) {
        None => Verdict::decline(Reason::NoRoute, trace),
        Some(transport) => {
            trace.push(StepKind::Transport(transport.name.clone()), transport.origin);
            let destination = Destination::Transport { name: transport.name.clone(), means: transport.kind.means() };
            Verdict::accept(Hop { destination, mailbox }, Reason::LocalDelivery, trace)
        }
    }
}

/// The destination by the first route that matches; `None` where none does, or where it names a relay that is not there.
pub(super) fn find_route(sender: &ReversePath, recipient: &Mailbox, site: &Site, trace: &mut Trace) -> Option<Destination> {
    let Some(route) = site.routes.iter().find(|route| matches(route, sender, recipient)) else {
        trace.push_default(StepKind::NoRoute);
        return None;
    };
    trace.push(StepKind::Route(route.via.to_string().into()), route.origin);
    let from_address = route.from_address;
    match &route.via {
        Via::Relay(name) => {
            let relay = site.relay(name)?;
            // The stronger of the two: a route can ask for more than its relay, never for less.
            let tls = route.tls.map_or(relay.tls, |level| level.max(relay.tls));
            Some(Destination::Relay { name: relay.name.clone(), tls, from_address })
        }
        Via::Direct => {
            // What the receiver publishes is heeded unless the site says otherwise.
            let tls = route.tls.unwrap_or(TlsLevel::Published);
            Some(match &recipient.host {
                HostName::Domain(domain) => Destination::Mx { domain: domain.clone(), tls, from_address },
                host @ HostName::Literal(_) => Destination::Literal { host: host.clone(), tls, from_address },
            })
        }
    }
}

fn matches(route: &Route, sender: &ReversePath, recipient: &Mailbox) -> bool {
    covers(&route.to, Some(recipient)) && covers(&route.from, sender.mailbox())
}

fn covers(pattern: &RoutePattern, mailbox: Option<&Mailbox>) -> bool {
    let domain = mailbox.and_then(Mailbox::domain);
    match pattern {
        RoutePattern::Any => true,
        RoutePattern::Domain(wanted) => domain == Some(wanted),
        RoutePattern::Below(parent) => domain.is_some_and(|domain| domain != parent && domain.is_within(parent)),
    }
}
