//! What became of an attempt: one log line for each recipient, a durable note in the queue, a bounce where one is due.

use super::backscatter::{self, is_of_stranger};
use super::session::Protection;
use super::{Dispatcher, notice};
use crate::daemon::{Daemon, now_ms};
use crate::fault::{Point, reach};
use crate::queue::dsn;
use crate::queue::schedule::{self, Next};
use crate::queue::{Action, Attempt, Change, Envelope, Outcome, QueueEntry, QueueId, RecipientState, SpoolError, Unreturned};
use crate::site::Generation;
use postern_schema::name::ReversePath;
use postern_schema::reply::Reply;
use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The pause before a note that the queue did not take is tried again.
const NOTE_PAUSE: Duration = Duration::from_secs(1);
/// How much of a message is read for what goes back with a notice: more than [`dsn::FULL_MAX_OCTETS`].
const HEADER_READ_OCTETS: u64 = 128 << 10;

/// The results of one attempt for some recipients of one message.
pub struct Settled {
    envelope: Arc<Envelope>,
    generation: Arc<Generation>,
    results: Vec<(u32, Reply)>,
    via: Option<Arc<str>>,
    handover: Handover,
    protection: Option<Protection>,
    way: Option<Arc<str>>,
}

/// What a positive reply means for somebody who wants to hear of success (RFC 3461 5.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Handover {
    /// The message has arrived.
    Final,
    /// It went to a host that will tell nobody.
    Relayed,
    /// It went to a host that will see to it.
    PassedOn,
}

impl Settled {
    /// Results by place in the envelope, and the peer or transport that gave them, for the log.
    pub fn new(
        envelope: Arc<Envelope>, generation: Arc<Generation>, results: Vec<(u32, Reply)>, via: Option<Arc<str>>,
    ) -> Settled {
        Settled { envelope, generation, results, via, handover: Handover::Final, protection: None, way: None }
    }

    /// With another meaning of success.
    pub fn handed_over(mut self, handover: Handover) -> Settled {
        self.handover = handover;
        self
    }
}

impl Settled {
    /// With the protection of the session that the results came by.
    pub fn protected(mut self, protection: Protection) -> Settled {
        self.protection = Some(protection);
        self
    }

    /// With what the history calls the answers of DNS that led to the peer.
    pub fn by_way(mut self, way: Option<Arc<str>>) -> Settled {
        self.way = way;
        self
    }
}

/// Notes results, and does what follows from them. When it returns, they are durable.
pub async fn settle(daemon: Arc<Daemon>, all: Vec<Settled>) {
    reach(Point::ResultKnown);
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
        match daemon.spool.find(id) {
            Some(entry) => follow_up(&daemon, entry, &settled.generation).await,
            None => tracing::info!(%id, "removed"),
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
        // Where there was no session, it was no other server that said it (RFC 3464 2.3.6).
        let remote = || self.protection.and(self.via.as_deref()).map(Box::from);
        let attempt = || Arc::new(Attempt::new(reply.clone(), remote(), now, self.generation.mark()));
        if reply.code.is_positive() {
            let wants_to_know = self.envelope.recipients.get(place as usize).is_some_and(|r| r.wants_notice(Action::Delivered));
            let is_told = self.handover != Handover::PassedOn && self.envelope.reverse_path != ReversePath::Null;
            return match wants_to_know && is_told {
                true => Outcome::Succeeded { attempt: attempt(), relayed: self.handover == Handover::Relayed },
                false => Outcome::Delivered,
            };
        }
        let attempt = attempt();
        if reply.code.is_permanent() {
            return Outcome::Failed(attempt);
        }
        let attempts = match entry.progress.states.get(place as usize) {
            Some(RecipientState::Pending { attempts, .. }) => attempts.saturating_add(1),
            _ => 1,
        };
        match schedule::after_failure(&self.generation.site().queue, &self.envelope, attempts, reply, now) {
            Next::Retry { at_ms } => Outcome::Deferred { attempt, next_ms: at_ms },
            Next::Expired => Outcome::Expired(attempt),
        }
    }

    fn log(&self, place: u32, outcome: &Outcome, reply: &Reply, now: u64) {
        let status = match outcome {
            Outcome::Delivered | Outcome::Succeeded { .. } => "sent",
            Outcome::Deferred { .. } | Outcome::Warned => "deferred",
            Outcome::Failed(_) | Outcome::Returned => "bounced",
            Outcome::Expired(_) => "expired",
        };
        let Some(recipient) = self.envelope.recipients.get(place as usize) else { return };
        tracing::info!(
            id = %self.envelope.id,
            to = %recipient.address,
            via = self.via.as_deref().unwrap_or("none"),
            status,
            tls_wanted = self.protection.map(|protection| protection.wanted.as_str()),
            tls_level = self.protection.map(|protection| protection.reached.as_str()),
            dsn = reply.status.map(|status| status.to_string()),
            delay_ms = now.saturating_sub(self.envelope.arrival_ms),
            generation = self.generation.number,
            way = self.way.as_deref(),
            reply = reply.to_string(),
            "attempt"
        );
    }
}

