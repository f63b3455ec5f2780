//! Workers for mailboxes of our own: many messages at once, one thread, one flush for each folder.

use super::lane::{Job, Place};
use super::maildir::{self, Delivery};
use super::settle::{Settled, settle};
use crate::daemon::Daemon;
use postern_schema::decide::Lookup;
use postern_schema::name::Mailbox;
use postern_schema::reply::Reply;
use postern_schema::site::{AddressKind, Destination, TransportKind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Messages of one batch.
const BATCH: usize = 1024;
/// Batches whose notes may be on their way to disk. None of them arrives twice: a message has the same name at every attempt.
const NOTES_PENDING: usize = 4;
/// A batch so small was hardly worth its flushes: the next one gathers for a moment first.
const SMALL_BATCH: usize = 32;
/// So long after a batch, more is expected.
const BUSY_FOR: Duration = Duration::from_millis(50);
/// That moment. Nobody waits for it: the messages are durable in the queue.
const GATHER: Duration = Duration::from_millis(4);
/// How long a worker waits for the next one.
const PATIENCE: Duration = Duration::from_secs(1);

/// Delivers what its lane holds until nothing comes any more.
pub async fn work(daemon: Arc<Daemon>, mut place: Place) {
    let mut notes = JoinSet::new();
    let mut last = None;
    loop {
        let mut jobs = place.next(&daemon, BATCH, PATIENCE).await;
        if jobs.is_empty() {
            while notes.join_next().await.is_some() {}
            return;
        }
        let is_busy = last.is_some_and(|last: Instant| last.elapsed() < BUSY_FOR);
        if is_busy && jobs.len() < SMALL_BATCH {
            tokio::time::sleep(GATHER).await;
            jobs.append(&mut place.take(&daemon, BATCH - jobs.len()));
        }
        let (worker, destination) = (daemon.clone(), place.destination().clone());
        match tokio::task::spawn_blocking(move || deliver(&worker, &destination, jobs)).await {
            // The next batch is written while the notes of this one are on their way to disk.
            Ok(settled) => drop(notes.spawn(settle(daemon.clone(), settled))),
            Err(error) => tracing::error!(%error, "a local delivery was lost; its mail is tried again after a restart"),
        }
        last = Some(Instant::now());
        while notes.len() >= NOTES_PENDING {
            notes.join_next().await;
        }
    }
}

/// Delivers all jobs in one batch, and sorts the results back to them.
fn deliver(daemon: &Daemon, destination: &Destination, jobs: Vec<Job>) -> Vec<Settled> {
    let mut whose = Vec::new();
    let mut results: Vec<Vec<(u32, Reply)>> = jobs.iter().map(|job| Vec::with_capacity(job.recipients.len())).collect();
    let wanted = jobs.iter().enumerate().flat_map(|(index, job)| job.recipients.iter().map(move |to| (index, job, to)));
    // Planned one by one, while the batch is written: so the messages are never all in memory.
    let planned = wanted.filter_map(|(index, job, (place, mailbox))| match plan(daemon, destination, job, *place, mailbox) {
        Ok(delivery) => {
            whose.push((index, *place));
            Some(delivery)
        }
        Err(reply) => {
            results[index].push((*place, reply));
            None
        }
    });
    let delivered = maildir::deliver(planned);
    for ((index, place), result) in whose.into_iter().zip(delivered) {
        let reply = match result {
            Ok(()) => Reply::delivered("delivered to maildir".to_owned()),
            Err(error) => Reply::local_trouble(error.to_string()),
        };
        results[index].push((place, reply));
    }
    let via: Arc<str> = destination.to_string().into();
    let settled = |(job, results): (Job, _)| Settled::new(job.envelope, job.generation, results, Some(via.clone()));
    jobs.into_iter().zip(results).map(settled).collect()
}

/// What the mailbox may hold at most, by the site of today.
fn quota_octets(job: &Job, mailbox: &Mailbox) -> Result<Option<u64>, Reply> {
    let Some(domain) = mailbox.domain() else { return Ok(None) };
    let entry = job.generation.snapshot.address(domain, &mailbox.local.folded());
    let entry = entry.map_err(|error| Reply::local_trouble(error.to_string()))?;
    let own = match entry.map(|entry| entry.kind) {
        Some(AddressKind::Mailbox { quota_octets }) => quota_octets,
        _ => None,
    };
    Ok(own.or(job.generation.site().limits.mailbox_octets))
}

fn plan(daemon: &Daemon, destination: &Destination, job: &Job, place: u32, mailbox: &Mailbox) -> Result<Delivery, Reply> {
    let site = job.generation.site();
    let transport = match destination {
        Destination::Transport { name, .. } => site.transport(name).map(|transport| &transport.kind),
        Destination::Mx { .. } | Destination::Literal { .. } | Destination::Relay { .. } => None,
    };
    let Some(TransportKind::Maildir { path }) = transport else {
        return Err(Reply::local_trouble(format!("{destination} is not in the site")));
    };
    let envelope = &job.envelope;
    let message = daemon.spool.read_body(envelope.id).map_err(|error| Reply::local_trouble(error.to_string()))?;
    let domain = mailbox.domain().map_or("", |domain| domain.as_str());
    let folder = maildir::folder(path, daemon.state.folder(), domain, mailbox.local.as_str());
    if let Some(most) = quota_octets(job, mailbox)?
        && !daemon.quotas.admit(&folder.path, envelope.body_octets, most)
    {
        return Err(Reply::mailbox_full(format!("The mailbox {mailbox} is full: it holds {most} octets at most")));
    }
    Ok(Delivery {
        folder,
        file_name: format!("{}.Q{}R{place}.{}", envelope.arrival_ms / 1000, envelope.id, site.hostname),
        fields: maildir::delivery_fields(job, place, mailbox),
        message,
    })
}
