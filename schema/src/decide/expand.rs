//! From one address of the site to the addresses that mail for it ends at: mailboxes here, and addresses elsewhere.
//!
//! The order for a local part: the address itself; without its detail; the first pattern that matches; the domain's
//! catch-all; the site's postmaster, for `postmaster` alone. The compiler proves that no loop exists; the limits here hold
//! even for a snapshot that it never saw.

use super::{Lookup, LookupFailed, StepKind, Trace};
use crate::name::{Domain, HostName, LocalPart, Mailbox};
use crate::site::{AddressEntry, AddressKind, DomainClass, DomainEntry, NextHop, Onward};
use std::collections::{HashSet, VecDeque};

/// The most addresses that one recipient may expand to (`virtual_alias_expansion_limit`).
pub const EXPANSION_LIMIT: usize = 1000;

/// What an address of ours turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolved {
    /// A mailbox, under this address once detail and alias domain are set aside.
    Mailbox(Mailbox),
    /// Other addresses.
    Others(Vec<Mailbox>),
    /// The host behind a relay domain has it, and mail for it goes there, or where the routes lead.
    Relayed(Option<NextHop>),
    /// Nobody's.
    Unknown,
    /// Its domain takes no mail.
    Parked,
    /// Not in a domain of the site.
    Elsewhere,
}

/// Why an expansion has no result.
#[derive(Debug)]
pub(super) enum ExpandError {
    /// More than [`EXPANSION_LIMIT`] addresses.
    TooLarge,
    /// The store failed.
    Lookup(LookupFailed),
}

impl From<LookupFailed> for ExpandError {
    fn from(failed: LookupFailed) -> ExpandError {
        ExpandError::Lookup(failed)
    }
}

/// Everything that the targets lead to, each address once, in the order of first mention. An address in a local domain that
/// nobody has stays in the result: its delivery fails with a reason, and the others are not held up by it.
pub(super) fn expand(targets: Vec<Mailbox>, lookup: &dyn Lookup, trace: &mut Trace) -> Result<Vec<Mailbox>, ExpandError> {
    let mut seen = HashSet::new();
    let mut pending: VecDeque<Mailbox> = targets.into_iter().filter(|target| seen.insert(target.folded())).collect();
    let mut result = Vec::new();
    while let Some(address) = pending.pop_front() {
        match resolve(&address, lookup, trace)? {
            Resolved::Others(targets) => {
                for target in targets {
                    if seen.insert(target.folded()) {
                        pending.push_back(target);
                    }
                }
            }
            Resolved::Mailbox(_) | Resolved::Relayed(_) | Resolved::Unknown | Resolved::Parked | Resolved::Elsewhere => {
                result.push(address);
            }
        }
        if result.len() + pending.len() > EXPANSION_LIMIT || seen.len() > 2 * EXPANSION_LIMIT {
            return Err(ExpandError::TooLarge);
        }
    }
    Ok(result)
}

/// What one address is: one edge of the graph that [`super::accept`] walks. The compiler's proofs walk the same edges.
///
/// # Errors
/// [`LookupFailed`] if the store is damaged.
pub fn resolve(address: &Mailbox, lookup: &dyn Lookup, trace: &mut Trace) -> Result<Resolved, LookupFailed> {
    let Some(name) = address.domain() else {
        trace.push_default(StepKind::Elsewhere(address.host.to_string().into()));
        return Ok(Resolved::Elsewhere);
    };
    let Some(domain) = lookup.domain(name)? else {
        trace.push_default(StepKind::Elsewhere(name.as_str().into()));
        return Ok(Resolved::Elsewhere);
    };
    trace.push(StepKind::Domain(name.clone(), domain.class.clone()), domain.origin);
    match &domain.class {
        DomainClass::Local => resolve_local(address, &domain, lookup, trace),
        DomainClass::Relay(onward) => resolve_relayed(address, &domain, onward, lookup, trace),
        DomainClass::Parked => Ok(Resolved::Parked),
        DomainClass::AliasOf(other) => {
            let address = Mailbox::new(address.local.clone(), HostName::Domain(other.clone()));
            trace.push(StepKind::AliasDomain(address.clone()), domain.origin);
            match lookup.domain(other)? {
                Some(entry) if entry.class == DomainClass::Local => resolve_local(&address, &entry, lookup, trace),
                _ => Ok(Resolved::Unknown),
            }
        }
    }
}