/// What the noted state of a message calls for: a timer, a notice, its removal.
async fn follow_up(daemon: &Arc<Daemon>, entry: QueueEntry, generation: &Generation) {
    let policy = &generation.site().queue;
    let is_late = schedule::warning_ms(policy, &entry.envelope).is_some_and(|at| at <= now_ms());
    let is_unwarned = is_late && entry.unwarned().next().is_some();
    if (is_unwarned || entry.unreturned().next().is_some()) && daemon.dispatcher.claim_notice(entry.id()) {
        notify(daemon, entry.id(), generation, is_unwarned).await;
        daemon.dispatcher.release_notice(entry.id());
    } else if entry.progress.is_settled() {
        // Two workers finished their parts of it at the same time.
        let _ = note(daemon, vec![Change::Remove(entry.id())]).await;
    }
    if let Some(at) = entry.progress.next_attempt_ms() {
        if at == 0 { Dispatcher::consider(daemon, entry) } else { daemon.dispatcher.wake_at(at, entry.id()) }
    }
}

/// Tells whoever hears of it: the sender, and the owners of aliases that mail came through, each in a notice of their own.
async fn notify(daemon: &Arc<Daemon>, id: QueueId, generation: &Generation, is_late: bool) {
    loop {
        // The claim came after the look: another notice may have been written in between.
        let Some(entry) = daemon.spool.find(id) else { return };
        let mut over: Vec<Unreturned<'_>> = entry.unreturned().collect();
        let mut late: Vec<Unreturned<'_>> = if is_late { entry.unwarned().collect() } else { Vec::new() };
        let Some(first) = over.iter().chain(&late).next() else { return };
        let hearer = entry.envelope.return_path(first.recipient);
        let count = over.len() + late.len();
        let hears = |one: &Unreturned<'_>| entry.envelope.return_path(one.recipient) == hearer;
        over.retain(hears);
        late.retain(hears);
        let is_all = count == over.len() + late.len();
        if !tell(daemon, &entry, &over, &late, generation).await || is_all {
            return;
        }
    }
}

/// Tells one of them of every recipient with which it is over, and of those that are late too, and notes that it was told, in one
/// step. `false`: not now.
async fn tell(
    daemon: &Arc<Daemon>, entry: &QueueEntry, over: &[Unreturned<'_>], late: &[Unreturned<'_>], generation: &Generation,
) -> bool {
    let id = entry.id();
    let places = |about: &[Unreturned<'_>]| about.iter().map(|one| one.index).collect::<Box<[u32]>>();
    let is_last = (0u32..).zip(&entry.progress.states).all(|(place, state)| {
        matches!(state, RecipientState::Delivered | RecipientState::Returned) || over.iter().any(|one| one.index == place)
    });
    reach(Point::NoticeDue);
    let changes = if is_last {
        vec![Change::Remove(id)]
    } else {
        [(over, Outcome::Returned), (late, Outcome::Warned)]
            .into_iter()
            .filter(|(about, _)| !about.is_empty())
            .map(|(about, outcome)| Change::Outcome { id, recipients: places(about), outcome })
            .collect()
    };
    if changes.is_empty() {
        return false;
    }
    loop {
        let appended = append_notice(daemon, entry, [over, late], generation, &changes).await;
        reach(Point::NoticeQueued);
        let result = match appended {
            // One that waits is written when the snapshot is loaded next, with its keys, or when its time has come.
            Ok(Notice::Queued) => {
                if is_last {
                    tracing::info!(%id, "removed");
                }
                return true;
            }
            Ok(Notice::Waits) => return false,
            // RFC 5321 4.5.5: nobody is told about a notice that could not be delivered; others do not want to hear.
            Ok(Notice::Unwanted) => {
                if entry.envelope.reverse_path == ReversePath::Null {
                    over.iter().for_each(|one| tracing::info!(%id, to = %one.recipient.address, "nobody is told"));
                }
                return note(daemon, changes).await.is_ok();
            }
            Err(error) => error,
        };
        if matches!(result, SpoolError::Closed) {
            return false;
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
    /// It must be signed and cannot be, or too many have gone.
    Waits,
}

/// Queues the notice about recipients with which it is over and those that are late, together with the changes.
async fn append_notice(
    daemon: &Daemon, entry: &QueueEntry, [over, late]: [&[Unreturned<'_>]; 2], generation: &Generation, changes: &[Change],
) -> Result<Notice, SpoolError> {
    let now = now_ms();
    let id = daemon.spool.fresh_id(now);
    // A body that cannot be read must not keep its sender in the dark: the notice goes out without the header.
    let mut original = Vec::new();
    if let Ok(body) = daemon.spool.read_body(entry.id()) {
        let _ = body.take(HEADER_READ_OCTETS).read_to_end(&mut original);
    }
    let mut about = over.to_vec();
    if !late.is_empty() && !dsn::is_automatic(&original) {
        about.extend_from_slice(late);
    }
    let is_counted = !over.is_empty() && entry.envelope.reverse_path != ReversePath::Null;
    if is_counted && is_of_stranger(&entry.envelope, generation.site()) && !daemon.backscatter.admit(Instant::now()) {
        tracing::info!(id = %entry.id(), "a notice waits: too many go to strangers");
        daemon.dispatcher.wake_at(now + backscatter::AGAIN.as_millis() as u64, entry.id());
        return Ok(Notice::Waits);
    }
    let generated = match notice::write(generation, (id, now), entry, &about, &original, changes.to_vec()) {
        Ok(Some(generated)) => generated,
        Ok(None) => return Ok(Notice::Unwanted),
        Err(error) => {
            tracing::error!(id = %entry.id(), %error, "a notice cannot be signed, so it waits");
            return Ok(Notice::Waits);
        }
    };
    daemon.spool.append(generated).await.map(|_| Notice::Queued)
}
