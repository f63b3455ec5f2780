//! What the spool knows in memory: the envelope and state of every message, where its record stands, and how much of each
//! segment is still needed. Bodies stay on disk, and envelopes are kept as they are stored, which takes less than half of the
//! memory: about 400 octets for a message to one recipient. Changed by replay and by the writer alone, after the record that
//! says so is durable; read by everybody.

use super::codec;
use super::fresh::{Fresh, Kept};
use super::segment::SegmentName;
use crate::queue::envelope::{Change, Envelope, MessageState, Outcome, Progress, QueueEntry};
use crate::queue::id::QueueId;
use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Bound;
use std::sync::Arc;

/// Where a record stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Location {
    pub(super) segment: u32,
    pub(super) offset: u32,
    /// With header and padding.
    pub(super) octets: u32,
}

/// One message.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) id: QueueId,
    /// As it is stored.
    pub(super) envelope: Arc<[u8]>,
    pub(super) progress: Progress,
    /// How much of its body is in a file of its own.
    pub(super) file_octets: Option<u64>,
}

impl Message {
    /// For somebody to look at, with its envelope where that is at hand; `None` never happens, since nothing but a valid envelope
    /// comes in.
    pub(super) fn entry(self, envelope: Option<Arc<Envelope>>) -> Option<QueueEntry> {
        let envelope = match envelope {
            Some(envelope) => envelope,
            None => Arc::new(codec::envelope(&self.envelope).ok()?),
        };
        Some(QueueEntry { envelope, progress: self.progress })
    }
}

/// A message and where its record stands.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) message: Message,
    pub(super) location: Location,
}

/// One segment file.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) name: SegmentName,
    /// Open for as long as the file is needed; a reader that took it keeps it, even when the segment is reclaimed meanwhile.
    pub(super) file: Arc<File>,
    /// Its size; one that was cut still counts as whole, so that many cut ones are reclaimed too.
    pub(super) octets: u64,
    /// How many of its records are the one that a message needs.
    pub(super) live: usize,
    /// Every message that was ever written into it, in order.
    pub(super) ids: Vec<QueueId>,
}

/// How many messages there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// See [`MessageState::Active`].
    pub active: u64,
    /// See [`MessageState::Deferred`].
    pub deferred: u64,
    /// See [`MessageState::Hold`].
    pub held: u64,
    /// The recipients of all of them, settled ones too.
    pub recipients: u64,
    /// What their records take in the log.
    pub live_octets: u64,
    /// What the log takes on disk, or a little more: segments that were cut count as whole.
    pub log_octets: u64,
    /// How many files the log has.
    pub segments: u64,
}

impl Counts {
    /// All messages.
    pub fn messages(&self) -> u64 {
        self.active + self.deferred + self.held
    }

    fn add(&mut self, other: &Counts) {
        self.active += other.active;
        self.deferred += other.deferred;
        self.held += other.held;
        self.recipients += other.recipients;
        self.live_octets += other.live_octets;
        self.log_octets += other.log_octets;
        self.segments += other.segments;
    }

