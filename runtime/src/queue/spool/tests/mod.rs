//! Tests of the spool as its callers see it.

use super::*;
use crate::queue::envelope::{MessageState, Outcome, RecipientState};
use crate::queue::fixture::{accepted, attempt, mailbox};
use crate::queue::message::{Accepted, Generated};
use std::collections::BTreeMap;
use std::os::unix::fs::FileExt;
use std::time::Duration;

mod crash;
mod disk;
mod faults;
mod look;
mod model;
mod reclaim;
mod recovery;
mod replay;

pub(super) const NOW: u64 = 1_795_285_000_000;

/// A folder in memory where there is one: what is durable is for the test disk to say, and thousands of starts are faster.
pub(super) fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Small segments, so that few messages fill one.
pub(super) fn options() -> SpoolOptions {
    SpoolOptions { segment_octets: 4096, inline_limit_octets: 1000, min_free_octets: 0, ..SpoolOptions::default() }
}

pub(super) fn open(folder: &Path) -> (Spool, Recovered) {
    Spool::open(folder, options()).unwrap()
}

pub(super) fn open_on(folder: &Path, disk: Arc<dyn Disk>) -> Result<(Spool, Recovered), SpoolError> {
    Spool::open(folder, SpoolOptions { disk, ..options() })
}

/// A message from alice to bob.
pub(super) fn message(spool: &Spool, body: &[u8]) -> Accepted {
    accepted(spool.fresh_id(NOW), "alice@example.com", &["bob@example.net"], body.to_vec())
}

pub(super) fn append(spool: &Spool, body: &[u8]) -> QueueId {
    spool.append_blocking(message(spool, body)).unwrap()
}

pub(super) fn body_of(spool: &Spool, id: QueueId) -> Vec<u8> {
    let mut body = Vec::new();
    spool.read_body(id).unwrap().read_to_end(&mut body).unwrap();
    body
}

/// Every message with its body.
pub(super) fn contents(spool: &Spool) -> BTreeMap<QueueId, Vec<u8>> {
    spool.page(None, usize::MAX).iter().map(|entry| (entry.id(), body_of(spool, entry.id()))).collect()
}

pub(super) fn outcome(id: QueueId, outcome: Outcome) -> Vec<Change> {
    vec![Change::Outcome { id, recipients: [0].into(), outcome }]
}

pub(super) fn segment_files(folder: &Path) -> Vec<PathBuf> {
    segment::list(folder).unwrap().into_iter().map(|name| name.path(folder)).collect()
}

#[test]
fn what_was_appended_is_there_after_a_restart_once_and_whole() {
    let folder = scratch();
    let mut wanted = BTreeMap::new();
    for round in 0..3u8 {
        let (spool, recovered) = open(folder.path());
        assert_eq!(
            recovered.messages.iter().map(|standing| standing.id).collect::<Vec<_>>(),
            wanted.keys().copied().collect::<Vec<_>>()
        );
        assert_eq!((recovered.corrupt, recovered.torn_tail_octets), (Vec::new(), 0));
        for number in 0..20u8 {
            let body = vec![b'a' + round; usize::from(number) * 40];
            wanted.insert(append(&spool, &body), body);
        }
        assert_eq!(contents(&spool), wanted);
        assert_eq!(spool.counts().messages(), wanted.len() as u64);
    }
    let (spool, _) = open(folder.path());
    assert_eq!(contents(&spool), wanted);
    let files = segment_files(folder.path());
    assert!(files.len() > 3);
    assert!(fs::metadata(&files[files.len() - 1]).unwrap().len() < 4096, "room that was set aside is given back");
}

