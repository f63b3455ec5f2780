//! Decides what is tried when, and keeps the lanes filled.

use super::lane::{Job, Lanes, Place, Ticket};
use super::settle::{Settled, settle};
use super::{local, program, remote};
use crate::daemon::{Daemon, now_ms};
use crate::fault::{Point, reach};
use crate::queue::due::DueQueue;
use crate::queue::schedule;
use crate::queue::{Change, QueueEntry, QueueId, Recipient, RecipientState, SpoolError, Standing};
use crate::site::Generation;
use postern_schema::decide::{Answer, Departure, Disposition, Reason, RouteFacts, SentAs, route};
use postern_schema::name::{Mailbox, ReversePath};
use postern_schema::reply::Reply;
use postern_schema::site::{Destination, Means};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};

/// Workers that a lane to a peer begins with; the peer's window says later how many help
/// (`initial_destination_concurrency`).
const REMOTE_WORKERS: usize = 5;
/// Programs at once for one transport.
const PROGRAM_WORKERS: usize = 8;
/// Workers at once for one local transport: one writes its batch while the other waits for its flush. More would only make
/// batches smaller, and stand in line for the lock of the folder that all of them write to.
const LOCAL_WORKERS: usize = 2;
/// Recipients of one transaction (`default_destination_recipient_limit`).
const RECIPIENTS_PER_JOB: usize = 50;
/// The place of no recipient: it stands for the notice about the message.
const NOTICE: u32 = u32::MAX;
/// How soon a recipient is looked at anew whose way could not be found a second time.
const AGAIN_MS: u64 = 1000;
/// How many messages are looked at between two pauses when the whole queue is gone through.
const PAGE: usize = 1000;

/// What is under way, and what comes due when.
#[derive(Default)]
pub struct Dispatcher {
    lanes: Arc<Lanes>,
    timers: Mutex<DueQueue>,
    timers_changed: Notify,
}

impl Dispatcher {
    /// Begins to deliver: what arrives, what comes due, and once it is read, what an earlier process left.
    pub fn start(
        daemon: &Arc<Daemon>, mut arrived: mpsc::UnboundedReceiver<QueueId>, recovered: oneshot::Receiver<Vec<Standing>>,
    ) {
        let arrivals = daemon.clone();
        tokio::spawn(async move {
            while let Some(id) = arrived.recv().await {
                Dispatcher::consider_id(&arrivals, id);
            }
        });
        let left = daemon.clone();
        tokio::spawn(async move {
            for (index, standing) in recovered.await.into_iter().flatten().enumerate() {
                let now = now_ms();
                let too_far = schedule::too_far_ms(&left.current.generation().site().queue, now);
                match standing.next_attempt_ms.filter(|at| *at > now && *at <= too_far) {
                    Some(at) => left.dispatcher.wake_at(at, standing.id),
                    None => Dispatcher::consider_id(&left, standing.id),
                }
                if index % PAGE == PAGE - 1 {
                    tokio::task::yield_now().await;
                }
            }
        });
        tokio::spawn(keep_time(daemon.clone()));
        let standby = daemon.clone();
        tokio::spawn(async move {
            loop {
                standby.dispatcher.lanes.vacancy.notified().await;
                while let Some(place) = standby.dispatcher.lanes.next_standby() {
                    work(&standby, place);
                }
            }
        });
    }

    /// Whether anything is under way.
    pub fn is_busy(&self) -> bool {
        self.lanes.is_busy()
    }

    /// Claims the right to write the notice about a message; `false` if somebody is writing one.
    pub fn claim_notice(&self, id: QueueId) -> bool {
        self.lanes.claim(id.number(), NOTICE)
    }

    /// Gives that right back.
    pub fn release_notice(&self, id: QueueId) {
        self.release(id, [NOTICE]);
    }

    /// Gives recipients free again whose attempt is over and noted.
    pub fn release(&self, id: QueueId, recipients: impl IntoIterator<Item = u32>) {
        self.lanes.release(id.number(), recipients);
    }

    /// Wakes for a message at a time, in milliseconds since the epoch.
    pub fn wake_at(&self, at_ms: u64, id: QueueId) {
        self.timers.lock().unwrap_or_else(PoisonError::into_inner).schedule(id, at_ms);
        self.timers_changed.notify_one();
    }

    /// Looks at the message of that id, if it is in the queue.
    pub fn consider_id(daemon: &Arc<Daemon>, id: QueueId) {
        if let Some(entry) = daemon.spool.find(id) {
            Dispatcher::consider(daemon, entry);
        }
    }

