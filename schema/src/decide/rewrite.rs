//! Addresses that turn into others, in one fixed order (docs/rewriting.md): `rewrite` and `masquerade` as mail comes in, then what
//! an address of ours stands for ([`super::accept`]), then copies for archives; `rewrite at="egress"` as it leaves ([`super::route`]).
//!
//! Each step looks at an address once: what a rewriting has made is not rewritten by another of the same step, so there is no circle.
//! Headers of strangers' mail are never touched, as that would break their signatures; [`header`] is for mail of our own clients.

use super::expand::{ExpandError, expand};
use super::{Client, Lookup, LookupFailed, Reason, RelayPermit, StepKind, Trace};
use crate::name::{HostName, LocalPart, Mailbox, ReversePath};
use crate::site::{Archived, ListenerKind, Rewrite, RoutePattern, Selection, Site, Slot, Stage, Whose};

/// The reverse-path that a message has from now on, once MAIL was accepted as the client gave it.
pub fn reverse_path(client: Client<'_>, given: &ReversePath, site: &Site, trace: &mut Trace) -> ReversePath {
    match given {
        // What a filter gives back was rewritten before.
        _ if client.is_peer(site) => given.clone(),
        ReversePath::Null => ReversePath::Null,
        ReversePath::Mailbox(mailbox) => ReversePath::Mailbox(
            arriving(mailbox, Slot::EnvelopeSender, kind(client, site), site, trace).unwrap_or(mailbox.clone()),
        ),
    }
}

/// The recipient that RCPT means, before it is looked up; `None`: the one that was given.
pub(super) fn recipient(client: Client<'_>, given: &Mailbox, site: &Site, trace: &mut Trace) -> Option<Mailbox> {
    if client.is_peer(site) {
        return None;
    }
    canonical(given, Slot::EnvelopeRecipient, kind(client, site), site, trace)
}

/// What an address in the header of a message of our own client turns into; `None`: it stays.
pub fn header(client: Client<'_>, address: &Mailbox, slot: Slot, site: &Site, trace: &mut Trace) -> Option<Mailbox> {
    arriving(address, slot, kind(client, site), site, trace)
}

/// What an address turns into as mail leaves for another site; `None`: it stays.
pub fn leaving(address: &Mailbox, slot: Slot, site: &Site, trace: &mut Trace) -> Option<Mailbox> {
    let at_egress = |rewrite: &&Rewrite| rewrite.at == Stage::Egress;
    by_rewrites("generic", address, slot, site.rewriting.rewrites.iter().filter(at_egress), trace)
}

/// Whether mail that leaves may have to be changed for it.
pub fn changes_what_leaves(site: &Site) -> bool {
    site.rewriting.rewrites.iter().any(|rewrite| rewrite.at == Stage::Egress)
}

/// Whether headers of mail of our own clients may have to be changed.
pub fn changes_headers(site: &Site) -> bool {
    !site.rewriting.masquerades.is_empty() || site.rewriting.rewrites.iter().any(|rewrite| rewrite.at != Stage::Egress)
}

/// The copies that the archives of a site get of a message, beside those that it goes to anyhow. Mail that the server itself writes
/// is not archived.
///
/// # Errors
/// [`LookupFailed`] if the store is damaged: the message must wait.
pub fn archives(
    reverse_path: &ReversePath, permits: &[&RelayPermit], lookup: &dyn Lookup, trace: &mut Trace,
) -> Result<Vec<RelayPermit>, LookupFailed> {
    let site = lookup.site();
    let mut found: Vec<RelayPermit> = Vec::new();
    for archive in &site.rewriting.archives {
        let is_meant = match &archive.when {
            Archived::All => true,
            Archived::From(selection) => reverse_path.mailbox().is_some_and(|sender| selects(selection, sender)),
            Archived::To(selection) => permits.iter().any(|permit| {
                selects(selection, permit.recipient()) || permit.expansion().iter().any(|end| selects(selection, &end.mailbox))
            }),
        };
        let is_there = permits.iter().copied().chain(&found).any(|permit| permit.recipient().folded() == archive.to.folded());
        if !is_meant || is_there {
            continue;
        }
        trace.push(StepKind::Archive(archive.to.clone()), archive.origin);
        match expand(vec![archive.to.clone().into()], lookup, trace) {
            Ok(expansion) if !expansion.is_empty() => {
                found.push(RelayPermit::of_site(archive.to.clone(), expansion, Reason::Archived));
            }
            // The compiler refuses both; a message is not lost for a copy of it.
            Ok(_) | Err(ExpandError::TooLarge) => {}
            Err(ExpandError::Lookup(failed)) => return Err(failed),
        }
    }
    Ok(found)
}

