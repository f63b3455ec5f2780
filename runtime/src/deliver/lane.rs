//! What waits for one destination, and who works on it.

use super::fair::FairQueue;
use crate::queue::Envelope;
use crate::site::Generation;
use postern_schema::name::{Mailbox, ReversePath};
use postern_schema::site::Destination;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Recipients of one message that go the same way.
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

/// Everything that is ready or under way.
#[derive(Default)]
pub struct Lanes(Mutex<State>);

#[derive(Default)]
struct State {
    lanes: HashMap<Destination, Lane>,
    /// Recipients that are in a lane or with a worker: nothing else may be begun for them.
    busy: HashSet<(u64, u32)>,
}

#[derive(Default)]
struct Lane {
    /// By sender, so that they take turns.
    ready: FairQueue<ReversePath, Job>,
    workers: usize,
    /// The most workers that help.
    limit: usize,
    idle: usize,
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Puts a job into its lane, which begins with so many workers at most. Returns a place for one more where that helps.
    pub fn push(self: &Arc<Self>, destination: Destination, job: Job, limit: usize) -> Option<Place> {
        let mut state = self.state();
        let lane = state.lanes.entry(destination.clone()).or_insert_with(|| Lane { limit, ..Lane::default() });
        lane.push(job);
        if lane.ready.len() > lane.idle && lane.workers < lane.limit {
            lane.workers += 1;
            return Some(Place { lanes: self.clone(), destination, wake: lane.wake.clone(), left: false });
        }
        lane.wake.notify_one();
        None
    }
}

impl Place {
    /// Where this lane leads.
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// Takes up to `limit` jobs that are ready now.
    pub fn take(&self, limit: usize) -> Vec<Job> {
        let mut state = self.lanes.state();
        let Some(lane) = state.lanes.get_mut(&self.destination) else { return Vec::new() };
        lane.ready.take(limit)
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
        let mut state = lanes.state();
        let Some(lane) = state.lanes.get_mut(&self.destination).filter(|lane| lane.workers > 1) else { return Some(job) };
        lane.push(job);
        // As many as there is room for: whoever comes next would only leave again.
        lane.limit = lane.workers - 1;
        lane.wake.notify_one();
        self.left = true;
        state.leave(&self.destination);
        None
    }

    /// Takes jobs like [`Place::take`], and waits for one as long as `patience`. None came if the result is empty: the place
    /// is given up then, in one step with the last look, so that no job is left behind.
    pub async fn next(&mut self, limit: usize, patience: Duration) -> Vec<Job> {
        let jobs = self.take(limit);
        if !jobs.is_empty() {
            return jobs;
        }
        let deadline = tokio::time::sleep(patience);
        tokio::pin!(deadline);
        {
            let _idle = Idle::begin(self);
            loop {
                let jobs = self.take(limit);
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
        self.take_or_leave(limit)
    }

    fn take_or_leave(&mut self, limit: usize) -> Vec<Job> {
        let lanes = self.lanes.clone();
        let mut state = lanes.state();
        let Some(lane) = state.lanes.get_mut(&self.destination) else { return Vec::new() };
        if !lane.ready.is_empty() {
            return lane.ready.take(limit);
        }
        self.left = true;
        state.leave(&self.destination);
        Vec::new()
    }
}

impl Lane {
    fn push(&mut self, job: Job) {
        self.ready.push(job.reverse_path.clone(), job);
    }
}

impl State {
    fn leave(&mut self, destination: &Destination) {
        if let Some(lane) = self.lanes.get_mut(destination) {
            lane.workers -= 1;
            if lane.workers == 0 && lane.ready.is_empty() {
                self.lanes.remove(destination);
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.left {
            self.lanes.state().leave(&self.destination);
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
