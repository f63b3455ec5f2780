//! What waits for one destination, and who works on it.
//!
//! What waits is a [`Ticket`]: some forty octets, so that a queue of a million may be due at once. It becomes a [`Job`] when a worker
//! takes it: only then the envelope is read, and where another site is in force by then, the route is asked for anew.

use super::Dispatcher;
use super::fair::FairQueue;
use crate::daemon::Daemon;
use crate::queue::{Envelope, QueueId};
use crate::site::Generation;
use postern_schema::name::{Mailbox, ReversePath};
use postern_schema::site::{Destination, Means};
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Workers at once for destinations that are reached over a network. A second one for the same destination is had only while half of
/// the places are free, so that a few slow destinations cannot take them all.
const WORKERS_MAX: usize = 1500;

/// Recipients of one message that go the same way, with a worker.
#[derive(Clone, Debug)]
pub struct Job {
    /// The message.
    pub envelope: Arc<Envelope>,
    /// With which sender it goes there.
    pub reverse_path: ReversePath,
    /// Whose Delivered-To it carries: the address that sends it on to another site.
    pub forwarded_by: Option<Mailbox>,
    /// Places in the envelope, and the mailbox that each means at its next hop.
    pub recipients: Vec<(u32, Mailbox)>,
    /// Whose route it is.
    pub generation: Arc<Generation>,
}

/// Recipients of one message that go the same way, in line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ticket {
    /// The message.
    pub id: QueueId,
    /// The number of the generation whose route it is.
    pub generation: u64,
    /// Places in the envelope.
    pub recipients: Box<[u32]>,
}

impl Ticket {
    fn of(job: &Job) -> Ticket {
        let recipients = job.recipients.iter().map(|(place, _)| *place).collect();
        Ticket { id: job.envelope.id, generation: job.generation.number, recipients }
    }
}

/// Everything that is ready or under way.
#[derive(Default)]
pub struct Lanes {
    state: Mutex<State>,
    /// Tells senders apart.
    senders: RandomState,
    /// A lane waits for a worker, and there is room for one.
    pub vacancy: Notify,
}

#[derive(Default)]
struct State {
    lanes: HashMap<Destination, Lane>,
    /// Recipients that are in a lane or with a worker: nothing else may be begun for them.
    busy: HashSet<(u64, u32)>,
    /// Workers for destinations that are reached over a network.
    workers: usize,
    /// Lanes without a worker, in the order in which they get one.
    standby: VecDeque<Destination>,
}

#[derive(Default)]
struct Lane {
    /// By sender, so that they take turns.
    ready: FairQueue<u64, Ticket>,
    workers: usize,
    /// The most workers that help.
    limit: usize,
    idle: usize,
    /// It waits for its first worker.
    on_standby: bool,
    wake: Arc<Notify>,
}

/// One worker's place in a lane; leaves it when dropped, by return or by panic.
pub struct Place {
    lanes: Arc<Lanes>,
    destination: Destination,
    wake: Arc<Notify>,
    left: bool,
}

impl Lanes {
    fn state(&self) -> MutexGuard<'_, State> {
        // What is guarded is whole at every moment, also after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who takes turns. Two senders that happen to get one number share a turn.
    fn sender(&self, reverse_path: &ReversePath) -> u64 {
        self.senders.hash_one(reverse_path)
    }

    /// Claims a recipient for delivery; `false` if somebody is on it already.
    pub fn claim(&self, id: u64, recipient: u32) -> bool {
        self.state().busy.insert((id, recipient))
    }

    /// Gives recipients free again.
    pub fn release(&self, id: u64, recipients: impl IntoIterator<Item = u32>) {
        let mut state = self.state();
        for recipient in recipients {
            state.busy.remove(&(id, recipient));
        }
    }

    /// Whether anything is under way.
    pub fn is_busy(&self) -> bool {
        !self.state().busy.is_empty()
    }

    /// Puts a ticket into its lane, which begins with so many workers at most. Returns a place for one more where that helps and there
    /// is room for it; a lane that has none gets one when there is ([`Lanes::next_standby`]).
    pub fn push(
        self: &Arc<Self>, destination: &Destination, sender: &ReversePath, ticket: Ticket, limit: usize,
    ) -> Option<Place> {
        let sender = self.sender(sender);
        let mut state = self.state();
        let State { lanes, workers, standby, .. } = &mut *state;
        let lane = match lanes.get_mut(destination) {
            Some(lane) => lane,
            None => lanes.entry(destination.clone()).or_insert_with(|| Lane { limit, ..Lane::default() }),
        };
        lane.ready.push(sender, ticket);
        let is_first = lane.workers == 0;
        let has_room = !is_remote(destination) || *workers < if is_first { WORKERS_MAX } else { WORKERS_MAX / 2 };
        if lane.ready.len() > lane.idle && lane.workers < lane.limit && has_room {
            let wake = lane.wake.clone();
            state.enter(destination);
            return Some(Place { lanes: self.clone(), destination: destination.clone(), wake, left: false });
        }
        if is_first && !std::mem::replace(&mut lane.on_standby, true) {
            standby.push_back(destination.clone());
        }
        lane.wake.notify_one();
        None
    }