fn selects(selection: &Selection, mailbox: &Mailbox) -> bool {
    match selection {
        Selection::Mailbox(wanted) => wanted.folded() == mailbox.folded(),
        Selection::Pattern(RoutePattern::Any) => true,
        Selection::Pattern(RoutePattern::Domain(wanted)) => mailbox.domain() == Some(wanted),
        Selection::Pattern(RoutePattern::Below(parent)) => {
            mailbox.domain().is_some_and(|domain| domain != parent && domain.is_within(parent))
        }
    }
}

/// What a client came in by: a program of this host is one of our users.
fn kind(client: Client<'_>, site: &Site) -> ListenerKind {
    site.listener(client.listener).map_or(ListenerKind::Submission, |listener| listener.kind)
}

/// `rewrite`, then `masquerade`.
fn arriving(address: &Mailbox, slot: Slot, kind: ListenerKind, site: &Site, trace: &mut Trace) -> Option<Mailbox> {
    let canonical = canonical(address, slot, kind, site, trace);
    masquerade(canonical.as_ref().unwrap_or(address), slot, site, trace).or(canonical)
}

fn canonical(address: &Mailbox, slot: Slot, kind: ListenerKind, site: &Site, trace: &mut Trace) -> Option<Mailbox> {
    let on_arrival = |rewrite: &&Rewrite| matches!(rewrite.at, Stage::Arrival(service) if service.covers(kind));
    by_rewrites("canonical", address, slot, site.rewriting.rewrites.iter().filter(on_arrival), trace)
}

/// As Postfix looks: the address itself, then without its detail, then its domain; of each the first.
fn by_rewrites<'a>(
    step: &'static str, address: &Mailbox, slot: Slot, rewrites: impl Iterator<Item = &'a Rewrite> + Clone, trace: &mut Trace,
) -> Option<Mailbox> {
    let folded = address.folded();
    let covering = || rewrites.clone().filter(|rewrite| rewrite.place.covers(slot));
    let whole = covering().find_map(|rewrite| match &rewrite.from {
        Whose::Mailbox(from) if from.folded() == folded => Some((rewrite, None)),
        _ => None,
    });
    let detailed = || {
        covering().find_map(|rewrite| {
            let Whose::Mailbox(from) = &rewrite.from else { return None };
            let at = address.local.as_str().find(rewrite.delimiter?).filter(|at| *at > 0)?;
            let (base, detail) = address.local.as_str().split_at(at);
            (from.host == address.host && from.local.folded() == base.to_lowercase()).then_some((rewrite, Some(detail)))
        })
    };
    let of_domain = || {
        covering().find_map(|rewrite| match &rewrite.from {
            Whose::Domain(domain) if address.domain() == Some(domain) => Some((rewrite, None)),
            _ => None,
        })
    };
    let (rewrite, detail) = whole.or_else(detailed).or_else(of_domain)?;
    let result = match &rewrite.to {
        Whose::Domain(domain) => Mailbox::new(address.local.clone(), HostName::Domain(domain.clone())),
        Whose::Mailbox(to) => {
            let local = format!("{}{}", to.local.as_str(), detail.unwrap_or_default());
            // A detail that would make it too long to be an address stays behind.
            Mailbox::new(LocalPart::from_content(&local).unwrap_or_else(|_| to.local.clone()), to.host.clone())
        }
    };
    if result == *address {
        return None;
    }
    trace.push(StepKind::Rewritten(step, slot, address.clone(), result.clone()), rewrite.origin);
    Some(result)
}

/// The envelope recipient keeps its host (`masquerade_classes`).
fn masquerade(address: &Mailbox, slot: Slot, site: &Site, trace: &mut Trace) -> Option<Mailbox> {
    let domain = address.domain().filter(|_| slot != Slot::EnvelopeRecipient)?;
    let folded = address.local.folded();
    let below = |hidden: &crate::name::Domain| domain != hidden && domain.is_within(hidden);
    let masquerade = site.rewriting.masquerades.iter().find(|masquerade| below(&masquerade.domain))?;
    let is_kept = masquerade.kept.iter().any(|kept| domain.is_within(kept))
        || masquerade.except.iter().any(|local| local.as_str() == folded);
    if is_kept {
        return None;
    }
    let result = Mailbox::new(address.local.clone(), HostName::Domain(masquerade.domain.clone()));
    trace.push(StepKind::Rewritten("masquerade", slot, address.clone(), result.clone()), masquerade.origin);
    Some(result)
}
