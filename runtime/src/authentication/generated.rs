//! What the server itself writes, notices and reports: signed, and as the queue takes it.

use super::canonical::{BodyHash, Canonicalization};
use super::header::HeaderGatherer;
use crate::queue::{Body, FreshId, Generated};
use crate::site::Generation;
use postern_schema::decide::{Author, SignFacts, TlsWish, expansion, signing};
use postern_schema::name::Mailbox;

/// A message of the server to somebody, signed where the site has a key for it.
///
/// # Errors
/// What keeps it from being signed, for the log: it must not leave so.
pub fn message(
    generation: &Generation, (id, now_ms): (FreshId, u64), recipient: Mailbox, octets: Vec<u8>,
) -> Result<Generated, String> {
    let signatures = sign(generation, &octets, now_ms / 1000)?;
    Ok(whole(generation, (id, now_ms), recipient, [signatures, octets]))
}

/// The same for a report, which nobody takes that no key vouches for (RFC 8460 3); the compiler refuses a site that has none.
///
/// # Errors
/// As for [`message`].
pub fn report(
    generation: &Generation, (id, now_ms): (FreshId, u64), recipient: Mailbox, octets: Vec<u8>,
) -> Result<Generated, String> {
    let signatures = sign(generation, &octets, now_ms / 1000)?;
    if signatures.is_empty() {
        return Err("no key signs reports of this site".to_owned());
    }
    Ok(whole(generation, (id, now_ms), recipient, [signatures, octets]))
}

fn whole(generation: &Generation, (id, arrival_ms): (FreshId, u64), recipient: Mailbox, parts: [Vec<u8>; 2]) -> Generated {
    Generated {
        id,
        arrival_ms,
        expansion: expansion(&recipient, &*generation.snapshot),
        smtp_utf8: !recipient.local.is_ascii(),
        recipient,
        eight_bit: parts.iter().any(|part| !part.is_ascii()),
        tls_wish: TlsWish::Default,
        generation: generation.mark(),
        body: Body::Inline(parts.map(Into::into).into()),
        changes: Vec::new(),
    }
}

/// The fields that go in front of a message of our own; empty where none are due.
fn sign(generation: &Generation, message: &[u8], now_seconds: u64) -> Result<Vec<u8>, String> {
    let mut gatherer = HeaderGatherer::default();
    let (header, body) = match gatherer.feed(message) {
        Ok(Some(parts)) => parts,
        Ok(None) => (gatherer.finish(), &[][..]),
        Err(_) => return Err("its header is too large".to_owned()),
    };
    let facts = SignFacts { author: Author::Server, from: &header.from_domains(), destinations: &[] };
    let (due, _) = signing(&facts, &*generation.snapshot).map_err(|failed| failed.to_string())?;
    let mut hash = BodyHash::new(Canonicalization::Relaxed);
    hash.update(body);
    generation.keys.sign(&due, &header, &hash.finish(), now_seconds).map_err(|error| error.to_string())
}
