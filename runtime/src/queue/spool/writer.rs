//! The one thread that writes. It takes all jobs that have gathered, writes their records with one call, flushes once, makes
//! what they say true in the index, and answers every caller: group commit.
//!
//! When a write or a flush fails, nobody can say what of the batch is on disk. Its callers get the error. The segment is cut
//! where the batch began and never written to again, and the next one says in its first record where that was: a replay does
//! not look behind it. Only if neither can be flushed, and the host dies before the next segment is made, may a replay find
//! a message of the failed batch: it is then delivered although its client was told to come back with it.

use super::Shared;
use super::blob::SpilledBody;
use super::disk::write_all_at;
use super::error::SpoolError;
use super::fresh::Kept;
use super::inbox::{Done, Effect, Job};
use super::index::Location;
use super::lock;
use super::record;
use super::segment::{self, FIRST_OFFSET, SegmentName, SegmentStart};
use crate::fault::{Point, reach};
use crate::queue::id::QueueId;
use std::fs::File;
use std::io::IoSlice;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest that a batch waits for more.
const PATIENCE_MAX: Duration = Duration::from_millis(1);
/// So long after the last message, another one is expected.
const BUSY_FOR: Duration = Duration::from_millis(20);
/// Which part of a segment is kept for changes.
const RESERVE_DIVISOR: u32 = 32;

/// The segment that is written to.
struct Current {
    name: SegmentName,
    file: Arc<File>,
    octets: u32,
    /// Where the next record goes; all before it is durable.
    end: u32,
}

/// The state of the writer thread.
pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    current: Option<Current>,
    /// The segment written to before, and its end.
    previous: Option<(u32, u32)>,
    next_number: u32,
    /// How many jobs the last batch had.
    answered: usize,
    /// How long it took.
    last_flush: Duration,
    /// When a message was last among the jobs.
    last_append: Option<Instant>,
    /// Relocations failed: none until something else succeeds.
    pub(super) reclaim_paused: bool,
    /// The oldest segment could not be removed, and a warning said so.
    pub(super) removal_failed: bool,
}

impl Writer {
    /// Goes on behind the newest segment that replay found.
    pub(super) fn new(shared: Arc<Shared>, newest: Option<(u32, u32)>) -> Writer {
        let next_number = newest.map_or(1, |(number, _)| number + 1);
        Writer {
            shared,
            current: None,
            previous: newest,
            next_number,
            answered: 0,
            last_flush: Duration::ZERO,
            last_append: None,
            reclaim_paused: false,
            removal_failed: false,
        }
    }

    /// Works until the inbox is closed and empty.
    pub(super) fn run(mut self) {
        self.remove_dead();
        loop {
            let reclaims = self.wants_reclaim();
            let inbox = &self.shared.inbox;
            let jobs =
                if reclaims { inbox.take_now() } else { inbox.take(self.answered, self.patience(), self.patience_for_append()) };
            let Some(jobs) = jobs else { return };
            self.answered = jobs.len();
            if jobs.iter().any(Job::is_append) {
                self.last_append = Some(Instant::now());
            }
            // Relocations go first: a change in the same batch must stand behind the record that does not know of it yet.
            let mut batch = if reclaims { self.relocations() } else { Vec::new() };
            batch.extend(jobs);
            self.write(batch);
            self.remove_dead();
        }
    }

    /// How long to wait for callers that were just answered and may come back at once: without that, the first of them gets a
    /// flush of its own, and on a slow disk all others wait for it. A part of what the flush takes anyway.
    fn patience(&self) -> Duration {
        (self.last_flush / 4).min(PATIENCE_MAX)
    }

    /// How long changes wait for a message whose flush makes them durable too: while messages come in, each of them would else cost two
    /// flushes, and the second keeps the next one waiting. Nobody who sends mail waits for a change.
    fn patience_for_append(&self) -> Duration {
        let is_busy = self.last_append.is_some_and(|last| last.elapsed() < BUSY_FOR);
        if is_busy { self.last_flush.min(PATIENCE_MAX) } else { Duration::ZERO }
    }