    /// Looks at one message: what is due goes into its lane, what waits gets its timer.
    pub fn consider(daemon: &Arc<Daemon>, entry: QueueEntry) {
        if entry.progress.held {
            return;
        }
        let (id, now) = (entry.id(), now_ms());
        let generation = daemon.current.generation();
        let mut groups: Vec<(Way, Vec<u32>)> = Vec::new();
        let mut declined = Vec::new();
        let too_far = schedule::too_far_ms(&generation.site().queue, now);
        for (index, recipient) in entry.due(now, too_far) {
            if !daemon.dispatcher.lanes.claim(id.number(), index) {
                continue;
            }
            match next_hop(&entry, recipient, &generation, now) {
                Ok((way, _)) => add(&mut groups, way, index),
                Err(reply) => declined.push((index, reply)),
            }
        }
        let has_news = !declined.is_empty() || entry.unreturned().next().is_some();
        if let Some(at) = entry.progress.next_attempt_ms().filter(|at| *at > now) {
            daemon.dispatcher.wake_at(at, id);
        }
        for (Way { destination, .. }, recipients) in groups {
            let ticket = Ticket { id, generation: generation.number, recipients: recipients.into() };
            dispatch(daemon, &destination, &entry.envelope.reverse_path, ticket);
        }
        if has_news {
            let settled = Settled::new(entry.envelope, generation, declined, None);
            tokio::spawn(settle(daemon.clone(), vec![settled]));
        }
    }

    /// Turns a ticket into a job, now that there is a worker for it. `None` where there is nothing to do any more, or where another site
    /// is in force, which is asked for the route anew.
    pub fn redeem(daemon: &Arc<Daemon>, ticket: Ticket) -> Option<Job> {
        let Ticket { id, recipients, .. } = ticket;
        reach(Point::Taken);
        let generation = daemon.current.generation();
        let entry = daemon.spool.find(id).filter(|entry| !entry.progress.held);
        let Some(entry) = entry.filter(|_| generation.number == ticket.generation) else {
            daemon.dispatcher.release(id, recipients);
            Dispatcher::consider_id(daemon, id);
            return None;
        };
        let now = now_ms();
        let mut job: Option<Job> = None;
        for place in recipients {
            let recipient = entry.envelope.recipients.get(place as usize);
            let Some(Ok((way, mailbox))) = recipient.map(|recipient| next_hop(&entry, recipient, &generation, now)) else {
                // The keys or the site could be read a moment ago: it is looked at anew.
                daemon.dispatcher.release(id, [place]);
                daemon.dispatcher.wake_at(now + AGAIN_MS, id);
                continue;
            };
            let Way { reverse_path, forwarded_by, .. } = way;
            let job = job.get_or_insert_with(|| Job {
                envelope: entry.envelope.clone(),
                reverse_path,
                forwarded_by,
                recipients: Vec::new(),
                generation: generation.clone(),
            });
            job.recipients.push((place, mailbox));
        }
        job
    }

    /// After a reload: what waits because the old site had no way for it may have one now.
    pub fn reconsider(daemon: &Arc<Daemon>) {
        daemon.peers.revive();
        let daemon = daemon.clone();
        tokio::spawn(async move {
            let of_site = [Reason::NoRoute, Reason::MailboxGone, Reason::LookupFailed].map(Reason::reply);
            let waits_for_site = |entry: &QueueEntry| {
                entry.progress.states.iter().any(|state| match state {
                    RecipientState::Pending { last: Some(attempt), .. } => of_site.contains(&attempt.reply),
                    _ => false,
                })
            };
            if let Err(error) = retry_all(&daemon, waits_for_site).await {
                tracing::warn!(%error, "the queue could not note that mail is to be tried again");
            }
        });
    }
}

async fn retry_all(daemon: &Arc<Daemon>, wanted: impl Fn(&QueueEntry) -> bool) -> Result<(), SpoolError> {
    let mut after = None;
    loop {
        let page = daemon.spool.page(after, PAGE);
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id());
        let ids: Vec<QueueId> = page.iter().filter(|entry| wanted(entry)).map(|entry| entry.id()).collect();
        if ids.is_empty() {
            continue;
        }
        daemon.spool.record(ids.iter().map(|id| Change::Retry { id: *id, at_ms: 0 }).collect()).await?;
        ids.into_iter().for_each(|id| Dispatcher::consider_id(daemon, id));
    }
}

/// What recipients of one message must have in common to be one job.
#[derive(PartialEq, Debug)]
pub struct Way {
    /// Where it leads.
    pub destination: Destination,
    /// The reverse-path that the message has on it.
    pub reverse_path: ReversePath,
    /// Who forwards it, where that is to be said.
    pub forwarded_by: Option<Mailbox>,
}

