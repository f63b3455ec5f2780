//! What is changed in a message on its way to another site: a field that says who has sent it on, and the addresses that
//! `rewrite at="egress"` replaces in its header. Where the header changes, what the site has signed is signed anew; the body goes by
//! as it lies in the queue.

use super::lane::Job;
use crate::authentication::canonical::{BodyHash, Canonicalization};
use crate::authentication::header::{Field, Header, HeaderGatherer};
use crate::daemon::{Daemon, now_ms};
use crate::queue::spool::BodyReader;
use crate::submission::addresses;
use postern_schema::decide::{Author, Client, SignFacts, Trace, rewrite, signing};
use postern_schema::reply::Reply;
use postern_schema::site::{Destination, Slot};
use std::io::Read;

/// What is read at once.
const PIECE_OCTETS: usize = 64 << 10;

/// The message as it goes to that destination.
///
/// # Errors
/// A transient reply where it cannot be read, or must be signed and cannot be.
pub fn message(daemon: &Daemon, job: &Job, destination: &Destination) -> Result<BodyReader, Reply> {
    let unreadable = |error: &dyn std::fmt::Display| Reply::local_trouble(format!("the queued message cannot be read: {error}"));
    let read = || daemon.spool.read_body(job.envelope.id).map_err(|error| unreadable(&error));
    let mut front = Vec::new();
    if let Some(by) = &job.forwarded_by {
        front.extend_from_slice(format!("Delivered-To: {by}\r\n").as_bytes());
    }
    let leaves = !matches!(destination, Destination::Transport { .. });
    if leaves && rewrite::changes_what_leaves(job.generation.site()) {
        let (header, octets) = header(read()?).map_err(|error| unreadable(&error))?;
        if let Some((changed, was_signed)) = rewritten(job, &header) {
            let signatures = sign(job, (&changed, was_signed), destination, octets, read()?)?;
            front.extend_from_slice(&signatures);
            front.extend_from_slice(changed.octets());
            return Ok(read()?.changed(front, octets));
        }
    }
    let body = read()?;
    Ok(if front.is_empty() { body } else { body.changed(front, 0) })
}

/// The header, and how many octets of the message it takes.
fn header(mut body: BodyReader) -> std::io::Result<(Header, u64)> {
    let mut gatherer = HeaderGatherer::default();
    let mut piece = vec![0; PIECE_OCTETS];
    loop {
        let read = body.read(&mut piece)?;
        if read == 0 {
            let header = gatherer.finish();
            let octets = header.octets().len() as u64;
            return Ok((header, octets));
        }
        match gatherer.feed(&piece[..read]) {
            Ok(None) => {}
            Ok(Some((header, _))) => {
                let octets = header.octets().len() as u64;
                return Ok((header, octets));
            }
            // What was put in front of it has made it larger than one that comes in may be: it leaves as it is.
            Err(_) => return Ok((Header::default(), 0)),
        }
    }
}

/// The header as it leaves, and whether the site had signed it: signatures of our own stand above our first trace field, and hold no
/// more then. `None` where nothing changes.
fn rewritten(job: &Job, header: &Header) -> Option<(Header, bool)> {
    let site = job.generation.site();
    let changed = addresses::rewrite_header(header, &site.origin_domain, |address, slot: Slot| {
        rewrite::leaving(address, slot, site, &mut Trace::default())
    })?;
    let ours = changed.fields().take_while(|field| !field.name.eq_ignore_ascii_case(b"received")).filter(is_signature).count();
    let seen = std::cell::Cell::new(0);
    let without = changed.without(|field| {
        let is_ours = is_signature(field) && seen.get() < ours;
        seen.set(seen.get() + usize::from(is_signature(field)));
        is_ours
    });
    Some((without, ours > 0))
}

fn is_signature(field: &Field<'_>) -> bool {
    field.name.eq_ignore_ascii_case(b"dkim-signature")
}

fn sign(
    job: &Job, (header, was_signed): (&Header, bool), destination: &Destination, skipped: u64, mut body: BodyReader,
) -> Result<Vec<u8>, Reply> {
    let cannot = |error: &dyn std::fmt::Display| Reply::local_trouble(format!("the message cannot be signed: {error}"));
    let author = match job.envelope.client.as_deref() {
        None => Author::Server,
        // The site has vouched for it before, whatever it knows of its client today.
        Some(_) if was_signed => Author::Server,
        Some(client) => Author::Client(Client {
            listener: &client.listener,
            address: client.address,
            user: client.user.as_deref(),
            certificate: &client.certificate,
        }),
    };
    let from = header.from_domains();
    let facts = SignFacts { author, from: &from, destinations: std::slice::from_ref(destination) };
    let (due, _) = signing(&facts, &*job.generation.snapshot).map_err(|error| cannot(&error))?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let mut hash = BodyHash::new(Canonicalization::Relaxed);
    let (mut piece, mut left) = (vec![0; PIECE_OCTETS], skipped);
    loop {
        let read = body.read(&mut piece).map_err(|error| cannot(&error))?;
        if read == 0 {
            break;
        }
        let skip = usize::try_from(left).unwrap_or(usize::MAX).min(read);
        left -= skip as u64;
        hash.update(&piece[skip..read]);
    }
    job.generation.keys.sign(&due, header, &hash.finish(), now_ms() / 1000).map_err(|error| cannot(&error))
}