fn resolve_local(
    address: &Mailbox, domain: &DomainEntry, lookup: &dyn Lookup, trace: &mut Trace,
) -> Result<Resolved, LookupFailed> {
    let folded = address.local.folded();
    if let Some(entry) = lookup.address(&domain.name, &folded)? {
        return Ok(found(&entry, &folded, &domain.name, trace));
    }
    if let Some((base, detail)) = domain.delimiter.and_then(|delimiter| folded.split_once(delimiter))
        && let Some(entry) = lookup.address(&domain.name, base)?
    {
        trace.push(StepKind::Detail(detail.into()), domain.origin);
        return Ok(found(&entry, base, &domain.name, trace));
    }
    for pattern in &domain.patterns {
        // A result that is no address is no match: a group may hold what no local part may.
        if let Some(target) = pattern.apply(&folded).and_then(|text| Mailbox::parse(&text).ok()) {
            trace.push(StepKind::Pattern(pattern.expression().into(), target.clone()), pattern.origin);
            return Ok(Resolved::Others(vec![target]));
        }
    }
    if folded == "postmaster" {
        let site = lookup.site();
        trace.push(StepKind::Postmaster(site.postmaster.clone()), site.postmaster_origin);
        return Ok(Resolved::Others(vec![site.postmaster.clone()]));
    }
    if let Some((target, origin)) = &domain.catch_all {
        trace.push(StepKind::CatchAll(target.clone()), *origin);
        return Ok(Resolved::Others(vec![target.clone()]));
    }
    trace.push(StepKind::NoSuchAddress(address.clone()), domain.origin);
    Ok(Resolved::Unknown)
}

/// Aliases first, then what the other host has. A detail is left for that host to set aside.
fn resolve_relayed(
    address: &Mailbox, domain: &DomainEntry, onward: &Onward, lookup: &dyn Lookup, trace: &mut Trace,
) -> Result<Resolved, LookupFailed> {
    let folded = address.local.folded();
    let base = domain.delimiter.and_then(|delimiter| folded.split_once(delimiter)).map(|(base, _)| base);
    let mut origin = domain.origin;
    // RFC 5321 4.5.1: every domain that mail is taken for has a postmaster.
    let mut is_taken = !onward.listed || folded == "postmaster";
    for local in std::iter::once(&*folded).chain(base) {
        match lookup.address(&domain.name, local)? {
            Some(entry) if entry.kind == AddressKind::Relayed => (is_taken, origin) = (true, entry.origin),
            Some(entry) => return Ok(found(&entry, local, &domain.name, trace)),
            None => continue,
        }
        break;
    }
    if !is_taken {
        trace.push(StepKind::NoSuchAddress(address.clone()), origin);
        return Ok(Resolved::Unknown);
    }
    trace.push(StepKind::Relayed(address.clone()), origin);
    Ok(Resolved::Relayed(onward.via.clone()))
}

fn found(entry: &AddressEntry, folded_local: &str, domain: &Domain, trace: &mut Trace) -> Resolved {
    // The key was found in the store, so it is a local part; the fallback keeps a damaged store from panicking us.
    let Ok(local) = LocalPart::from_content(folded_local) else { return Resolved::Unknown };
    let mailbox = Mailbox::new(local, HostName::Domain(domain.clone()));
    match &entry.kind {
        AddressKind::Mailbox { .. } => {
            trace.push(StepKind::Mailbox(mailbox.clone()), entry.origin);
            Resolved::Mailbox(mailbox)
        }
        AddressKind::Alias(targets) => {
            trace.push(StepKind::Alias(mailbox, targets.len()), entry.origin);
            Resolved::Others(targets.iter().map(|target| target.mailbox.clone()).collect())
        }
        // Written for a relay domain alone, whose addresses are found above.
        AddressKind::Relayed => Resolved::Unknown,
    }
}
