//! From one address of the site to the addresses that mail for it ends at: mailboxes here, and addresses elsewhere.
//!
//! The order for a local part: the address itself; without its detail; the first pattern that matches; the domain's
//! catch-all; the site's postmaster, for `postmaster` alone. The compiler proves that no loop exists; the limits here hold
//! even for a snapshot that it never saw.
//!
//! Where an address sends mail on, its envelope sender may change with it: mail of an alias with an `owner-` beside it leaves in the
//! owner's name, and mail of a `forward` may leave in the site's (SRS). [`End`] says so for each address; [`super::route`] does it.

use super::{Lookup, LookupFailed, StepKind, Trace};
use crate::name::{HostName, LocalPart, Mailbox};
use crate::site::{AddressEntry, AddressKind, DomainClass, DomainEntry, Forward, NextHop, Onward};
use std::collections::{HashSet, VecDeque};

/// The most addresses that one recipient may expand to (`virtual_alias_expansion_limit`).
pub const EXPANSION_LIMIT: usize = 1000;

/// What an address of ours turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolved {
    /// A mailbox, under this address once detail and alias domain are set aside.
    Mailbox(Mailbox),
    /// Other addresses.
    Others {
        /// Which.
        targets: Vec<Mailbox>,
        /// Who hears of bounces instead of the sender (`owner-list` of aliases(5)).
        owner: Option<Mailbox>,
    },
    /// It is sent on to other sites.
    Forwarded {
        /// Who sends it on: the address itself, once detail and alias domain are set aside.
        by: Mailbox,
        /// Where to.
        targets: Vec<Mailbox>,
        /// In the name of this site.
        srs: bool,
        /// Its mailbox gets a copy.
        keep_copy: bool,
    },
    /// A mailing list has it: the address as its manager knows it, with its detail, and the transport that leads there.
    Listed(Mailbox, Box<str>),
    /// The host behind a relay domain has it, and mail for it goes there, or where the routes lead.
    Relayed(Option<NextHop>),
    /// Nobody's.
    Unknown,
    /// Its domain takes no mail.
    Parked,
    /// Not in a domain of the site.
    Elsewhere,
}

/// One address that mail ends at, and in whose name it goes there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct End {
    /// The address.
    pub mailbox: Mailbox,
    /// Its envelope sender.
    pub sent_as: SentAs,
}

/// Which envelope sender one copy of a message has.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub enum SentAs {
    /// That of the message.
    #[default]
    Sender,
    /// The owner of the alias that it came through. The null path stays what it is.
    Owner(Mailbox),
    /// That of the message; on its way to another site, with SRS, one of this site.
    Forwarder {
        /// The address that sends it on.
        by: Mailbox,
        /// Whether the sender changes.
        srs: bool,
    },
}

