//! The guard against a step between two sites that keys do not survive: what the site in force has not published yet must not
//! be relied on, and what others still check by must not go. The waits in between are for the dates of the site, which the rules
//! hold against [`crate::life`]; here, two builds are compared, of which neither need say a date.

use crate::emit::dns::{announced, in_use};
use crate::lower::draft::{DomainDraft, SignerDraft, SiteDraft};
use crate::model::Model;
use postern_schema::name::Domain;
use postern_schema::site::{DkimSigner, DomainEntry, Selector, SigningState};
use std::fmt;

/// One step too many at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Handover {
    /// A DKIM key signs that is not in DNS yet.
    SignsUnpublished(Domain, Selector),
    /// A DKIM key leaves DNS that signs to this day, or whose mail may be under way.
    RemovedInUse(Domain, Selector, SigningState),
    /// A DKIM key that has signed leaves DNS, and the site does not say when it stopped.
    RemovedUndated(Domain, Selector),
    /// A selector gets another key: resolvers still have the one before.
    KeyReplaced(Domain, Selector),
    /// No key that TLSA announces from now on was announced before.
    PinsReplaced(Domain),
    /// The certificate in the site has a key that TLSA has not announced before.
    UnannouncedKey(Domain),
}

impl fmt::Display for Handover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Handover::SignsUnpublished(domain, selector) => write!(
                f,
                "{selector}._domainkey.{domain} would sign, and is not in the DNS records of what is in force: what it signs would \
                 fail. Build it with state=\"publish\" first, and let it sign a day after its record is out (`postern key rotate`)"
            ),
            Handover::RemovedInUse(domain, selector, state) => write!(
                f,
                "{selector}._domainkey.{domain} would leave DNS, and is {state}: mail that it signed is under way, and would fail. \
                 Let `postern key rotate` retire it and remove it when the queue is over"
            ),
            Handover::RemovedUndated(domain, selector) => write!(
                f,
                "{selector}._domainkey.{domain} would leave DNS, and its line does not say since when it is retired: mail that it \
                 signed may be under way, and would fail. Write retired= and removed= beside the state, as `postern key rotate` does"
            ),
            Handover::KeyReplaced(domain, selector) => write!(
                f,
                "{selector}._domainkey.{domain} would be another key than before: resolvers keep the old one, and signatures fail. \
                 Make a key with a selector of its own: `postern key new`"
            ),
            Handover::PinsReplaced(host) => write!(
                f,
                "no key that TLSA announces for {host} was announced before: hosts that know DANE keep the old records for a while \
                 and would deliver nothing. Add the next key to `dane` beside the old one, and remove the old one after the change"
            ),
            Handover::UnannouncedKey(host) => write!(
                f,
                "the certificate of {host} has a key that TLSA has not announced before: hosts that know DANE would deliver \
                 nothing. Build with the old certificate and the next key in `dane` first, and wait for two hours"
            ),
        }
    }
}

/// The keys of a site that are removed, and of which it does not say when they stopped signing and when they went.
pub fn undated(draft: &SiteDraft) -> Vec<(Domain, Selector)> {
    let name = |domain: &DomainDraft, signer: &SignerDraft| (domain.name.value.clone(), signer.selector.value.clone());
    let is_undated = |signer: &&SignerDraft| {
        signer.state.value == SigningState::Removed && (signer.dates.retired.is_none() || signer.dates.removed.is_none())
    };
    let all = draft.domains.iter();
    all.flat_map(|domain| domain.signers.iter().filter(is_undated).map(move |signer| name(domain, signer))).collect()
}

/// Every step between two sites that could lose mail, given the [`undated`] keys of the new one. A domain or a host that is new has nothing to lose, and one that goes takes
/// its keys along.
pub fn handovers(old: &Model, new: &Model, undated: &[(Domain, Selector)]) -> Vec<Handover> {
    let mut found = Vec::new();
    for (name, after) in &new.domains {
        if let Some(before) = old.domains.get(name) {
            signers(before, after, undated, &mut found);
        }
    }
    pins(old, new, &mut found);
    found
}

fn signers(before: &DomainEntry, after: &DomainEntry, undated: &[(Domain, Selector)], found: &mut Vec<Handover>) {
    let domain = &before.name;
    let find =
        |entry: &DomainEntry, signer: &DkimSigner| entry.signers.iter().find(|other| other.selector == signer.selector).cloned();
    for signer in &after.signers {
        let was = find(before, signer).filter(|was| is_published(was.state));
        let is_same = was.as_ref().is_some_and(|was| was.public_key == signer.public_key);
        if was.is_some() && !is_same && is_published(signer.state) {
            found.push(Handover::KeyReplaced(domain.clone(), signer.selector.clone()));
        } else if signer.state == SigningState::Active && !is_same {
            found.push(Handover::SignsUnpublished(domain.clone(), signer.selector.clone()));
        }
    }
    for signer in &before.signers {
        let name = (domain.clone(), signer.selector.clone());
        if signer.state == SigningState::Retired && undated.contains(&name) {
            found.push(Handover::RemovedUndated(name.0, name.1));
            continue;
        }
        let is = find(after, signer).map(|is| is.state);
        let goes = match signer.state {
            // To revoke is to say that what it signed must fail.
            SigningState::Active => matches!(is, None | Some(SigningState::Removed)),
            // A rule holds its dates against the queue; without its line, nothing does.
            SigningState::Retired => is.is_none(),
            SigningState::Publish | SigningState::Revoked | SigningState::Removed => false,
        };
        if goes {
            found.push(Handover::RemovedInUse(domain.clone(), signer.selector.clone(), signer.state));
        }
    }
}

/// Whether a key stands in DNS so that it can be checked by.
fn is_published(state: SigningState) -> bool {
    matches!(state, SigningState::Publish | SigningState::Active | SigningState::Retired)
}

/// RFC 7672 8.1: what a resolver still holds must match what the host shows.
fn pins(old: &Model, new: &Model, found: &mut Vec<Handover>) {
    let host = &new.site.hostname;
    let (before, after) = (announced(old), announced(new));
    if old.site.hostname != *host || before.is_empty() || after.is_empty() {
        return;
    }
    let used = in_use(new);
    if before.is_disjoint(&after) {
        found.push(Handover::PinsReplaced(host.clone()));
    } else if !used.is_empty() && before.is_disjoint(&used) {
        found.push(Handover::UnannouncedKey(host.clone()));
    }
}

#[cfg(test)]
mod tests;
