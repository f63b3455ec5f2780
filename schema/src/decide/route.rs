//! Where one recipient's mail goes next, and in whose name. Asked anew at every delivery attempt, so that queued mail follows the
//! site of today.
//!
//! The envelope sender of mail that leaves for another site is settled here: the owner of an alias, an address of this site for mail
//! that is forwarded (SRS), then what `rewrite at="egress"` makes of it. SRS is needed where the sender's own SPF record does not name
//! us. It names us for every domain of the site, so their mail keeps its sender; the null path has none.

use super::expand::{Resolved, SentAs, resolve};
use super::{Answer, Lookup, LookupFailed, Reason, StepKind, Trace, Verdict, rewrite};
use crate::name::{HostName, LocalPart, Mailbox, ReversePath};
use crate::site::{Destination, DomainClass, FromAddress, NextHop, Route, RoutePattern, Site, Slot, TlsLevel, Via};

/// What is known when a delivery is about to be tried.
#[derive(Clone, Copy, Debug)]
pub struct RouteFacts<'a> {
    /// The sender; routes may depend on it.
    pub reverse_path: &'a ReversePath,
    /// One recipient, already expanded.
    pub recipient: &'a Mailbox,
    /// How it came by the message.
    pub sent_as: &'a SentAs,
}

/// The next hop of one recipient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hop {
    /// Where to.
    pub destination: Destination,
    /// The mailbox there: the recipient, or for a mailbox of ours the one that remains when detail and alias domain are set
    /// aside.
    pub mailbox: Mailbox,
    /// The envelope sender there.
    pub sender: Departure,
}

/// With which envelope sender a message goes on.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Departure {
    /// With its own.
    Unchanged,
    /// With another.
    As(Mailbox),
    /// With an address of the site that leads bounces back to its own ([`crate::srs`]).
    Srs,
}

/// What the sender asks of TLS on the way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum TlsWish {
    /// Nothing: what the site and the receiver say counts.
    #[default]
    Default,
    /// REQUIRETLS: every hop is verified, or there is none (RFC 8689 4.2.1).
    Required,
    /// `TLS-Required: No`: what the receiver's domain says of TLS is not to keep the message (RFC 8689 4.2.2).
    Optional,
}

impl Hop {
    /// The hop as the sender wants it. What the site itself demands stays in force in any case.
    pub fn as_wished(mut self, wish: TlsWish) -> Hop {
        match wish {
            TlsWish::Default => {}
            TlsWish::Required => self.destination.demand(TlsLevel::Verify),
            TlsWish::Optional => self.destination.overlook_published(),
        }
        self
    }
}

/// Decides the next hop of one recipient.
pub fn route(facts: &RouteFacts<'_>, lookup: &dyn Lookup) -> Answer<Hop> {
    let site = lookup.site();
    let mut trace = Trace::default();
    match resolve(facts.recipient, lookup, &mut trace) {
        Err(failed) => Verdict::lookup_failed(&failed, trace),
        Ok(Resolved::Mailbox(mailbox) | Resolved::Forwarded { by: mailbox, keep_copy: true, .. }) => {
            local_delivery(facts, mailbox, lookup, trace)
        }
        Ok(Resolved::Listed(mailbox, transport)) => through(&transport, facts, mailbox, site, trace),
        // It was a mailbox when the message was accepted. The sender was told yes, so we wait for the site to be mended.
        Ok(Resolved::Others { .. } | Resolved::Forwarded { .. } | Resolved::Unknown | Resolved::Parked) => {
            Verdict::decline(Reason::MailboxGone, trace)
        }
        Ok(Resolved::Relayed(via)) => match relayed(via.as_ref(), facts.reverse_path, facts.recipient, site, &mut trace) {
            None => Verdict::decline(Reason::NoRoute, trace),
            Some(destination) => {
                let hop = Hop { destination, mailbox: facts.recipient.clone(), sender: inward(facts) };
                Verdict::accept(hop, Reason::Routed, trace)
            }
        },
        Ok(Resolved::Elsewhere) => match leave(facts, lookup, &mut trace) {
            Err(failed) => Verdict::lookup_failed(&failed, trace),
            Ok(None) => Verdict::decline(Reason::NoRoute, trace),
            Ok(Some(hop)) => Verdict::accept(hop, Reason::Routed, trace),
        },
    }
}

