//! Signatures for what the server itself writes: notices and reports.

use super::canonical::{BodyHash, Canonicalization};
use super::header::HeaderGatherer;
use crate::site::Generation;
use postern_schema::decide::{Author, SignFacts, signing};

/// The fields that go in front of a message of our own; empty where none are due.
///
/// # Errors
/// What keeps it from being signed, for the log: it must not leave so.
pub fn sign(generation: &Generation, message: &[u8], now_seconds: u64) -> Result<Vec<u8>, String> {
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
