//! Giving room back. Segments are removed oldest first and one at a time, each removal durable before the next: so the record
//! that says that a message is gone never vanishes before the record of the message. A segment that nothing needs is removed
//! at once. When the log has grown to more than twice of what is needed, the messages that are left in the oldest segment are
//! written again at the head, with the state that they have by then. Part of the writer, which calls it between batches.

use super::codec;
use super::inbox::{Effect, Job};
use super::index::Slot;
use super::lock;
use super::record::{self, Kind};
use super::replay::{UNREADABLE, set_aside};
use super::writer::Writer;
use crate::fault::{Point, reach};
use bytes::Bytes;
use std::io;

/// How much is relocated with one batch, so that clients do not wait long for their flush.
const STEP_OCTETS: u64 = 1 << 20;
/// How many segments the log may have beyond twice of what is needed.
const SLACK_SEGMENTS: u64 = 4;

impl Writer {
    /// Whether the oldest segment is to be emptied.
    pub(super) fn wants_reclaim(&self) -> bool {
        if self.reclaim_paused {
            return false;
        }
        let index = lock(&self.shared.index);
        if index.is_recovering {
            return false;
        }
        let counts = index.counts();
        let allowed = 2 * counts.live_octets + SLACK_SEGMENTS * u64::from(self.shared.options.segment_octets);
        let oldest = index.oldest_segment().map(|segment| segment.name.number);
        counts.log_octets > allowed && oldest != self.current_number()
    }

    /// Jobs that move messages out of the oldest segment: at least one, up to [`STEP_OCTETS`]. A message whose record is
    /// damaged is set aside and leaves the queue: with the segment, its octets would vanish unread.
    pub(super) fn relocations(&mut self) -> Vec<Job> {
        let Some((name, file, slots)) = lock(&self.shared.index).live_in_oldest(STEP_OCTETS) else { return Vec::new() };
        let mut jobs = Vec::with_capacity(slots.len());
        for Slot { message, location } in slots {
            let mut octets = vec![0; location.octets as usize];
            let read = self.shared.disk().read_exact_at(&file, &mut octets, location.offset.into());
            let read = read.map_err(|_| UNREADABLE);
            match read.and_then(|()| record::read(&octets, name.salt)) {
                Ok(found) => {
                    let body = [Bytes::copy_from_slice(found.body)];
                    let put = |meta: &mut Vec<u8>| codec::put_message(meta, &message.envelope, &message.progress, &[]);
                    let record = record::seal(Kind::Message, message.id.number(), &body, put);
                    jobs.push(Job { record, effect: Effect::Relocate { message } });
                }
                Err(reason) => {
                    let report = set_aside(&self.shared.folder, name, &octets, location.offset as usize, reason);
                    tracing::error!(id = %message.id, ?report, "queue: a message is damaged and leaves the queue");
                    self.shared.damaged(report);
                    lock(&self.shared.index).remove(message.id);
                }
            }
        }
        // Nothing to move, and yet the segment is there: it cannot be removed.
        self.reclaim_paused |= jobs.is_empty();
        jobs
    }

    /// Removes the oldest segments for as long as nothing in them is needed. One that cannot be removed is tried again after
    /// every batch; those behind it wait.
    pub(super) fn remove_dead(&mut self) {
        loop {
            let index = lock(&self.shared.index);
            let oldest = match index.oldest_segment() {
                // There are older ones.
                _ if index.is_recovering => return,
                Some(segment) if segment.live == 0 && Some(segment.name.number) != self.current_number() => segment.name,
                _ => return,
            };
            drop(index);
            let path = oldest.path(&self.shared.folder);
            let disk = self.shared.disk();
            let removed = match disk.remove(&path) {
                // An earlier try may have removed it and not flushed the folder.
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                result => result,
            };
            reach(Point::SegmentRemoved);
            if let Err(error) = removed.and_then(|()| disk.sync_folder(&self.shared.folder)) {
                if !std::mem::replace(&mut self.removal_failed, true) {
                    tracing::warn!(path = %path.display(), %error, "queue: a segment cannot be removed");
                }
                return;
            }
            self.removal_failed = false;
            lock(&self.shared.index).remove_segment(oldest.number);
        }
    }
}