    fn of(&mut self, state: MessageState) -> &mut u64 {
        match state {
            MessageState::Active => &mut self.active,
            MessageState::Deferred => &mut self.deferred,
            MessageState::Hold => &mut self.held,
        }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Index {
    slots: BTreeMap<QueueId, Slot>,
    segments: BTreeMap<u32, Segment>,
    counts: Counts,
    fresh: Fresh,
    /// What an earlier process left is still being read: its segments and messages are not here yet.
    pub(super) is_recovering: bool,
}

impl Index {
    /// An empty one that is still to adopt what an earlier process left.
    pub(super) fn recovering() -> Index {
        Index { is_recovering: true, ..Index::default() }
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    pub(super) fn slot(&self, id: QueueId) -> Option<&Slot> {
        self.slots.get(&id)
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.slots.values()
    }

    /// Up to `limit` messages whose id is larger than `after`, in order.
    pub(super) fn page(&self, after: Option<QueueId>, limit: usize) -> Vec<Message> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.slots.range((start, Bound::Unbounded)).take(limit).map(|(_, slot)| slot.message.clone()).collect()
    }

    pub(super) fn segment(&self, number: u32) -> Option<&Segment> {
        self.segments.get(&number)
    }

    pub(super) fn oldest_segment(&self) -> Option<&Segment> {
        self.segments.values().next()
    }

    /// The oldest segment and messages that it holds the record of: at least one where there is any, up to that many octets.
    pub(super) fn live_in_oldest(&mut self, most_octets: u64) -> Option<(SegmentName, Arc<File>, Vec<Slot>)> {
        let segment = self.segments.values_mut().next()?;
        let number = segment.name.number;
        // Those that have left need not be looked at again in the next step.
        segment.ids.retain(|id| self.slots.get(id).is_some_and(|slot| slot.location.segment == number));
        let mut octets = 0;
        let mut slots = Vec::new();
        for slot in segment.ids.iter().filter_map(|id| self.slots.get(id)) {
            octets += u64::from(slot.location.octets);
            if octets > most_octets && !slots.is_empty() {
                break;
            }
            slots.push(slot.clone());
        }
        Some((segment.name, segment.file.clone(), slots))
    }

    pub(super) fn add_segment(&mut self, name: SegmentName, file: Arc<File>, octets: u64) {
        self.counts.segments += 1;
        self.counts.log_octets += octets;
        self.segments.insert(name.number, Segment { name, file, octets, live: 0, ids: Vec::new() });
    }

    pub(super) fn remove_segment(&mut self, number: u32) {
        if let Some(segment) = self.segments.remove(&number) {
            self.counts.segments -= 1;
            self.counts.log_octets -= segment.octets;
        }
    }

    /// Takes what a message record says, in place of all that was known of the message.
    pub(super) fn insert(&mut self, message: Message, location: Location) {
        let id = message.id;
        self.remove(id);
        *self.counts.of(message.progress.state()) += 1;
        self.counts.recipients += message.progress.states.len() as u64;
        self.counts.live_octets += u64::from(location.octets);
        if let Some(segment) = self.segments.get_mut(&location.segment) {
            segment.live += 1;
            segment.ids.push(id);
        }
        self.slots.insert(id, Slot { message, location });
    }

    /// Takes over what an earlier process left. Its messages are all older than those that are here, and nothing that is here speaks
    /// of them.
    pub(super) fn adopt(&mut self, left: Index) {
        // The larger one stays where it is.
        let new = std::mem::replace(self, left);
        self.slots.extend(new.slots);
        self.segments.extend(new.segments);
        self.counts.add(&new.counts);
        self.fresh = new.fresh;
        self.is_recovering = false;
    }

    /// Keeps a message at hand until its first attempt is over.
    pub(super) fn keep(&mut self, id: QueueId, kept: Kept) {
        self.fresh.put(id, kept);
    }

    /// The message, if it is at hand.
    pub(super) fn kept(&self, id: QueueId) -> Option<&Kept> {
        self.fresh.find(id)
    }

    /// Makes a change true; one about a message that is not there changes nothing. Answers with a message that it removed.
    pub(super) fn apply(&mut self, change: &Change) -> Option<Message> {
        if let Change::Remove(id) = change {
            return self.remove(*id);
        }
        let progress = &mut self.slots.get_mut(&change.id())?.message.progress;
        *self.counts.of(progress.state()) -= 1;
        progress.apply(change);
        *self.counts.of(progress.state()) += 1;
        // What waits does not wait in memory.
        if matches!(change, Change::Hold(_) | Change::Outcome { outcome: Outcome::Deferred { .. }, .. }) {
            self.fresh.remove(change.id());
        }
        None
    }

    /// Forgets a message.
    pub(super) fn remove(&mut self, id: QueueId) -> Option<Message> {
        let Slot { message, location } = self.slots.remove(&id)?;
        self.fresh.remove(id);
        *self.counts.of(message.progress.state()) -= 1;
        self.counts.recipients -= message.progress.states.len() as u64;
        self.counts.live_octets -= u64::from(location.octets);
        if let Some(segment) = self.segments.get_mut(&location.segment) {
            segment.live -= 1;
        }
        Some(message)
    }
}
