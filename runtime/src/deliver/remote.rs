//! Workers for peers: a connection each, kept for as long as there is mail for it.

use super::connect;
use super::lane::{Job, Place};
use super::onward;
use super::peers::{Busy, Slot};
use super::session::Session;
use super::settle::{Settled, settle};
use super::target::{self, Target};
use super::throttle::Limits;
use crate::daemon::Daemon;
use crate::dns::overheard;
use crate::fault::{Point, reach};
use postern_schema::dns::Recording;
use postern_schema::reply::Reply;
use postern_schema::site::{Destination, Site};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// How long a connection is kept without mail for it.
const IDLE_PATIENCE: Duration = Duration::from_secs(2);
/// How many messages go over one connection (`smtp_connection_reuse_count_limit` of other servers is of this order).
const MESSAGES_PER_CONNECTION: u32 = 1000;
/// How many go over it at least before it is given up for somebody else.
const MESSAGES_PER_TURN: u32 = 20;
/// Jobs that are given back at once where their peer cannot be had.
const JOBS_DECLINED: usize = 1000;
/// Recipients that a recording names.
const RECIPIENTS_RECORDED: usize = 10;
/// Messages of one connection that its peer may have taken and whose notes are not durable yet: one whose note is being flushed, and
/// one that is being sent meanwhile. As many may arrive twice where the daemon dies (`docs/durability.md`), and more would help
/// nobody: a flush takes less time than a message, and whatever ends together is flushed together.
const UNNOTED_MAX: usize = 2;

/// A connection, and the right to it.
struct Line {
    session: Session,
    slot: Slot,
    /// The site that it was made for.
    generation: u64,
    /// What the history calls the answers of DNS that led there; those who are sent over it later refer to them.
    way: Option<Arc<str>>,
}

/// A job that was not sent.
enum Unsent {
    /// The other workers of the lane will see to it.
    Left,
    /// The peer could not be had.
    Unreachable {
        job: Job,
        reply: Reply,
        /// Whatever else waits for it would meet with the same.
        for_all: bool,
    },
}

/// Delivers what its lane holds until nothing comes any more, or others do it.
pub async fn work(daemon: Arc<Daemon>, mut place: Place) {
    let mut line: Option<Line> = None;
    let mut notes = JoinSet::new();
    let mut rest = None;
    loop {
        let job = match rest.take() {
            Some(job) => job,
            None => match place.next(&daemon, 1, IDLE_PATIENCE).await.pop() {
                Some(job) => job,
                None => break,
            },
        };
        // Another site may lead elsewhere, or demand more of the way there.
        if line.as_ref().is_some_and(|line| line.generation != job.generation.number) {
            quit(&mut line, &mut notes).await;
        }
        match deliver(&daemon, &mut place, &mut line, job).await {
            Ok((settled, left)) => {
                notes.spawn(settle(daemon.clone(), vec![settled]));
                rest = left;
            }
            Err(Unsent::Left) => break,
            Err(Unsent::Unreachable { job, reply, for_all }) => {
                let via: Arc<str> = place.destination().to_string().into();
                let mut jobs = vec![job];
                // What comes in meanwhile meets with the same as soon as it asks.
                while !jobs.is_empty() {
                    let settled = jobs.into_iter().map(|job| declined(job, &reply, via.clone())).collect();
                    settle(daemon.clone(), settled).await;
                    jobs = if for_all { place.take(&daemon, JOBS_DECLINED) } else { Vec::new() };
                }
            }
        }
        while notes.len() >= UNNOTED_MAX {
            notes.join_next().await;
        }
        let is_over = |line: &Line| match line.session.transactions() {
            MESSAGES_PER_CONNECTION.. => true,
            _ if line.session.is_spent() => true,
            MESSAGES_PER_TURN.. => line.slot.is_wanted_elsewhere(),
            _ => false,
        };
        if line.as_ref().is_some_and(is_over) {
            quit(&mut line, &mut notes).await;
        }
    }
    quit(&mut line, &mut notes).await;
}

/// Says goodbye only when every result of the connection is durable: a peer that saw QUIT will not hear of them again.
async fn quit(line: &mut Option<Line>, notes: &mut JoinSet<()>) {
    while notes.join_next().await.is_some() {}
    if let Some(Line { session, slot, .. }) = line.take() {
        session.quit().await;
        drop(slot);
    }
}

fn declined(job: Job, reply: &Reply, via: Arc<str>) -> Settled {
    let results = job.recipients.iter().map(|(place, _)| (*place, reply.clone())).collect();
    Settled::new(job.envelope, job.generation, results, Some(via))
}

/// Sends one message, over the connection at hand or a new one. What the connection takes no more of comes back: it is for the next.
async fn deliver(
    daemon: &Daemon, place: &mut Place, line: &mut Option<Line>, mut job: Job,
) -> Result<(Settled, Option<Job>), Unsent> {
    let mut is_paced = false;
    loop {
        let is_reused = line.is_some();
        let mut current = match line.take() {
            Some(current) => {
                if !is_paced {
                    current.slot.pace().await;
                }
                current
            }
            None => {
                let (back, fresh) = connect(daemon, place, job, is_paced).await?;
                job = back;
                fresh
            }
        };
        is_paced = true;
        let destination = place.destination().clone();
        let body = |job: &Job| onward::message(daemon, job, &destination);
        reach(Point::PeerConnected);
        match current.session.send(&job, body).await {
            Ok(results) => {
                reach(Point::PeerTook);
                let peer = current.session.peer();
                let (handover, protection) = (current.session.handover(), current.session.protection());
                let way = current.way.clone();
                judge(place, &current, &results);
                if current.session.is_usable() {
                    *line = Some(current);
                }
                let left = job.recipients.split_off(results.len().min(job.recipients.len()));
                let rest = (!left.is_empty()).then(|| Job { recipients: left, ..job.clone() });
                let settled = Settled::new(job.envelope, job.generation, results, Some(peer));
                return Ok((settled.handed_over(handover).protected(protection).by_way(way), rest));
            }
            // A connection that was kept may have been closed by its peer meanwhile; that says nothing about this message.
            Err(_) if is_reused => {}
            Err(reply) => {
                let for_all = current.slot.failed(&reply);
                return Err(Unsent::Unreachable { job, reply, for_all });
            }
        }
    }
}