#[test]
fn an_envelope_survives() {
    let folder = scratch();
    let (spool, _) = open(folder.path());
    let message = accepted(spool.fresh_id(NOW), "", &["team@here.test", "x@here.test.example", "ann@example.net"], b"m".to_vec());
    let id = spool.append_blocking(message).unwrap();
    let entry = spool.find(id).unwrap();
    let recipients: Vec<(String, String)> = entry
        .envelope
        .recipients
        .iter()
        .map(|recipient| (recipient.original().to_string(), recipient.address.to_string()))
        .collect();
    let pair = |original: &str, address: &str| (original.to_owned(), address.to_owned());
    assert_eq!(
        recipients,
        [
            pair("team@here.test", "ann@example.net"),
            pair("team@here.test", "ben@example.net"),
            pair("x@here.test.example", "x@here.test.example")
        ],
        "one copy for each address"
    );
    drop(spool);
    let (spool, recovered) = open(folder.path());
    assert_eq!(recovered.messages, [Standing { id, state: MessageState::Active, next_attempt_ms: Some(0) }]);
    assert_eq!(spool.find(id), Some(entry));
}

#[test]
fn outcomes_survive() {
    let folder = scratch();
    let (spool, _) = open(folder.path());
    let ids: Vec<QueueId> = (0..7u8).map(|number| append(&spool, &[number; 300])).collect();
    let deferred = attempt("450", "4.2.0 later", Some("mx.example.net"));
    let failed = attempt("550", "5.1.1 who?", None);
    let record = |changes| spool.record_blocking(changes).unwrap();
    record(outcome(ids[0], Outcome::Delivered));
    record(outcome(ids[1], Outcome::Deferred { attempt: deferred.clone(), next_ms: NOW + 5 }));
    record(outcome(ids[2], Outcome::Failed(failed.clone())));
    record(outcome(ids[3], Outcome::Expired(failed.clone())));
    record(vec![Change::Hold(ids[4]), Change::Hold(ids[5]), Change::Release(ids[5])]);
    record(vec![Change::Remove(ids[6]), Change::Hold(ids[6]), Change::Hold(QueueId::from_number(1))]);
    record(outcome(ids[2], Outcome::Returned));
    // Out of range, and out of order: nothing changes.
    record(vec![Change::Outcome { id: ids[5], recipients: [1, u32::MAX].into(), outcome: Outcome::Delivered }]);
    record(outcome(ids[0], Outcome::Failed(failed.clone())));
    let before = spool.page(None, 100);
    let counts = spool.counts();
    drop(spool);

    let (spool, recovered) = open(folder.path());
    assert_eq!(spool.page(None, 100), before);
    assert_eq!(recovered.messages[1].next_attempt_ms, Some(NOW + 5));
    let progress = |place: usize| spool.find(ids[place]).unwrap().progress;
    let state = |place: usize| progress(place).states[0].clone();
    assert_eq!(state(0), RecipientState::Delivered);
    assert_eq!(state(1), RecipientState::Pending { attempts: 1, next_attempt_ms: NOW + 5, last: Some(deferred), warned: false });
    assert_eq!(state(2), RecipientState::Returned);
    assert_eq!(state(3), RecipientState::Expired(failed));
    assert!(progress(4).held && !progress(5).held);
    assert_eq!(spool.find(ids[6]), None);
    assert!(matches!(spool.read_body(ids[6]), Err(SpoolError::Unknown(_))));
    let of = |place: usize| progress(place).state();
    assert_eq!([of(1), of(4), of(5)], [MessageState::Deferred, MessageState::Hold, MessageState::Active]);
    assert!(progress(0).is_settled() && !progress(3).is_settled());
    let after = spool.counts();
    assert_eq!((after.active, after.deferred, after.held, after.recipients), (4, 1, 1, 6));
    assert_eq!((counts.active, counts.deferred, counts.held), (4, 1, 1));
    spool.record_blocking(vec![Change::Retry { id: ids[1], at_ms: 0 }]).unwrap();
    assert_eq!(of(1), MessageState::Active);
}