/// Where a recipient's mail goes in the site of a generation, and the mailbox that it means there.
///
/// # Errors
/// Why it goes nowhere.
pub fn next_hop(
    entry: &QueueEntry, recipient: &Recipient, generation: &Generation, now_ms: u64,
) -> Result<(Way, Mailbox), Reply> {
    let reverse_path = &entry.envelope.reverse_path;
    let facts = RouteFacts { reverse_path, recipient: &recipient.address, sent_as: &recipient.sent_as };
    let hop = match route(&facts, &*generation.snapshot) {
        Answer::Verdict(verdict) => match verdict.disposition {
            Disposition::Accept(hop) => hop.as_wished(entry.envelope.tls_wish),
            Disposition::Refuse | Disposition::Defer => return Err(verdict.reason.reply()),
        },
        // A route needs nothing but the site; if that changes, the mail waits rather than being lost.
        Answer::Need(_) => return Err(Reason::LookupFailed.reply()),
    };
    let reverse_path = departing(reverse_path, hop.sender, generation, now_ms / 1000)?;
    let forwarded_by = match &recipient.sent_as {
        // Mail for mailboxes of our own says so anyhow.
        SentAs::Forwarder { by, .. } if !matches!(hop.destination, Destination::Transport { .. }) => Some(by.clone()),
        SentAs::Sender | SentAs::Owner(_) | SentAs::Forwarder { .. } => None,
    };
    Ok((Way { destination: hop.destination, reverse_path, forwarded_by }, hop.mailbox))
}

fn departing(own: &ReversePath, departure: Departure, generation: &Generation, now_seconds: u64) -> Result<ReversePath, Reply> {
    match (departure, own, &generation.srs) {
        (Departure::Unchanged, ..) | (Departure::Srs, ReversePath::Null, _) | (Departure::Srs, _, Ok(None)) => Ok(own.clone()),
        (Departure::As(mailbox), ..) => Ok(ReversePath::Mailbox(mailbox)),
        // One that would be too long for any host leaves as it is: that its SPF fails is better than that nobody gets it.
        (Departure::Srs, ReversePath::Mailbox(sender), Ok(Some(keys))) => {
            Ok(keys.forward(sender, now_seconds).unwrap_or(own.clone()))
        }
        (Departure::Srs, _, Err(error)) => Err(Reply::local_trouble(format!("a bounce address cannot be made: {error}"))),
    }
}

fn add(groups: &mut Vec<(Way, Vec<u32>)>, way: Way, index: u32) {
    let fits = |(known, recipients): &&mut (Way, Vec<u32>)| *known == way && recipients.len() < RECIPIENTS_PER_JOB;
    // From the back: the group that still has room is the last one of its way.
    match groups.iter_mut().rev().find(fits) {
        Some((_, recipients)) => recipients.push(index),
        None => groups.push((way, vec![index])),
    }
}

fn means(destination: &Destination) -> Option<Means> {
    match destination {
        Destination::Transport { means, .. } => Some(*means),
        Destination::Mx { .. } | Destination::Literal { .. } | Destination::Relay { .. } => None,
    }
}

fn dispatch(daemon: &Arc<Daemon>, destination: &Destination, sender: &ReversePath, ticket: Ticket) {
    let limit = match means(destination) {
        Some(Means::Maildir) => LOCAL_WORKERS,
        Some(Means::Pipe | Means::Discard | Means::Fail) => PROGRAM_WORKERS,
        Some(Means::Lmtp | Means::Smtp(_)) | None => REMOTE_WORKERS,
    };
    let place = daemon.dispatcher.lanes.push(destination, sender, ticket, limit);
    reach(Point::InLine);
    if let Some(place) = place {
        work(daemon, place);
    }
}

/// Gives a place its worker.
fn work(daemon: &Arc<Daemon>, place: Place) {
    let daemon = daemon.clone();
    match means(place.destination()) {
        Some(Means::Maildir) => drop(tokio::spawn(local::work(daemon, place))),
        Some(Means::Pipe | Means::Discard | Means::Fail) => drop(tokio::spawn(program::work(daemon, place))),
        Some(Means::Lmtp | Means::Smtp(_)) | None => drop(tokio::spawn(remote::work(daemon, place))),
    }
}

/// Considers each message when its time has come.
async fn keep_time(daemon: Arc<Daemon>) {
    loop {
        let now = now_ms();
        let too_far = schedule::too_far_ms(&daemon.current.generation().site().queue, now);
        let (due, next) = {
            let mut timers = daemon.dispatcher.timers.lock().unwrap_or_else(PoisonError::into_inner);
            let due: Vec<QueueId> = std::iter::from_fn(|| timers.take_due(now, too_far)).collect();
            (due, timers.next_ms())
        };
        due.into_iter().for_each(|id| Dispatcher::consider_id(&daemon, id));
        // At most a minute, so that a clock that was set is noticed.
        let pause = next.map_or(60_000, |at| at.saturating_sub(now_ms()).min(60_000));
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(pause)) => {}
            () = daemon.dispatcher.timers_changed.notified() => {}
        }
    }
}