/// The sender of mail that stays with hosts of ours.
fn inward(facts: &RouteFacts<'_>) -> Departure {
    match (facts.sent_as, facts.reverse_path) {
        (SentAs::Owner(owner), ReversePath::Mailbox(_)) => Departure::As(owner.clone()),
        _ => Departure::Unchanged,
    }
}

/// The way to another site. Routes that go by the sender see the one that the mail leaves with, and rewritings for the way out act last:
/// what they make does not decide the way.
fn leave(facts: &RouteFacts<'_>, lookup: &dyn Lookup, trace: &mut Trace) -> Result<Option<Hop>, LookupFailed> {
    let site = lookup.site();
    let sender = departure(facts, lookup, trace)?;
    let seen = match &sender {
        Departure::Unchanged => facts.reverse_path.clone(),
        Departure::As(mailbox) => ReversePath::Mailbox(mailbox.clone()),
        Departure::Srs => srs_path(site).unwrap_or(facts.reverse_path.clone()),
    };
    let Some(destination) = find_route(&seen, facts.recipient, site, trace) else { return Ok(None) };
    let rewritten = match (&sender, seen.mailbox()) {
        (Departure::Srs, _) | (_, None) => None,
        (_, Some(mailbox)) => rewrite::leaving(mailbox, Slot::EnvelopeSender, site, trace),
    };
    let mailbox = rewrite::leaving(facts.recipient, Slot::EnvelopeRecipient, site, trace).unwrap_or(facts.recipient.clone());
    Ok(Some(Hop { destination, mailbox, sender: rewritten.map_or(sender, Departure::As) }))
}

fn departure(facts: &RouteFacts<'_>, lookup: &dyn Lookup, trace: &mut Trace) -> Result<Departure, LookupFailed> {
    let (SentAs::Forwarder { srs: true, .. }, ReversePath::Mailbox(sender)) = (facts.sent_as, facts.reverse_path) else {
        return Ok(inward(facts));
    };
    // Without the statement the compiler refuses the forward; a snapshot of ours has both.
    let Some(srs) = &lookup.site().rewriting.srs else { return Ok(Departure::Unchanged) };
    if let Some(domain) = sender.domain()
        && let Some(entry) = lookup.domain(domain)?
        && entry.class != DomainClass::Parked
        && !entry.class.is_backup()
    {
        trace.push(StepKind::OwnSender(sender.clone()), entry.origin);
        return Ok(Departure::Unchanged);
    }
    trace.push(StepKind::Srs(srs.domain.clone()), srs.origin);
    Ok(Departure::Srs)
}

/// What stands for every address that SRS makes, where only the domain counts.
fn srs_path(site: &Site) -> Option<ReversePath> {
    let domain = site.rewriting.srs.as_ref()?.domain.clone();
    let local = LocalPart::from_content("SRS0").ok()?;
    Some(ReversePath::Mailbox(Mailbox::new(local, HostName::Domain(domain))))
}

fn through(name: &str, facts: &RouteFacts<'_>, mailbox: Mailbox, site: &Site, mut trace: Trace) -> Answer<Hop> {
    match site.transport(name) {
        None => Verdict::decline(Reason::NoRoute, trace),
        Some(transport) => {
            trace.push(StepKind::Transport(transport.name.clone()), transport.origin);
            let destination = Destination::Transport { name: transport.name.clone(), means: transport.kind.means() };
            Verdict::accept(Hop { destination, mailbox, sender: inward(facts) }, Reason::LocalDelivery, trace)
        }
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
            Some(Destination::Relay { name: relay.name.clone(), tls: relay.tls, from_address: FromAddress::NONE })
        }
        Some(NextHop::Transport(name)) => {
            let transport = site.transport(name)?;
            trace.push(StepKind::Transport(name.clone()), transport.origin);
            Some(Destination::Transport { name: name.clone(), means: transport.kind.means() })
        }
    }
}

fn local_delivery(facts: &RouteFacts<'_>, mailbox: Mailbox, lookup: &dyn Lookup, trace: Trace) -> Answer<Hop> {
    match mailbox.domain().map(|domain| lookup.domain(domain)) {
        Some(Ok(Some(entry))) => through(&entry.transport, facts, mailbox, lookup.site(), trace),
        Some(Err(failed)) => Verdict::lookup_failed(&failed, trace),
        Some(Ok(None)) | None => Verdict::decline(Reason::MailboxGone, trace),
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