#[test]
fn a_notification_and_what_it_is_about_change_together() {
    let folder = scratch();
    let (spool, _) = open(folder.path());
    let id = append(&spool, b"original");
    spool.record_blocking(outcome(id, Outcome::Failed(attempt("550", "no", None)))).unwrap();
    let bounce = Generated {
        id: spool.fresh_id(NOW),
        arrival_ms: NOW,
        recipient: mailbox("alice@example.com"),
        expansion: vec![mailbox("alice@inside.example.com").into()],
        smtp_utf8: false,
        eight_bit: false,
        tls_wish: Default::default(),
        generation: Default::default(),
        body: b"bounce".to_vec().into(),
        changes: outcome(id, Outcome::Returned),
    };
    let bounce = spool.append_blocking(bounce).unwrap();
    let bounce = spool.find(bounce).unwrap();
    assert!(spool.find(id).unwrap().progress.is_settled());
    assert_eq!(bounce.envelope.reverse_path.mailbox(), None);
    assert_eq!(bounce.envelope.recipients[0].original(), &mailbox("alice@example.com"));
    drop(spool);
    let (spool, _) = open(folder.path());
    assert!(spool.find(id).unwrap().progress.is_settled());
    assert_eq!(body_of(&spool, bounce.id()), b"bounce");
}

#[test]
fn a_large_body_has_a_file_for_as_long_as_it_is_queued() {
    let folder = scratch();
    let (spool, _) = open(folder.path());
    let files = || folder.path().join("blobs").read_dir().unwrap().count();
    let large: Vec<u8> = (0..50_000u32).map(|number| (number % 251) as u8).collect();
    let write = |octets: &[u8], spool: &Spool| {
        let id = spool.fresh_id(NOW);
        let mut body = spool.begin_body(&id);
        octets.chunks(700).for_each(|chunk| body.write(chunk).unwrap());
        assert_eq!(body.octets(), octets.len() as u64);
        (id, body)
    };
    let (id, body) = write(&large, &spool);
    let kept = accepted(id, "alice@example.com", &["bob@example.net"], body.finish(b"head ".to_vec()).unwrap());
    let kept = spool.append_blocking(kept).unwrap();
    let (id, body) = write(&large[..1000], &spool);
    let small = accepted(id, "alice@example.com", &["bob@example.net"], body.finish(Vec::new()).unwrap());
    let small = spool.append_blocking(small).unwrap();
    assert_eq!(files(), 1, "a body at the limit is in the log");

    drop(write(&large, &spool));
    assert_eq!(files(), 1, "one whose client went is removed");
    drop(write(&large, &spool).1.finish(Vec::new()).unwrap());
    assert_eq!(files(), 1, "and one that no message took");
    let (id, body) = write(&large, &spool);
    let refused = accepted(id, "alice@example.com", &[], body.finish(Vec::new()).unwrap());
    assert!(matches!(spool.append_blocking(refused), Err(SpoolError::NoRecipients)));
    assert_eq!(files(), 1, "and one whose message was refused");

    // What a crash leaves: a file that no record names.
    fs::write(folder.path().join("blobs").join(spool.fresh_id(NOW).id().to_string()), b"orphan").unwrap();
    fs::write(folder.path().join("blobs").join(small.to_string()), b"of a message without one").unwrap();
    fs::write(folder.path().join("blobs").join("rubbish"), b"").unwrap();
    drop(spool);
    let (spool, recovered) = open(folder.path());
    assert_eq!((recovered.messages.len(), recovered.corrupt.len(), files()), (2, 0, 1));
    assert_eq!(body_of(&spool, kept), [b"head ", &*large].concat());
    assert_eq!(body_of(&spool, small), &large[..1000]);
    spool.record_blocking(vec![Change::Remove(kept)]).unwrap();
    drop(spool);
    assert_eq!(files(), 0);
}

