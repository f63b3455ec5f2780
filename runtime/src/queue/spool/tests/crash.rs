//! The host dies: at every call that changes something on disk, and with every choice of what was not flushed being there or
//! not. What was acknowledged is there, once, and so is nothing else but the one thing that was under way.

use super::disk::TestDisk;
use super::*;
use crate::queue::message::NewMessage;
use std::io;

/// What is in the queue, with states and checksums of the bodies.
pub(super) type Queue = BTreeMap<QueueId, (QueueEntry, u32)>;

pub(super) fn queue(spool: &Spool) -> Queue {
    let with_body = |entry: QueueEntry| {
        let body = body_of(spool, entry.id());
        (entry.id(), (entry, crc32fast::hash(&body)))
    };
    spool.page(None, usize::MAX).into_iter().map(with_body).collect()
}

/// The queue after a change.
pub(super) fn changed(mut queue: Queue, change: &Change) -> Queue {
    match change {
        Change::Remove(id) => drop(queue.remove(id)),
        change => {
            if let Some((entry, _)) = queue.get_mut(&change.id()) {
                entry.progress.apply(change);
            }
        }
    }
    queue
}

/// Appends a message. Answers with the queue that there is if it was taken, and whether it was.
pub(super) fn append_step(spool: &Spool, number: usize, mut queue: Queue, octets: Vec<u8>) -> (Queue, bool) {
    let id = spool.fresh_id(NOW + number as u64);
    let mut writer = spool.begin_body(&id);
    let Ok(body) = writer.write(&octets).and_then(|()| writer.finish(Vec::new())) else { return (queue, false) };
    let message = NewMessage::from(accepted(id, "alice@example.com", &["bob@example.net", "carl@example.net"], body));
    let envelope = message.envelope.clone();
    let entry = QueueEntry { progress: Progress::new(envelope.recipients.len()), envelope: envelope.into() };
    queue.insert(entry.id(), (entry, crc32fast::hash(&octets)));
    let is_taken = spool.append_blocking(message).is_ok();
    (queue, is_taken)
}

/// One step of the story: messages come, most go, a few stay and are deferred again and again.
fn step(spool: &Spool, number: usize, queue: &Queue) -> (Queue, bool) {
    let ids: Vec<QueueId> = queue.keys().copied().collect();
    let change = match number % 4 {
        2 => {
            let attempt = attempt("450", "4.2.0 later", None);
            let outcome = Outcome::Deferred { attempt, next_ms: NOW + number as u64 };
            Change::Outcome { id: ids[number % ids.len()], recipients: [1].into(), outcome }
        }
        3 if ids.len() > 3 => Change::Remove(ids[ids.len() / 2]),
        _ => {
            let octets = if number.is_multiple_of(9) { 900 } else { 150 + number };
            return append_step(spool, number, queue.clone(), vec![b'a' + (number % 26) as u8; octets]);
        }
    };
    let is_true = spool.record_blocking(vec![change.clone()]).is_ok();
    (changed(queue.clone(), &change), is_true)
}

const STEPS: usize = 110;

fn open_small(folder: &Path, disk: Arc<dyn Disk>) -> (Spool, Recovered) {
    let small = SpoolOptions { segment_octets: 1024, inline_limit_octets: 500, disk, ..options() };
    Spool::open(folder, small).unwrap()
}

/// Runs the story until it is over or the host dies. Answers with what was acknowledged, and what may be true instead.
fn story(spool: &Spool, disk: &TestDisk) -> (Queue, Queue) {
    let mut acknowledged = Queue::new();
    for number in 0..STEPS {
        let (next, is_true) = step(spool, number, &acknowledged);
        if is_true {
            acknowledged = next;
        } else {
            assert!(disk.is_dead(), "step {number} failed on a disk that works");
            return (acknowledged, next);
        }
    }
    (acknowledged.clone(), acknowledged)
}

/// Opens a folder as the next start does, and answers with what is there and what was damaged.
fn reopened(folder: &Path) -> (Queue, Vec<CorruptReport>) {
    let (spool, recovered) = open_small(folder, TestDisk::new());
    (queue(&spool), recovered.corrupt)
}

#[test]
fn the_story_reclaims_segments() {
    let folder = scratch();
    let (spool, _) = open_small(folder.path(), TestDisk::new());
    let first = append(&spool, b"stays");
    let (told, _) = story(&spool, &TestDisk::new());
    let oldest = segment_files(folder.path()).remove(0);
    assert!(!oldest.file_name().unwrap().to_str().unwrap().starts_with("seg-00000001-"), "nothing was reclaimed");
    assert!(told.len() > 10 && spool.find(first).is_some());
}

#[test]
fn what_was_acknowledged_survives_a_death_at_every_call() {
    let calls = calls_of_the_story();
    assert!(calls > 200);
    for last_call in 3..=calls {
        for seed in [0, u64::MAX, last_call] {
            let folder = scratch();
            let disk = TestDisk::new();
            disk.die_after(last_call);
            let (spool, _) = open_small(folder.path(), disk.clone());
            let (acknowledged, perhaps) = story(&spool, &disk);
            drop(spool);
            disk.cut_power(seed);
            let (found, corrupt) = reopened(folder.path());
            assert!(found == acknowledged || found == perhaps, "call {last_call}, seed {seed}");
            // Of a batch that was under way, the first record may be lost and the second be whole: that is reported.
            let loses_single_sectors = seed == last_call;
            assert!(corrupt.is_empty() || loses_single_sectors, "call {last_call}, seed {seed}: {corrupt:?}");
        }
    }
}

/// Every write, flush, cut and removal fails once, for want of room and for good. Whatever was told "no" did not happen, and all that was
/// told "yes" did, in memory and on disk, and also where the power goes afterwards.
#[test]
fn a_failure_of_any_call_undoes_what_it_was_for_and_nothing_else() {
    let calls = calls_of_the_story();
    let mut failed = 0;
    for number in 3..=calls {
        for how in [io::ErrorKind::StorageFull, io::ErrorKind::Other] {
            let folder = scratch();
            let disk = TestDisk::new();
            let (spool, _) = open_small(folder.path(), disk.clone());
            disk.fail_call(number, how);
            let mut acknowledged = Queue::new();
            for step_number in 0..STEPS {
                let (next, is_true) = step(&spool, step_number, &acknowledged);
                failed += usize::from(!is_true);
                acknowledged = if is_true { next } else { acknowledged };
            }
            assert!(queue(&spool) == acknowledged, "call {number}, {how:?}: what is known");
            drop(spool);
            disk.cut_power(number);
            let (found, _) = reopened(folder.path());
            assert!(found == acknowledged, "call {number}, {how:?}: what is there");
        }
    }
    assert!(failed > 100, "only {failed} steps failed");
}

fn calls_of_the_story() -> u64 {
    let folder = scratch();
    let disk = TestDisk::new();
    let (spool, _) = open_small(folder.path(), disk.clone());
    story(&spool, &disk);
    drop(spool);
    disk.calls()
}

/// The tests above would notice: on a disk that only says that it flushed, mail is lost.
#[test]
fn on_a_disk_that_lies_mail_is_lost() {
    let folder = scratch();
    let disk = TestDisk::new();
    let (spool, _) = open_small(folder.path(), disk.clone());
    disk.lie();
    let (acknowledged, _) = story(&spool, &disk);
    drop(spool);
    disk.cut_power(0);
    assert!(reopened(folder.path()).0 != acknowledged);
}
