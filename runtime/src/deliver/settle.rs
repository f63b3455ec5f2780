//! What became of an attempt: one log line for each recipient, a durable note in the queue, a bounce where one is due.

use super::Dispatcher;
use crate::authentication::generated;
use crate::daemon::{Daemon, now_ms};
use crate::queue::dsn;
use crate::queue::schedule::{self, Next};
use crate::queue::{Attempt, Body, Change, Envelope, Generated, Outcome, QueueEntry, RecipientState, SpoolError};
use crate::site::Generation;
use postern_schema::decide::expansion;
use postern_schema::reply::Reply;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

/// The pause before a note that the queue did not take is tried again.
const NOTE_PAUSE: Duration = Duration::from_secs(1);
/// How much of a message is read for the header that goes back with a notice.
const HEADER_READ_OCTETS: u64 = 128 << 10;

/// The results of one attempt for some recipients of one message.
pub struct Settled {
    envelope: Arc<Envelope>,
    generation: Arc<Generation>,
    results: Vec<(u32, Reply)>,
    via: Option<Arc<str>>,
}

impl Settled {
    /// Results by place in the envelope, and the peer or transport that gave them, for the log.
    pub fn new(
        envelope: Arc<Envelope>, generation: Arc<Generation>, results: Vec<(u32, Reply)>, via: Option<Arc<str>>,
    ) -> Settled {
        Settled { envelope, generation, results, via }
    }
}

/// Notes results, and does what follows from them. When it returns, they are durable.
pub async fn settle(daemon: Arc<Daemon>, all: Vec<Settled>) {
    let now = now_ms();
    let mut changes = Vec::with_capacity(2 * all.len());
    for settled in &all {
        // A message that the operator deleted meanwhile has nothing left to note.
        if let Some(entry) = daemon.spool.find(settled.envelope.id) {
            changes.extend(settled.changes(&entry, now));
        }
    }
    if !changes.is_empty() && note(&daemon, changes).await.is_err() {
        return;
    }
    for settled in &all {
        let id = settled.envelope.id;
        daemon.dispatcher.release(id, settled.results.iter().map(|(place, _)| *place));
        if let Some(entry) = daemon.spool.find(id) {
            follow_up(&daemon, entry, &settled.generation).await;
        }
    }
}

/// Until it is noted, the recipients stay claimed: an attempt whose end is not on disk must not be followed by another.
async fn note(daemon: &Daemon, changes: Vec<Change>) -> Result<(), SpoolError> {
    loop {
        match daemon.spool.record(changes.clone()).await {
            Ok(()) => return Ok(()),
            Err(error @ SpoolError::Closed) => return Err(error),
            Err(error) => {
                tracing::error!(%error, "the queue cannot note what became of a delivery; trying again");
                tokio::time::sleep(NOTE_PAUSE).await;
            }
        }
    }
}

impl Settled {
    fn changes(&self, entry: &QueueEntry, now: u64) -> Vec<Change> {
        let id = self.envelope.id;
        let mut delivered = Vec::new();
        let mut changes = Vec::new();
        for (place, reply) in &self.results {
            let outcome = self.outcome(entry, *place, reply, now);
            self.log(*place, &outcome, reply, now);
            match outcome {
                Outcome::Delivered => delivered.push(*place),
                outcome => changes.push(Change::Outcome { id, recipients: [*place].into(), outcome }),
            }
        }
        let all_done = (0u32..).zip(&entry.progress.states).all(|(place, state)| {
            matches!(state, RecipientState::Delivered | RecipientState::Returned) || delivered.contains(&place)
        });
        if all_done {
            changes.push(Change::Remove(id));
        } else if !delivered.is_empty() {
            changes.push(Change::Outcome { id, recipients: delivered.into(), outcome: Outcome::Delivered });
        }
        changes
    }

    fn outcome(&self, entry: &QueueEntry, place: u32, reply: &Reply, now: u64) -> Outcome {
        if reply.code.is_positive() {
            return Outcome::Delivered;
        }
        let remote = self.via.as_deref().map(Box::from);
        let attempt = Arc::new(Attempt::new(reply.clone(), remote, now, self.generation.mark()));
        if reply.code.is_permanent() {
            return Outcome::Failed(attempt);
        }
        let attempts = match entry.progress.states.get(place as usize) {
            Some(RecipientState::Pending { attempts, .. }) => attempts.saturating_add(1),
            _ => 1,
        };
        match schedule::after_failure(&self.generation.site().queue, &self.envelope, attempts, now) {
            Next::Retry { at_ms } => Outcome::Deferred { attempt, next_ms: at_ms },
            Next::Expired => Outcome::Expired(attempt),
        }
    }