#[test]
fn a_damaged_body_file_never_reads_as_whole() {
    let folder = scratch();
    let (spool, _) = open(folder.path());
    let id = spool.fresh_id(NOW);
    let mut body = spool.begin_body(&id);
    body.write(&[b'x'; 5000]).unwrap();
    let message = accepted(id, "alice@example.com", &["bob@example.net"], body.finish(Vec::new()).unwrap());
    let id = spool.append_blocking(message).unwrap();
    let path = folder.path().join("blobs").join(id.to_string());
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(b"y", 4999).unwrap();
    let read = |spool: &Spool| spool.read_body(id).unwrap().read_to_end(&mut Vec::new());
    assert_eq!(read(&spool).unwrap_err().kind(), std::io::ErrorKind::InvalidData);
    file.write_all_at(b"x", 4999).unwrap();
    assert_eq!(read(&spool).unwrap(), 5000);
    file.set_len(4000).unwrap();
    assert_eq!(read(&spool).unwrap_err().kind(), std::io::ErrorKind::InvalidData);
    drop(spool);
    let (spool, recovered) = open(folder.path());
    assert_eq!(recovered.messages.len(), 0);
    assert_eq!(recovered.corrupt.len(), 1);
    assert!(recovered.corrupt[0].reason.contains("body file"));
    assert!(recovered.corrupt[0].saved_as.as_ref().unwrap().exists());
    assert_eq!(spool.find(id), None);
}

#[test]
fn a_damaged_inline_body_is_an_error_that_names_it() {
    let folder = scratch();
    let (spool, _) = open(folder.path());
    let id = append(&spool, &[b'x'; 500]);
    let other = append(&spool, &[b'y'; 500]);
    // What waits is not at hand any more, and is read from disk.
    let attempt = attempt("450", "4.2.0 later", None);
    spool.record_blocking(outcome(id, Outcome::Deferred { attempt, next_ms: NOW + 1 })).unwrap();
    let path = &segment_files(folder.path())[0];
    let place = fs::read(path).unwrap().windows(9).position(|window| window == b"xxxxxxxxx").unwrap();
    OpenOptions::new().write(true).open(path).unwrap().write_all_at(b"z", place as u64).unwrap();
    match spool.read_body(id) {
        Err(error @ SpoolError::Corrupt { .. }) => assert!(error.to_string().contains(&id.to_string())),
        other => panic!("{other:?}"),
    }
    assert_eq!(body_of(&spool, other), [b'y'; 500]);
}

#[test]
fn two_daemons_cannot_share_a_folder() {
    let folder = scratch();
    let (spool, _) = open(folder.path());
    match Spool::open(folder.path(), options()) {
        Err(SpoolError::InUse { pid, .. }) => assert_eq!(pid, Some(std::process::id())),
        other => panic!("{other:?}"),
    }
    drop(spool);
    open(folder.path());
}

#[test]
fn another_format_is_refused_by_name_and_left_alone() {
    let folder = scratch();
    let (spool, _) = open(folder.path());
    append(&spool, b"kept");
    drop(spool);
    let version = folder.path().join("version");
    fs::write(&version, "postern queue format 1\n").unwrap();
    let before = fs::read(&segment_files(folder.path())[0]).unwrap();
    let error = Spool::open(folder.path(), options()).unwrap_err();
    assert!(matches!(&error, SpoolError::Version { found, known: 3, .. } if &**found == "1"), "{error:?}");
    assert!(error.to_string().contains("format 3") && error.to_string().contains("format 1"), "{error}");

    // The segments say it too.
    fs::remove_file(&version).unwrap();
    let path = &segment_files(folder.path())[0];
    let salt = salt_of(path);
    let mut start = record::seal(Kind::Segment, 1, &[], |meta| meta.extend_from_slice(&[9, 0, 0, 0].repeat(4)));
    record::salt(&mut start, salt);
    OpenOptions::new().write(true).open(path).unwrap().write_all_at(&start, 0).unwrap();
    let error = Spool::open(folder.path(), options()).unwrap_err();
    assert!(matches!(&error, SpoolError::Version { found, .. } if &**found == "9"), "{error:?}");
    assert_eq!(fs::read(path).unwrap()[56..], before[56..]);
}