/// What the results say about the peer.
fn judge(place: &Place, line: &Line, results: &[(u32, Reply)]) {
    let is_transient = |(_, reply): &(u32, Reply)| reply.code.is_transient();
    match results.iter().find(|result| is_transient(result)) {
        // It ended the session and took nothing.
        Some((_, reply)) if !line.session.is_usable() && results.iter().all(is_transient) => drop(line.slot.failed(reply)),
        trouble => {
            place.set_limit(line.slot.succeeded() as usize);
            if trouble.is_some() {
                line.slot.deferred();
            }
        }
    }
}

/// A connection for a job, and what DNS said on the way, for its history and that of whatever goes over the connection later.
async fn connect(daemon: &Daemon, place: &mut Place, job: Job, is_paced: bool) -> Result<(Job, Line), Unsent> {
    let (envelope, recipients) = (job.envelope.clone(), job.recipients.iter().map(|(place, _)| *place).collect::<Vec<_>>());
    let destination = place.destination().to_string();
    let (mut connected, answers) = overheard::listen(establish(daemon, place, job, is_paced)).await;
    if !answers.entries().is_empty() {
        let way: Arc<str> = format!("{}.{}", envelope.id, recipients.first().copied().unwrap_or_default()).into();
        let mut recording = Recording { facts: Vec::new(), answers };
        recording.note("way", destination);
        recording.note("from", &envelope.reverse_path);
        let named = recipients.iter().filter_map(|place| envelope.recipients.get(*place as usize));
        named.take(RECIPIENTS_RECORDED).for_each(|recipient| recording.note("to", &recipient.address));
        tracing::debug!(id = %envelope.id, way = &*way, recording = recording.to_string(), "known");
        if let Ok((_, line)) = &mut connected {
            line.way = Some(way);
        }
    }
    connected
}

/// To its destination, or to the relay that takes over for it.
async fn establish(daemon: &Daemon, place: &mut Place, mut job: Job, is_paced: bool) -> Result<(Job, Line), Unsent> {
    let generation = job.generation.clone();
    let site = generation.site();
    let target = match target::find(place.destination(), site, &*daemon.dns).await {
        Ok(target) => target,
        Err(reply) => return Err(Unsent::Unreachable { job, reply, for_all: true }),
    };
    let (peer, limits) = (target.peer(), limits(place.destination(), site));
    let slot = match daemon.peers.try_open(&peer, &limits) {
        Ok(slot) => Ok(slot),
        Err(Busy::Dead(reply)) => Err(reply),
        Err(Busy::Full) => {
            job = place.leave_to_others(job).ok_or(Unsent::Left)?;
            daemon.peers.open_when_free(&peer, &limits).await
        }
    };
    let (reply, for_all) = match slot {
        Ok(slot) => {
            if !is_paced {
                slot.pace().await;
            }
            match connect::connect(daemon, &target, site, is_reported(&job)).await {
                Ok(session) => return Ok((job, Line { session, slot, generation: generation.number, way: None })),
                Err(reply) => {
                    let is_dead = slot.failed(&reply);
                    (reply, is_dead)
                }
            }
        }
        Err(reply) => (reply, true),
    };
    match connect_to_backup(daemon, place.destination(), &job).await {
        Some(line) => Ok((job, line)),
        None => Err(Unsent::Unreachable { job, reply, for_all }),
    }
}

/// A connection to the backup of a relay (`smtp_fallback_relay`), with at least the protection that the relay has. The backup's
/// own backup is not asked.
async fn connect_to_backup(daemon: &Daemon, destination: &Destination, job: &Job) -> Option<Line> {
    let Destination::Relay { name, tls, from_address } = destination else { return None };
    let site = job.generation.site();
    let backup = site.relay(site.relay(name)?.backup.as_deref()?)?;
    let target = target::of_relay(&backup.name, *tls, site, &*daemon.dns).await.ok()?;
    let target = Target { from_address: *from_address, ..target };
    let limits = Limits { rate: backup.rate, ..Limits::of_retry(site.queue.retry) };
    let slot = daemon.peers.open_when_free(&target.peer(), &limits).await.ok()?;
    slot.pace().await;
    match connect::connect(daemon, &target, site, false).await {
        Ok(session) => Some(Line { session, slot, generation: job.generation.number, way: None }),
        Err(reply) => {
            slot.failed(&reply);
            None
        }
    }
}

/// Whether the receiver's TLS report counts the session: one for a message of our own may be there because of such a report.
fn is_reported(job: &Job) -> bool {
    job.envelope.client.is_some()
}

/// What the site says about the treatment of a destination.
fn limits(destination: &Destination, site: &Site) -> Limits {
    let plain = Limits::of_retry(site.queue.retry);
    match destination {
        Destination::Mx { domain, .. } => site.receiver(domain).map_or(plain, |receiver| Limits {
            concurrency: receiver.concurrency,
            rate: receiver.rate,
            pause_after_defer: receiver.pause_after_defer,
            ..plain
        }),
        Destination::Relay { name, .. } => Limits { rate: site.relay(name).and_then(|relay| relay.rate), ..plain },
        Destination::Literal { .. } | Destination::Transport { .. } => plain,
    }
}