impl From<Mailbox> for End {
    fn from(mailbox: Mailbox) -> End {
        End { mailbox, sent_as: SentAs::Sender }
    }
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
pub(super) fn expand(targets: Vec<End>, lookup: &dyn Lookup, trace: &mut Trace) -> Result<Vec<End>, ExpandError> {
    let mut seen = HashSet::new();
    let mut pending: VecDeque<End> = targets.into_iter().filter(|target| seen.insert(target.mailbox.folded())).collect();
    let mut result = Vec::new();
    while let Some(end) = pending.pop_front() {
        let resolved = resolve(&end.mailbox, lookup, trace)?;
        let (end, onward) = follow(end, resolved);
        result.extend(end);
        pending.extend(onward.into_iter().filter(|target| seen.insert(target.mailbox.folded())));
        if result.len() + pending.len() > EXPANSION_LIMIT || seen.len() > 2 * EXPANSION_LIMIT {
            return Err(ExpandError::TooLarge);
        }
    }
    Ok(result)
}

/// What becomes of mail that has come to an address: whether it ends there, and where else it goes.
pub(super) fn follow(here: End, resolved: Resolved) -> (Option<End>, Vec<End>) {
    let send = |targets: Vec<Mailbox>, sent_as: SentAs| {
        targets.into_iter().map(|mailbox| End { mailbox, sent_as: sent_as.clone() }).collect::<Vec<_>>()
    };
    match resolved {
        // The innermost owner counts, as in local(8).
        Resolved::Others { targets, owner } => (None, send(targets, owner.map_or(here.sent_as, SentAs::Owner))),
        Resolved::Forwarded { by, targets, srs, keep_copy } => {
            // An owner has an address of this site already.
            let is_owned = matches!(here.sent_as, SentAs::Owner(_));
            let sent_as = if is_owned { here.sent_as.clone() } else { SentAs::Forwarder { by, srs } };
            (keep_copy.then_some(here), send(targets, sent_as))
        }
        Resolved::Mailbox(_)
        | Resolved::Listed(..)
        | Resolved::Relayed(_)
        | Resolved::Unknown
        | Resolved::Parked
        | Resolved::Elsewhere => (Some(here), Vec::new()),
    }
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
        return found(&entry, &folded, address, domain, lookup, trace);
    }
    if let Some((base, detail)) = domain.delimiter.and_then(|delimiter| folded.split_once(delimiter))
        && let Some(entry) = lookup.address(&domain.name, base)?
    {
        trace.push(StepKind::Detail(detail.into()), domain.origin);
        return found(&entry, base, address, domain, lookup, trace);
    }
    // List managers put what they are to remember behind a plus, whatever the site has for its people.
    if domain.delimiter != Some('+')
        && let Some((base, _)) = folded.split_once('+')
        && let Some(entry @ AddressEntry { kind: AddressKind::List { .. }, .. }) = lookup.address(&domain.name, base)?
    {
        return found(&entry, base, address, domain, lookup, trace);
    }
    for pattern in &domain.patterns {
        // A result that is no address is no match: a group may hold what no local part may.
        if let Some(target) = pattern.apply(&folded).and_then(|text| Mailbox::parse(&text).ok()) {
            trace.push(StepKind::Pattern(pattern.expression().into(), target.clone()), pattern.origin);
            return Ok(others(vec![target]));
        }
    }
    if folded == "postmaster" {
        let site = lookup.site();
        trace.push(StepKind::Postmaster(site.postmaster.clone()), site.postmaster_origin);
        return Ok(others(vec![site.postmaster.clone()]));
    }
    if let Some((target, origin)) = &domain.catch_all {
        trace.push(StepKind::CatchAll(target.clone()), *origin);
        return Ok(others(vec![target.clone()]));
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
            Some(entry) => return found(&entry, local, address, domain, lookup, trace),
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

fn others(targets: Vec<Mailbox>) -> Resolved {
    Resolved::Others { targets, owner: None }
}

/// What an entry makes of an address, of which `folded_local` is what it was found by.
fn found(
    entry: &AddressEntry, folded_local: &str, address: &Mailbox, domain: &DomainEntry, lookup: &dyn Lookup, trace: &mut Trace,
) -> Result<Resolved, LookupFailed> {
    // The key was found in the store, so it is a local part; the fallback keeps a damaged store from panicking us.
    let Ok(local) = LocalPart::from_content(folded_local) else { return Ok(Resolved::Unknown) };
    let host = HostName::Domain(domain.name.clone());
    let mailbox = Mailbox::new(local, host.clone());
    let plain = |targets: &[Forward]| targets.iter().map(|target| target.mailbox.clone()).collect::<Vec<_>>();
    Ok(match &entry.kind {
        AddressKind::Mailbox { .. } => {
            trace.push(StepKind::Mailbox(mailbox.clone()), entry.origin);
            Resolved::Mailbox(mailbox)
        }
        AddressKind::Alias(targets) => {
            trace.push(StepKind::Alias(mailbox, targets.len()), entry.origin);
            let owner = owner(folded_local, domain, lookup, trace)?;
            Resolved::Others { targets: plain(targets), owner }
        }
        AddressKind::Forward { targets, srs, keep_copy } => {
            trace.push(StepKind::Forward(mailbox.clone(), targets.len()), entry.origin);
            Resolved::Forwarded { by: mailbox, targets: plain(targets), srs: *srs, keep_copy: *keep_copy }
        }
        AddressKind::List { transport } => {
            trace.push(StepKind::List(mailbox), entry.origin);
            Resolved::Listed(Mailbox::new(address.local.clone(), host), transport.clone())
        }
        // Written for a relay domain alone, whose addresses are found above.
        AddressKind::Relayed => Resolved::Unknown,
    })
}

/// The `owner-list` of an alias `list` (aliases(5)).
fn owner(
    folded_local: &str, domain: &DomainEntry, lookup: &dyn Lookup, trace: &mut Trace,
) -> Result<Option<Mailbox>, LookupFailed> {
    if folded_local.starts_with("owner-") {
        return Ok(None);
    }
    let Ok(local) = LocalPart::from_content(&format!("owner-{folded_local}")) else { return Ok(None) };
    let Some(entry) = lookup.address(&domain.name, local.as_str())? else { return Ok(None) };
    let owner = Mailbox::new(local, HostName::Domain(domain.name.clone()));
    trace.push(StepKind::Owner(owner.clone()), entry.origin);
    Ok(Some(owner))
}