/// The salt in the name of a segment file.
pub(super) fn salt_of(path: &Path) -> u64 {
    segment::SegmentName::parse(path.file_name().unwrap().to_str().unwrap()).unwrap().salt
}

#[test]
fn the_operator_sees_pages_in_order() {
    let folder = scratch();
    let (spool, _) = open(folder.path());
    let ids: Vec<QueueId> = (0..25u8).map(|number| append(&spool, &[number])).collect();
    let mut seen = Vec::new();
    loop {
        let page = spool.page(seen.last().copied(), 10);
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 10);
        seen.extend(page.iter().map(|entry| entry.id()));
    }
    assert_eq!(seen, ids);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_at_the_same_time_share_flushes() {
    let folder = scratch();
    let disk = disk::TestDisk::new();
    let (spool, _) =
        Spool::open(folder.path(), SpoolOptions { segment_octets: 1 << 20, disk: disk.clone(), ..options() }).unwrap();
    let spool = Arc::new(spool);
    let tasks: Vec<_> = (0..50u8)
        .map(|number| {
            let spool = spool.clone();
            tokio::spawn(async move {
                for _ in 0..20 {
                    let id = spool.append(message(&spool, &[number; 200])).await.unwrap();
                    assert!(spool.find(id).is_some(), "acknowledged before it is known");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(spool.counts().messages(), 1000);
    assert!(disk.syncs() < 900, "{} flushes for 1000 messages", disk.syncs());
    let before = contents(&spool);
    drop(spool);
    assert_eq!(contents(&open(folder.path()).0), before);
}

#[tokio::test]
async fn a_message_whose_client_went_is_announced_all_the_same() {
    let folder = scratch();
    let (arrivals, mut announced) = mpsc::unbounded_channel();
    let (spool, _) = Spool::open(folder.path(), SpoolOptions { arrivals: Some(arrivals), ..options() }).unwrap();
    let message = message(&spool, b"orphan");
    let id = message.id.id();
    {
        let append = std::pin::pin!(spool.append(message));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        // Polled once and dropped: the job is on its way.
        let _ = append.poll(&mut context);
    }
    assert_eq!(announced.recv().await, Some(id));
    assert!(spool.find(id).is_some());
}

#[test]
fn ids_go_on_behind_those_in_the_log() {
    let folder = scratch();
    let (spool, _) = open(folder.path());
    let id = append(&spool, b"x");
    spool.record_blocking(vec![Change::Remove(id)]).unwrap();
    let second = append(&spool, b"y");
    drop(spool);
    let (spool, _) = open(folder.path());
    assert!(spool.fresh_id(NOW - 3_600_000).id() > second);
}

#[test]
fn a_message_that_is_larger_than_a_segment_has_a_larger_one() {
    let folder = scratch();
    let (spool, _) = open(folder.path());
    let recipients: Vec<String> = (0..300).map(|number| format!("somebody{number}@example.net")).collect();
    let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    let message = accepted(spool.fresh_id(NOW), "alice@example.com", &recipients, vec![b'x'; 30_000]);
    let large = spool.append_blocking(message).unwrap();
    let large = spool.find(large).unwrap();
    append(&spool, b"small");
    let before = contents(&spool);
    assert_eq!(before[&large.id()].len(), 30_000);
    drop(spool);
    let (spool, _) = open(folder.path());
    assert_eq!(contents(&spool), before);
    assert_eq!(spool.find(large.id()), Some(large));
}

#[test]
fn a_spool_that_is_dropped_finishes_what_was_begun() {
    let folder = scratch();
    let (spool, _) = open(folder.path());
    let answers: Vec<_> = (0..50u8).map(|number| spool.submit(message(&spool, &[number; 100]).into()).unwrap()).collect();
    drop(spool);
    for answer in answers {
        answer.blocking_recv().unwrap().unwrap();
    }
    assert_eq!(open(folder.path()).1.messages.len(), 50);
}