    fn log(&self, place: u32, outcome: &Outcome, reply: &Reply, now: u64) {
        let status = match outcome {
            Outcome::Delivered => "sent",
            Outcome::Deferred { .. } => "deferred",
            Outcome::Failed(_) | Outcome::Returned => "bounced",
            Outcome::Expired(_) => "expired",
        };
        let Some(recipient) = self.envelope.recipients.get(place as usize) else { return };
        tracing::info!(
            id = %self.envelope.id,
            to = %recipient.address,
            via = self.via.as_deref().unwrap_or("none"),
            status,
            dsn = reply.status.map(|status| status.to_string()),
            delay_ms = now.saturating_sub(self.envelope.arrival_ms),
            generation = self.generation.number,
            reply = reply.to_string(),
            "attempt"
        );
    }
}

/// What the noted state of a message calls for: a timer, a bounce, its removal.
async fn follow_up(daemon: &Arc<Daemon>, entry: QueueEntry, generation: &Generation) {
    if entry.unreturned().next().is_some() && daemon.dispatcher.claim_notice(entry.id()) {
        notify(daemon, &entry, generation).await;
        daemon.dispatcher.release_notice(entry.id());
    } else if entry.progress.is_settled() {
        // Two workers finished their parts of it at the same time.
        let _ = note(daemon, vec![Change::Remove(entry.id())]).await;
    }
    if let Some(at) = entry.progress.next_attempt_ms() {
        if at == 0 { Dispatcher::consider(daemon, entry) } else { daemon.dispatcher.wake_at(at, entry.id()) }
    }
}

/// Tells the sender of every recipient that failed, and notes that it was told, in one step.
async fn notify(daemon: &Arc<Daemon>, entry: &QueueEntry, generation: &Generation) {
    // The claim came after the look: another notice may have been written in between.
    let Some(entry) = daemon.spool.find(entry.id()) else { return };
    let places: Box<[u32]> = entry.unreturned().map(|failed| failed.index).collect();
    if places.is_empty() {
        return;
    }
    let mut changes = vec![Change::Outcome { id: entry.id(), recipients: places.clone(), outcome: Outcome::Returned }];
    let is_last = (0u32..)
        .zip(&entry.progress.states)
        .all(|(place, state)| matches!(state, RecipientState::Delivered | RecipientState::Returned) || places.contains(&place));
    if is_last {
        changes = vec![Change::Remove(entry.id())];
    }
    loop {
        let result = match append_notice(daemon, &entry, generation, &changes).await {
            // One that waits is written when the snapshot is loaded next, with its keys.
            Ok(Notice::Queued | Notice::Waits) => return,
            // RFC 5321 4.5.5: nobody is told about a notice that could not be delivered; others do not want to hear.
            Ok(Notice::Unwanted) => return drop(note(daemon, changes).await),
            Err(error) => error,
        };
        if matches!(result, SpoolError::Closed) {
            return;
        }
        tracing::error!(error = %result, id = %entry.id(), "the queue does not take a notice; trying again");
        tokio::time::sleep(NOTE_PAUSE).await;
    }
}

/// What became of a notice.
enum Notice {
    Queued,
    /// There is nobody to tell.
    Unwanted,
    /// It must be signed and cannot be.
    Waits,
}

/// Queues the notice together with the changes.
async fn append_notice(
    daemon: &Daemon, entry: &QueueEntry, generation: &Generation, changes: &[Change],
) -> Result<Notice, SpoolError> {
    let now = now_ms();
    let id = daemon.spool.fresh_id(now);
    // A body that cannot be read must not keep its sender in the dark: the notice goes out without the header.
    let mut original = Vec::new();
    if let Ok(body) = daemon.spool.read_body(entry.id()) {
        let _ = body.take(HEADER_READ_OCTETS).read_to_end(&mut original);
    }
    let hostname = &generation.site().hostname;
    let Some(bounce) = dsn::bounce(entry, &original, hostname, id.id(), now / 1000) else { return Ok(Notice::Unwanted) };
    let signatures = match generated::sign(generation, &bounce.octets, now / 1000) {
        Ok(signatures) => signatures,
        Err(error) => {
            tracing::error!(id = %entry.id(), %error, "a notice cannot be signed, so it waits");
            return Ok(Notice::Waits);
        }
    };
    tracing::info!(id = %entry.id(), notice = %id.id(), to = %bounce.recipient, "sender notified");
    let generated = Generated {
        id,
        arrival_ms: now,
        expansion: expansion(&bounce.recipient, &*generation.snapshot),
        recipient: bounce.recipient,
        smtp_utf8: bounce.smtp_utf8,
        eight_bit: bounce.eight_bit,
        generation: generation.mark(),
        body: Body::Inline(vec![signatures.into(), bounce.octets.into()]),
        changes: changes.to_vec(),
    };
    daemon.spool.append(generated).await.map(|_| Notice::Queued)
}