    /// The number of the segment that is written to.
    pub(super) fn current_number(&self) -> Option<u32> {
        self.current.as_ref().map(|current| current.name.number)
    }

    fn write(&mut self, jobs: Vec<Job>) {
        let no_room = if jobs.iter().any(Job::is_append) { self.shared.check_room(0).err() } else { None };
        let mut no_segment = None;
        let mut batch = Vec::with_capacity(jobs.len());
        let mut batch_octets = 0;
        for job in jobs {
            if let Some(error) = no_room.as_ref().filter(|_| job.is_append()) {
                job.fail(error.clone());
                continue;
            }
            if !self.fits(batch_octets, &job) {
                self.flush(std::mem::take(&mut batch));
                batch_octets = 0;
                // Asked for once a round: each further job would fail the same way.
                if !self.fits(0, &job) && no_segment.is_none() {
                    no_segment = self.roll(job.record.len()).err();
                }
                if let Some(error) = no_segment.as_ref().filter(|_| !self.fits(0, &job)) {
                    job.fail(error.clone());
                    continue;
                }
            }
            batch_octets += job.record.len();
            batch.push(job);
        }
        self.flush(batch);
        // A relocation may be among those that failed: to try it again at once would go on for as long as the disk is full.
        self.reclaim_paused |= no_segment.is_some();
    }

    /// Whether the job has room behind the batch. The last part of a segment is kept for changes: so that they can be
    /// recorded for a while on a full disk, and messages that were delivered are known to be.
    fn fits(&self, batch_octets: usize, job: &Job) -> bool {
        let Some(current) = &self.current else { return false };
        let is_change = matches!(job.effect, Effect::Record { .. });
        let limit = if is_change { current.octets } else { current.octets - current.octets / RESERVE_DIVISOR };
        current.end as usize + batch_octets + job.record.len() <= limit as usize
    }

    /// Begins a new segment with room for a record of that size. Where there is no room for it, the old one stays.
    fn roll(&mut self, record_octets: usize) -> Result<(), SpoolError> {
        reach(Point::SegmentNeeded);
        let name = SegmentName::new(self.next_number);
        // Records are below 1 GiB, so this stays below 4 GiB.
        let least = FIRST_OFFSET + record_octets as u32;
        let octets = self.shared.options.segment_octets.max((least + least / 8).next_multiple_of(4096));
        let disk = self.shared.disk();
        let file = Arc::new(segment::make(disk, &name.path(&self.shared.folder), octets)?);
        self.next_number += 1;
        // From here on, the end of the old segment is written down: whatever becomes of the new one, the old is left.
        if let Some(current) = self.current.take() {
            self.previous = Some((current.name.number, current.end));
        }
        let last_id = self.shared.ids.last();
        let start = SegmentStart { version: segment::FORMAT_VERSION, previous: self.previous, last_id };
        segment::begin(disk, &self.shared.folder, name, &file, start)?;
        reach(Point::SegmentBegun);
        lock(&self.shared.index).add_segment(name, file.clone(), octets.into());
        self.current = Some(Current { name, file, octets, end: FIRST_OFFSET });
        Ok(())
    }

    /// Writes a batch that fits, flushes it, makes it true, and answers.
    fn flush(&mut self, mut batch: Vec<Job>) {
        let Some(current) = self.current.as_mut().filter(|_| !batch.is_empty()) else { return };
        batch.iter_mut().for_each(|job| record::salt(&mut job.record, current.name.salt));
        let mut slices: Vec<IoSlice<'_>> = batch.iter().map(|job| IoSlice::new(&job.record)).collect();
        let disk = self.shared.disk();
        let begun = Instant::now();
        let [written, flushed, made_true] = moments(&batch);
        let result = write_all_at(disk, &current.file, &mut slices, current.end.into()).and_then(|()| {
            reach(written);
            disk.sync(&current.file)
        });
        self.last_flush = begun.elapsed();
        self.shared.flush_times.count(self.last_flush);
        match result {
            Ok(()) => {
                reach(flushed);
                self.reclaim_paused &= batch.iter().all(|job| matches!(job.effect, Effect::Relocate { .. }));
                let (segment, start) = (current.name.number, current.end);
                current.end += batch.iter().map(|job| job.record.len() as u32).sum::<u32>();
                self.shared.commit(segment, start, batch, made_true);
            }
            Err(error) => {
                let error = SpoolError::io("write", &current.name.path(&self.shared.folder), error);
                self.abandon(batch, &error);
            }
        }
    }