    /// A place in the lane that has waited longest for its first worker, if there is room for one.
    pub fn next_standby(self: &Arc<Self>) -> Option<Place> {
        let mut state = self.state();
        while state.workers < WORKERS_MAX {
            let destination = state.standby.pop_front()?;
            let Some(lane) = state.lanes.get(&destination).filter(|lane| lane.workers == 0 && !lane.ready.is_empty()) else {
                continue;
            };
            let wake = lane.wake.clone();
            state.enter(&destination);
            return Some(Place { lanes: self.clone(), destination, wake, left: false });
        }
        None
    }
}

/// Whether its workers wait for a network.
fn is_remote(destination: &Destination) -> bool {
    match destination {
        Destination::Transport { means, .. } => matches!(means, Means::Lmtp | Means::Smtp(_)),
        Destination::Mx { .. } | Destination::Literal { .. } | Destination::Relay { .. } => true,
    }
}

impl Place {
    /// Where this lane leads.
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// Takes up to `limit` jobs that are ready now.
    pub fn take(&self, daemon: &Arc<Daemon>, limit: usize) -> Vec<Job> {
        loop {
            let tickets = {
                let mut state = self.lanes.state();
                let Some(lane) = state.lanes.get_mut(&self.destination) else { return Vec::new() };
                lane.ready.take(limit)
            };
            if tickets.is_empty() {
                return Vec::new();
            }
            let jobs: Vec<Job> = tickets.into_iter().filter_map(|ticket| Dispatcher::redeem(daemon, ticket)).collect();
            // Otherwise all of them were deleted or go another way by now.
            if !jobs.is_empty() {
                return jobs;
            }
        }
    }

    /// From now on, so many workers help at most.
    pub fn set_limit(&self, limit: usize) {
        if let Some(lane) = self.lanes.state().lanes.get_mut(&self.destination) {
            lane.limit = limit;
        }
    }

    /// Leaves a job to the others, and the lane. Without others, the job comes back: it is for this worker alone.
    pub fn leave_to_others(&mut self, job: Job) -> Option<Job> {
        let lanes = self.lanes.clone();
        let sender = lanes.sender(&job.envelope.reverse_path);
        let mut state = lanes.state();
        let Some(lane) = state.lanes.get_mut(&self.destination).filter(|lane| lane.workers > 1) else { return Some(job) };
        lane.ready.push(sender, Ticket::of(&job));
        // As many as there is room for: whoever comes next would only leave again.
        lane.limit = lane.workers - 1;
        lane.wake.notify_one();
        self.left = true;
        state.leave(&self.destination, &lanes.vacancy);
        None
    }

    /// Takes jobs like [`Place::take`], and waits for one as long as `patience`. None came if the result is empty: the place
    /// is given up then, in one step with the last look, so that no job is left behind.
    pub async fn next(&mut self, daemon: &Arc<Daemon>, limit: usize, patience: Duration) -> Vec<Job> {
        let jobs = self.take(daemon, limit);
        if !jobs.is_empty() {
            return jobs;
        }
        let deadline = tokio::time::sleep(patience);
        tokio::pin!(deadline);
        {
            let _idle = Idle::begin(self);
            loop {
                let jobs = self.take(daemon, limit);
                if !jobs.is_empty() {
                    return jobs;
                }
                tokio::select! {
                    // A wake that came before this wait began is kept for it.
                    () = self.wake.notified() => {}
                    () = &mut deadline => break,
                }
            }
        }
        loop {
            if self.leave_if_empty() {
                return Vec::new();
            }
            let jobs = self.take(daemon, limit);
            if !jobs.is_empty() {
                return jobs;
            }
        }
    }

    fn leave_if_empty(&mut self) -> bool {
        let lanes = self.lanes.clone();
        let mut state = lanes.state();
        if state.lanes.get(&self.destination).is_some_and(|lane| !lane.ready.is_empty()) {
            return false;
        }
        self.left = true;
        state.leave(&self.destination, &lanes.vacancy);
        true
    }
}

impl State {
    fn enter(&mut self, destination: &Destination) {
        if let Some(lane) = self.lanes.get_mut(destination) {
            lane.workers += 1;
            lane.on_standby = false;
            self.workers += usize::from(is_remote(destination));
        }
    }

    fn leave(&mut self, destination: &Destination, vacancy: &Notify) {
        let Some(lane) = self.lanes.get_mut(destination) else { return };
        lane.workers -= 1;
        if lane.workers == 0 {
            if lane.ready.is_empty() {
                self.lanes.remove(destination);
            } else if !std::mem::replace(&mut lane.on_standby, true) {
                self.standby.push_back(destination.clone());
            }
        }
        self.workers -= usize::from(is_remote(destination));
        if !self.standby.is_empty() {
            vacancy.notify_one();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.left {
            self.lanes.state().leave(&self.destination, &self.lanes.vacancy);
        }
    }
}

/// A worker that waits, counted so that a new job finds it instead of a new worker.
struct Idle<'a>(&'a Place);

impl<'a> Idle<'a> {
    fn begin(place: &'a Place) -> Idle<'a> {
        if let Some(lane) = place.lanes.state().lanes.get_mut(&place.destination) {
            lane.idle += 1;
        }
        Idle(place)
    }
}

impl Drop for Idle<'_> {
    fn drop(&mut self) {
        if let Some(lane) = self.0.lanes.state().lanes.get_mut(&self.0.destination) {
            lane.idle -= 1;
        }
    }
}
