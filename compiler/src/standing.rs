//! What a receiver finds of mail that leaves this site: SPF for its sender, DMARC for its author. Found from the records that the
//! site itself publishes and the keys that it signs with; DNS is not asked. What a provider's `include` holds is the provider's word.
//!
//! Called by [`crate::explain`], and through it by the site's own tests; by the rules through [`own_mail`], which follows the mail of
//! a domain of the site along each of its ways out.

use crate::emit::dns::{names_relay, spf_of};
use postern_schema::decide::{Lookup, LookupFailed};
use postern_schema::name::{Domain, Mailbox, ReversePath};
use postern_schema::record::{SpfAll, SpfTerm};
use postern_schema::site::{Destination, DomainClass, DomainEntry, FromAddress, Relay, Site};
use serde::Serialize;
use std::net::IpAddr;

/// What SPF comes to (RFC 7208 2.6), as far as it can be said from here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SpfStanding {
    /// The record names where the mail comes from.
    Pass,
    /// It does not, and says something of the rest.
    Fail,
    /// The site gives no record for that name, or one of which it cannot be said whether it names where the mail comes from.
    None,
}

impl SpfStanding {
    /// The word of a test block.
    pub fn as_str(self) -> &'static str {
        match self {
            SpfStanding::Pass => "pass",
            SpfStanding::Fail => "fail",
            SpfStanding::None => "none",
        }
    }
}

/// What a receiver finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// SPF for the sender.
    pub spf: SpfStanding,
    /// Whether SPF or DKIM vouches for the author's domain (RFC 9989 4.4).
    pub aligned: bool,
}

/// Mail on its way out.
#[derive(Clone, Copy, Debug)]
pub struct Leaving<'a> {
    /// Its reverse-path.
    pub sender: &'a ReversePath,
    /// The domain in From; `None`: that of the sender, or the host's own for a bounce.
    pub author: Option<&'a Domain>,
    /// Where it goes next.
    pub destination: &'a Destination,
    /// The domains that have signed it here.
    pub signed: &'a [Domain],
}

/// What the receiver of this mail finds; `None` for mail that stays here or goes to a host of our own.
///
/// # Errors
/// [`LookupFailed`] if the store is damaged.
pub fn standing(mail: &Leaving<'_>, lookup: &dyn Lookup) -> Result<Option<Standing>, LookupFailed> {
    let site = lookup.site();
    let relay = match mail.destination {
        Destination::Transport { .. } => return Ok(None),
        Destination::Relay { name, .. } => site.relay(name),
        Destination::Mx { .. } | Destination::Literal { .. } => None,
    };
    // A bounce has no sender: its identity is the name in EHLO (RFC 7208 2.4).
    let identity = mail.sender.mailbox().and_then(Mailbox::domain).unwrap_or(&site.hostname);
    let is_bounce = *mail.sender == ReversePath::Null;
    let spf = match (is_bounce, relay) {
        // Then the relay's own name is what the receiver hears, and it is none of ours.
        (true, Some(_)) => SpfStanding::None,
        (true, None) => SpfStanding::Pass,
        (false, _) => spf(identity, relay, mail.destination.from_address(), lookup)?,
    };
    let author = mail.author.unwrap_or(identity);
    let signed_there = relay.is_some_and(|relay| site.is_signed_beyond(relay));
    let mut aligned = signed_there || spf == SpfStanding::Pass && are_aligned(identity, author, lookup)?;
    for domain in mail.signed {
        aligned |= are_aligned(domain, author, lookup)?;
    }
    Ok(Some(Standing { spf, aligned }))
}

fn spf(
    domain: &Domain, relay: Option<&Relay>, from_address: FromAddress, lookup: &dyn Lookup,
) -> Result<SpfStanding, LookupFailed> {
    let site = lookup.site();
    let Some(entry) = lookup.domain(domain)? else { return Ok(SpfStanding::None) };
    if entry.class == DomainClass::Parked {
        return Ok(SpfStanding::Fail);
    }
    let Ok(record) = spf_of(site, domain, &entry.publication.spf) else { return Ok(SpfStanding::None) };
    let is_named = match relay {
        Some(relay) => site.carriers(relay).all(|carrier| names_relay(&record, &entry.publication.spf, carrier)),
        None => addresses(site, from_address).iter().all(|address| {
            record.terms.iter().any(|term| matches!(term, SpfTerm::Network(network) if network.contains(address)))
        }),
    };
    Ok(match record.all {
        _ if is_named => SpfStanding::Pass,
        // What the records of others hold is not known here.
        _ if relay.is_some() && record.terms.iter().any(|term| matches!(term, SpfTerm::Include(_))) => SpfStanding::None,
        SpfAll::Neutral => SpfStanding::None,
        _ => SpfStanding::Fail,
    })
}

/// Where a connection comes from; empty where DNS says it by the host's name, which its record refers to. What a private address is
/// outside is one of the public ones.
fn addresses(site: &Site, from_address: FromAddress) -> Vec<IpAddr> {
    let is_private = |address: &IpAddr| match address {
        IpAddr::V4(address) => address.is_private(),
        IpAddr::V6(address) => address.is_unique_local(),
    };
    let named: Vec<IpAddr> = from_address.iter().filter(|address| !is_private(address)).collect();
    let found = if named.is_empty() { site.addresses.clone() } else { named };
    found.into_iter().map(|address| address.to_canonical()).collect()
}

/// Relaxed alignment: both are of one organisation, which is seen by one lying within the other, or both within a domain of the site.
pub(crate) fn are_aligned(a: &Domain, b: &Domain, lookup: &dyn Lookup) -> Result<bool, LookupFailed> {
    if organization(a, lookup)? != organization(b, lookup)? {
        return Ok(false);
    }
    if a.is_within(b) || b.is_within(a) {
        return Ok(true);
    }
    let mut above = a.parent();
    while let Some(parent) = above {
        if b.is_within(&parent) && lookup.domain(&parent)?.is_some() {
            return Ok(true);
        }
        above = parent.parent();
    }
    Ok(false)
}

/// The nearest domain, itself or above it, that says that it is an organisation of its own.
fn organization(domain: &Domain, lookup: &dyn Lookup) -> Result<Option<Domain>, LookupFailed> {
    let mut at = Some(domain.clone());
    while let Some(name) = at {
        let says_so = |entry: &DomainEntry| entry.publication.dmarc.as_ref().is_some_and(|record| record.organization);
        if lookup.domain(&name)?.is_some_and(|entry| says_so(&entry)) {
            return Ok(Some(name));
        }
        at = name.parent();
    }
    Ok(None)
}

mod own;

pub use own::{OwnMail, anybody_sends, own_mail};

#[cfg(test)]
mod tests;