    fn abandon(&mut self, batch: Vec<Job>, error: &SpoolError) {
        tracing::error!(%error, records = batch.len(), "queue: a batch was not written, its clients are told to come back");
        // For the same reason as above.
        self.reclaim_paused = true;
        if let Some(Current { file, end, .. }) = &self.current {
            let disk = self.shared.disk();
            // Either of the two undoes the batch; the other is tried whatever becomes of this one.
            let _ = disk.cut(file, (*end).into()).and_then(|()| disk.sync(file));
        }
        if self.roll(0).is_err()
            && let Some(current) = self.current.take()
        {
            self.previous = Some((current.name.number, current.end));
        }
        batch.into_iter().for_each(|job| job.fail(error.clone()));
    }
}

impl Drop for Writer {
    /// However the thread ends, nobody waits for it in vain.
    fn drop(&mut self) {
        self.shared.inbox.close();
        self.shared.inbox.take_now().into_iter().flatten().for_each(|job| job.fail(SpoolError::Closed));
    }
}

impl Shared {
    /// Makes a durable batch true, in its order, and answers.
    fn commit(&self, segment: u32, start: u32, batch: Vec<Job>, made_true: Point) {
        let mut offset = start;
        let mut answers = Vec::with_capacity(batch.len());
        let mut removed = Vec::new();
        let mut index = lock(&self.index);
        for Job { record, effect } in batch {
            let location = Location { segment, offset, octets: record.len() as u32 };
            offset += location.octets;
            match effect {
                Effect::Append { message, envelope, file, changes, done } => {
                    let id = message.id;
                    answers.push(Answer::Append(id, file, done));
                    index.insert(message, location);
                    index.keep(id, Kept { envelope, body: record::body(record.into()) });
                    removed.extend(changes.iter().filter_map(|change| index.apply(change)));
                }
                Effect::Record { changes, done } => {
                    removed.extend(changes.iter().filter_map(|change| index.apply(change)));
                    answers.push(Answer::Record(done));
                }
                Effect::Relocate { message } => index.insert(message, location),
            }
        }
        drop(index);
        reach(made_true);
        for answer in answers {
            self.answer(answer);
        }
        for message in removed.iter().filter(|message| message.file_octets.is_some()) {
            reach(Point::BodyFileLeft);
            // One that stays behind is removed when the spool is opened next.
            let _ = self.disk().remove(&self.blob_path(message.id));
        }
    }

    /// Whoever has stopped waiting is not told; that the message is there, is.
    fn answer(&self, answer: Answer) {
        match answer {
            Answer::Append(id, file, done) => {
                if let Some(file) = file {
                    file.claim();
                }
                if let Some(arrivals) = &self.options.arrivals {
                    let _ = arrivals.send(id);
                }
                let _ = done.send(Ok(id));
            }
            Answer::Record(done) => {
                let _ = done.send(Ok(()));
            }
        }
    }
}

/// The moments of a batch: it is written, flushed, true.
fn moments(batch: &[Job]) -> [Point; 3] {
    if batch.iter().any(Job::is_append) {
        [Point::RecordWritten, Point::RecordFlushed, Point::RecordTrue]
    } else {
        [Point::NoteWritten, Point::NoteFlushed, Point::NoteTrue]
    }
}

/// What is left to be said once a batch is true.
enum Answer {
    Append(QueueId, Option<SpilledBody>, Done<QueueId>),
    Record(Done<()>),
}
