//! Work on its way to the writer thread. Callers put a job in and wait for its answer; the writer takes all that has gathered
//! while its last flush ran.

use super::blob::SpilledBody;
use super::error::SpoolError;
use super::lock;
use crate::queue::envelope::{Change, QueueEntry};
use std::sync::{Arc, Condvar, Mutex};
use tokio::sync::oneshot;

/// The answer to a job.
pub(super) type Done<T> = oneshot::Sender<Result<T, SpoolError>>;

/// One record to be written, and what becomes true once it is durable.
pub(super) struct Job {
    /// Without salt.
    pub(super) record: Vec<u8>,
    pub(super) effect: Effect,
}

/// What becomes true.
pub(super) enum Effect {
    /// A message is in the queue.
    Append { entry: Arc<QueueEntry>, file: Option<SpilledBody>, changes: Vec<Change>, done: Done<Arc<QueueEntry>> },
    /// Changes hold.
    Record { changes: Vec<Change>, done: Done<()> },
    /// The record of a message stands elsewhere.
    Relocate { entry: Arc<QueueEntry> },
}

impl Job {
    /// Answers that it was not done. Whoever has stopped waiting is not told.
    pub(super) fn fail(self, error: SpoolError) {
        match self.effect {
            Effect::Append { done, .. } => drop(done.send(Err(error))),
            Effect::Record { done, .. } => drop(done.send(Err(error))),
            Effect::Relocate { .. } => {}
        }
    }

    /// Whether the client can be told to come back: everything else makes the queue shorter.
    pub(super) fn is_append(&self) -> bool {
        matches!(self.effect, Effect::Append { .. })
    }
}

#[derive(Default)]
struct State {
    jobs: Vec<Job>,
    closed: bool,
    /// The writer sleeps.
    waiting: bool,
}

/// See the module.
#[derive(Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    ready: Condvar,
}

impl Inbox {
    /// Puts a job in; one that comes after [`Inbox::close`] fails.
    pub(super) fn put(&self, job: Job) {
        let mut state = lock(&self.state);
        if state.closed {
            drop(state);
            return job.fail(SpoolError::Closed);
        }
        state.jobs.push(job);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        if waiting {
            self.ready.notify_one();
        }
    }

    /// All that has gathered. With `wait`, at least one job; `None` once it is closed and nothing is left.
    pub(super) fn take(&self, wait: bool) -> Option<Vec<Job>> {
        let mut state = lock(&self.state);
        while wait && state.jobs.is_empty() && !state.closed {
            state.waiting = true;
            state = self.ready.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        state.waiting = false;
        if state.closed && state.jobs.is_empty() { None } else { Some(std::mem::take(&mut state.jobs)) }
    }

    /// Takes no more; what is in is still done.
    pub(super) fn close(&self) {
        lock(&self.state).closed = true;
        self.ready.notify_one();
    }
}
