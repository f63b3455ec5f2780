//! Workers for peers: a connection each, kept for as long as there is mail for it.

use super::lane::{Job, Place};
use super::session::Session;
use super::settle::{Settled, settle};
use super::target::{self, Target};
use crate::daemon::Daemon;
use postern_schema::reply::Reply;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// How long a connection is kept without mail for it.
const IDLE_PATIENCE: Duration = Duration::from_secs(2);
/// How many messages go over one connection (`smtp_connection_reuse_count_limit` of other servers is of this order).
const MESSAGES_PER_CONNECTION: u32 = 1000;
/// Attempts whose notes may be on their way to disk while the next message is sent.
const NOTES_PENDING: usize = 64;

/// Delivers what its lane holds until nothing comes any more, or the peer cannot be reached.
pub async fn work(daemon: Arc<Daemon>, mut place: Place) {
    let mut session: Option<Session> = None;
    let mut notes = JoinSet::new();
    while let Some(job) = place.next(1, IDLE_PATIENCE).await.pop() {
        match deliver(&daemon, &place, &mut session, &job).await {
            Ok((results, peer)) => {
                let settled = Settled::new(job.envelope, job.generation, results, Some(peer));
                notes.spawn(settle(daemon.clone(), vec![settled]));
            }
            Err(reply) => {
                // Whatever else waits for this destination would meet with the same.
                let via: Arc<str> = place.destination().to_string().into();
                let jobs = std::iter::once(job).chain(place.take(usize::MAX));
                let settled = jobs.map(|job| declined(job, &reply, via.clone())).collect();
                notes.spawn(settle(daemon.clone(), settled));
            }
        }
        while notes.len() >= NOTES_PENDING {
            notes.join_next().await;
        }
        if session.as_ref().is_some_and(|session| session.transactions() >= MESSAGES_PER_CONNECTION) {
            quit(&mut session, &mut notes).await;
        }
    }
    quit(&mut session, &mut notes).await;
}

/// Says goodbye only when every result of the connection is durable: a peer that saw QUIT will not hear of them again.
async fn quit(session: &mut Option<Session>, notes: &mut JoinSet<()>) {
    while notes.join_next().await.is_some() {}
    if let Some(session) = session.take() {
        session.quit().await;
    }
}

fn declined(job: Job, reply: &Reply, via: Arc<str>) -> Settled {
    let results = job.recipients.iter().map(|(place, _)| (*place, reply.clone())).collect();
    Settled::new(job.envelope, job.generation, results, Some(via))
}

/// Results by place in the envelope, and who gave them.
type Results = (Vec<(u32, Reply)>, Arc<str>);

/// Sends one message.
///
/// # Errors
/// The destination as a whole cannot be reached, and why.
async fn deliver(daemon: &Daemon, place: &Place, session: &mut Option<Session>, job: &Job) -> Result<Results, Reply> {
    loop {
        let is_reused = session.is_some();
        let mut current = match session.take() {
            Some(session) => session,
            None => connect(daemon, place, job).await?,
        };
        let body = match daemon.spool.read_body(job.envelope.id) {
            Ok(body) => body,
            Err(error) => {
                *session = Some(current);
                let reply = Reply::local_trouble(error.to_string());
                let results = job.recipients.iter().map(|(place, _)| (*place, reply.clone())).collect();
                return Ok((results, "queue".into()));
            }
        };
        match current.send(job, body).await {
            Ok(results) => {
                let peer = current.peer();
                if current.is_usable() {
                    *session = Some(current);
                }
                return Ok((results, peer));
            }
            // A connection that was kept may have been closed by its peer meanwhile; that says nothing about this message.
            Err(_) if is_reused => {}
            Err(reply) => {
                let results = job.recipients.iter().map(|(place, _)| (*place, reply.clone())).collect();
                return Ok((results, current.peer()));
            }
        }
    }
}

async fn connect(daemon: &Daemon, place: &Place, job: &Job) -> Result<Session, Reply> {
    let site = job.generation.site();
    let target: Target = target::find(place.destination(), site, &*daemon.dns).await?;
    Session::connect(daemon, &target, &site.hostname).await
}
