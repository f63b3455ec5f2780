//! Work on its way to the writer thread. Callers put a job in and wait for its answer; the writer takes all that has gathered
//! while its last flush ran.

use super::blob::SpilledBody;
use super::error::SpoolError;
use super::index::Message;
use super::lock;
use crate::queue::envelope::{Change, Envelope};
use crate::queue::id::QueueId;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// So many changes wait for no message any more.
const CHANGES_MAX: usize = 256;

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
    Append { message: Message, envelope: Arc<Envelope>, file: Option<SpilledBody>, changes: Vec<Change>, done: Done<QueueId> },
    /// Changes hold.
    Record { changes: Vec<Change>, done: Done<()> },
    /// The record of a message stands elsewhere.
    Relocate { message: Message },
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
    /// How many of them are messages.
    appends: usize,
    closed: bool,
    /// The writer is to look around even if there is no job.
    nudged: bool,
    /// The writer sleeps until there are so many jobs; 0 while it works.
    wake_at: usize,
    /// It sleeps until there is a message.
    wake_at_append: bool,
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
        let is_append = job.is_append();
        state.appends += usize::from(is_append);
        state.jobs.push(job);
        let wakes = (state.wake_at > 0 && state.jobs.len() >= state.wake_at) || (state.wake_at_append && is_append);
        drop(state);
        if wakes {
            self.ready.notify_one();
        }
    }

    /// Waits for a job or a nudge, and once there is a job, a little more for as many as are expected; where there is none but changes, for a
    /// message that they can go with, which nobody waits for. `None` once the inbox is closed and nothing is left.
    pub(super) fn take(&self, expected: usize, patience: Duration, for_append: Duration) -> Option<Vec<Job>> {
        let mut state = lock(&self.state);
        while state.jobs.is_empty() && !state.closed && !state.nudged {
            state.wake_at = 1;
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.appends == 0 && !state.closed && !state.nudged && !for_append.is_zero() {
            (state.wake_at, state.wake_at_append) = (CHANGES_MAX, true);
            let only_changes = |state: &mut State| state.appends == 0 && state.jobs.len() < CHANGES_MAX && !state.closed;
            state = self.ready.wait_timeout_while(state, for_append, only_changes).unwrap_or_else(PoisonError::into_inner).0;
            state.wake_at_append = false;
        }
        if state.jobs.len() < expected && !state.closed && !state.nudged && !patience.is_zero() {
            state.wake_at = expected;
            let too_few = |state: &mut State| state.jobs.len() < expected && !state.closed;
            state = self.ready.wait_timeout_while(state, patience, too_few).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.take()
    }

    /// What is there now, perhaps nothing; `None` as for [`Inbox::take`].
    pub(super) fn take_now(&self) -> Option<Vec<Job>> {
        lock(&self.state).take()
    }

    /// Wakes the writer although there may be no job: there may be room to give back.
    pub(super) fn nudge(&self) {
        lock(&self.state).nudged = true;
        self.ready.notify_one();
    }

    /// Takes no more; what is in is still done.
    pub(super) fn close(&self) {
        lock(&self.state).closed = true;
        self.ready.notify_one();
    }
}

impl State {
    fn take(&mut self) -> Option<Vec<Job>> {
        (self.wake_at, self.wake_at_append, self.appends) = (0, false, 0);
        self.nudged = false;
        if self.closed && self.jobs.is_empty() { None } else { Some(std::mem::take(&mut self.jobs)) }
    }
}
