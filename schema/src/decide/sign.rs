//! Which keys sign a message on its way out.
//!
//! Mail of users, of networks that may relay, and of the server itself is signed in the name of the author's domain, or of the
//! nearest domain above it that has a key: that is aligned too (RFC 9989 4.5). Mail of strangers is not ours to sign. Nor is what a
//! relay signs: but it must be sure of that, so its backup has to sign as well.

use super::{Client, ClientClass, Lookup, LookupFailed, StepKind, Trace};
use crate::name::Domain;
use crate::site::{Destination, DkimSigner, SigningAlgorithm, SigningState};

/// Whose message it is.
#[derive(Clone, Copy, Debug)]
pub enum Author<'a> {
    /// It came from a client.
    Client(Client<'a>),
    /// The server wrote it.
    Server,
}

/// What is known when a message is about to be signed.
#[derive(Clone, Copy, Debug)]
pub struct SignFacts<'a> {
    /// Whose it is.
    pub author: Author<'a>,
    /// The domains of the From field, in order.
    pub from: &'a [Domain],
    /// Where it goes next, for every recipient.
    pub destinations: &'a [Destination],
}

/// One signature that is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    /// The domain that vouches.
    pub domain: Domain,
    /// The key.
    pub signer: DkimSigner,
}

/// The signatures that are due; none is an answer too. The trace says how it was found.
///
/// # Errors
/// [`LookupFailed`] if the store is damaged: the message must wait.
pub fn signing(facts: &SignFacts<'_>, lookup: &dyn Lookup) -> Result<(Vec<Signature>, Trace), LookupFailed> {
    let site = lookup.site();
    let mut trace = Trace::default();
    if let Author::Client(client) = facts.author
        && matches!(client.classify(site, &mut trace), ClientClass::Anonymous)
    {
        return Ok((Vec::new(), trace));
    }
    let signs = |destination: &Destination| match destination {
        Destination::Relay { name, .. } => site.relay(name).filter(|relay| site.is_signed_beyond(relay)),
        Destination::Transport { .. } | Destination::Mx { .. } | Destination::Literal { .. } => None,
    };
    if let Some(relay) = facts.destinations.first().and_then(signs)
        && facts.destinations.iter().all(|destination| signs(destination).is_some())
    {
        trace.push(StepKind::RelaySigns, relay.origin);
        return Ok((Vec::new(), trace));
    }
    for author in facts.from {
        let mut above = Some(author.clone());
        while let Some(domain) = above {
            let entry = lookup.domain(&domain)?;
            let active = |signer: &&DkimSigner| signer.state == SigningState::Active;
            let signers: Vec<&DkimSigner> = entry.iter().flat_map(|entry| &entry.signers).filter(active).collect();
            if !signers.is_empty() {
                for signer in &signers {
                    trace.push(StepKind::Signer(domain.clone(), signer.selector.clone()), signer.origin);
                }
                let signature = |signer: &DkimSigner| Signature { domain: domain.clone(), signer: signer.clone() };
                return Ok((signers.into_iter().map(signature).collect(), trace));
            }
            above = domain.parent();
        }
    }
    trace.push_default(StepKind::NoSigner);
    Ok((Vec::new(), trace))
}

/// The key that seals mail of strangers that is sent on (RFC 8617 4.1.3): the first RSA key of the domain that the site names, since
/// few read others there; where it has none, its first. `None`: nothing is sealed.
///
/// # Errors
/// [`LookupFailed`] if the store is damaged: the message must wait.
pub fn sealing(lookup: &dyn Lookup) -> Result<Option<Signature>, LookupFailed> {
    let Some((domain, _)) = &lookup.site().arc.seal else { return Ok(None) };
    let entry = lookup.domain(domain)?;
    let active = || entry.iter().flat_map(|entry| &entry.signers).filter(|signer| signer.state == SigningState::Active);
    let is_rsa = |signer: &&DkimSigner| signer.public_key.algorithm() == SigningAlgorithm::RsaSha256;
    let signer = active().find(is_rsa).or_else(|| active().next());
    Ok(signer.map(|signer| Signature { domain: domain.clone(), signer: signer.clone() }))
}
