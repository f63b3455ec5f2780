//! A start in two steps: mail is taken while what an earlier process left is still being read.

use super::disk::TestDisk;
use super::*;

fn begin(folder: &Path) -> (Spool, Recovery) {
    Spool::begin(folder, options()).unwrap()
}

#[test]
fn mail_is_taken_before_the_log_is_read() {
    let folder = scratch();
    let mut wanted = BTreeMap::new();
    let (spool, _) = open(folder.path());
    let mut old = Vec::new();
    for number in 0..40u8 {
        old.push(append(&spool, &[number; 300]));
        wanted.insert(old[old.len() - 1], vec![number; 300]);
    }
    // Some are over, and the notes of that stand in later segments than the messages.
    for id in old.drain(..10) {
        spool.record_blocking(vec![Change::Remove(id)]).unwrap();
        wanted.remove(&id);
    }
    drop(spool);

    let (spool, recovery) = begin(folder.path());
    assert!(spool.is_recovering());
    assert_eq!(spool.counts().messages(), 0, "nothing is shown before all of it is known");
    let mut new = Vec::new();
    for number in 0..40u8 {
        new.push(append(&spool, &[number; 200]));
        wanted.insert(new[new.len() - 1], vec![number; 200]);
        assert!(new[new.len() - 1] > old[old.len() - 1], "an id is given out again");
    }
    let gone = new.remove(0);
    spool.record_blocking(vec![Change::Remove(gone)]).unwrap();
    wanted.remove(&gone);
    let files = segment_files(folder.path()).len();
    let recovered = recovery.finish();
    assert_eq!(recovered.messages.iter().map(|standing| standing.id).collect::<Vec<_>>(), old);
    assert!(!spool.is_recovering());
    assert_eq!(contents(&spool), wanted);
    assert_eq!(spool.counts().messages(), wanted.len() as u64);
    // From now on, room is given back.
    old.into_iter().for_each(|id| spool.record_blocking(vec![Change::Remove(id)]).unwrap());
    wanted.retain(|id, _| new.contains(id));
    drop(spool);
    assert!(segment_files(folder.path()).len() < files);
    assert_eq!(contents(&open(folder.path()).0), wanted);
}

#[test]
fn a_death_while_the_log_is_read_loses_nothing() {
    let folder = scratch();
    let (spool, _) = open(folder.path());
    let mut wanted: BTreeMap<QueueId, Vec<u8>> =
        (0..20u8).map(|number| (append(&spool, &[number; 300]), vec![number; 300])).collect();
    drop(spool);
    for round in 0..5u8 {
        let (spool, recovery) = begin(folder.path());
        wanted.insert(append(&spool, &[round; 100]), vec![round; 100]);
        // It dies before the log is read.
        drop((spool, recovery));
    }
    assert_eq!(contents(&open(folder.path()).0), wanted);
}

#[test]
fn body_files_that_come_meanwhile_are_left_alone() {
    let folder = scratch();
    let (spool, _) = open(folder.path());
    let old = append_large(&spool, b'o');
    drop(spool);
    fs::write(folder.path().join("blobs").join("0123456789ABCDEF"), "an orphan").unwrap();
    let (spool, recovery) = begin(folder.path());
    let new = append_large(&spool, b'n');
    let id = spool.fresh_id(NOW);
    let mut unfinished = spool.begin_body(&id);
    unfinished.write(&[b'u'; 3000]).unwrap();
    recovery.finish();
    assert_eq!(body_of(&spool, old), [b'o'; 3000]);
    assert_eq!(body_of(&spool, new), [b'n'; 3000]);
    assert_eq!(fs::read_dir(folder.path().join("blobs")).unwrap().count(), 3, "the orphan alone is gone");
    drop(unfinished);
}

fn append_large(spool: &Spool, octet: u8) -> QueueId {
    let id = spool.fresh_id(NOW);
    let mut body = spool.begin_body(&id);
    body.write(&[octet; 3000]).unwrap();
    let body = body.finish(Vec::new()).unwrap();
    let message = Accepted { body, ..accepted(id, "alice@example.com", &["bob@example.net"], Vec::new()) };
    spool.append_blocking(message).unwrap()
}

#[test]
fn what_the_disk_cannot_read_is_set_aside_and_the_rest_is_there() {
    let folder = scratch();
    let large = |disk| Spool::open(folder.path(), SpoolOptions { segment_octets: 1 << 16, disk, ..options() }).unwrap();
    let (spool, _) = large(TestDisk::new());
    let ids: Vec<QueueId> = (0..30u8).map(|number| append(&spool, &[number; 900])).collect();
    drop(spool);
    let disk = TestDisk::new();
    disk.fail_reads(Some(9000..9001));
    let (spool, recovered) = large(disk.clone());
    assert_eq!(recovered.corrupt.len(), 1);
    assert_eq!(recovered.corrupt[0].reason, "the disk could not read it");
    assert!(recovered.corrupt[0].saved_as.as_ref().is_some_and(|path| path.exists()));
    // One page holds at most a few messages.
    let found: Vec<QueueId> = recovered.messages.iter().map(|standing| standing.id).collect();
    assert!((22..30).contains(&found.len()) && found.iter().all(|id| ids.contains(id)), "{}", found.len());
    assert!(found.contains(&ids[0]) && found.contains(&ids[29]));
    assert_eq!(spool.damage(), (recovered.corrupt, 1));
    // A body that cannot be read is an error, and no empty message.
    disk.fail_reads(Some(0..u64::MAX));
    assert!(matches!(spool.read_body(found[0]), Err(SpoolError::Io { .. })));
    disk.fail_reads(None);
    assert_eq!(body_of(&spool, found[0]).len(), 900);
}

#[test]
fn an_unreadable_end_is_damage_and_no_torn_write() {
    let folder = scratch();
    let large = |disk| Spool::open(folder.path(), SpoolOptions { segment_octets: 1 << 16, disk, ..options() }).unwrap();
    let (spool, _) = large(TestDisk::new());
    for number in 0..30u8 {
        append(&spool, &[number; 900]);
    }
    drop(spool);
    let length = fs::metadata(&segment_files(folder.path())[0]).unwrap().len();
    let disk = TestDisk::new();
    disk.fail_reads(Some(length - 10..length));
    let (_, recovered) = large(disk);
    assert_eq!((recovered.torn_tail_octets, recovered.corrupt.len()), (0, 1));
    assert_eq!(recovered.corrupt[0].reason, "the disk could not read it");
}

#[test]
fn a_message_at_hand_is_the_one_on_disk() {
    let folder = scratch();
    let (spool, _) = open(folder.path());
    let id = append(&spool, b"text");
    let at_hand = (spool.find(id), body_of(&spool, id));
    // What waits does not wait in memory.
    let attempt = attempt("450", "4.2.0 later", None);
    spool.record_blocking(outcome(id, Outcome::Deferred { attempt, next_ms: NOW + 1 })).unwrap();
    assert!(lock(&spool.shared.index).kept(id).is_none());
    let read = spool.find(id).unwrap();
    assert_eq!((read.envelope.clone(), body_of(&spool, id)), (at_hand.0.unwrap().envelope, at_hand.1));
}

/// Each with its attempt and its time, as after a night in which a large receiver was away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_deferred_messages_are_known_again() {
    const MESSAGES: usize = 100_000;
    const PAGE: usize = 1000;
    let folder = scratch();
    let large = || SpoolOptions { segment_octets: 4 << 20, ..options() };
    let (spool, _) = Spool::open(folder.path(), large()).unwrap();
    let spool = Arc::new(spool);
    let mut ids = Vec::with_capacity(MESSAGES);
    for _ in 0..MESSAGES / PAGE {
        let page: Vec<_> = (0..PAGE)
            .map(|_| {
                let spool = spool.clone();
                tokio::spawn(async move { spool.append(message(&spool, b"waits")).await.unwrap() })
            })
            .collect();
        let mut changes = Vec::with_capacity(PAGE);
        for one in page {
            let id = one.await.unwrap();
            let outcome = Outcome::Deferred { attempt: attempt("450", "4.2.0 later", None), next_ms: NOW + ids.len() as u64 };
            changes.push(Change::Outcome { id, recipients: [0].into(), outcome });
            ids.push(id);
        }
        spool.record(changes).await.unwrap();
    }
    drop(spool);
    let (spool, recovered) = Spool::open(folder.path(), large()).unwrap();
    assert!(recovered.corrupt.is_empty());
    assert_eq!(spool.counts().messages(), MESSAGES as u64);
    for (number, id) in ids.into_iter().enumerate() {
        let entry = spool.find(id).unwrap();
        assert_eq!(entry.progress.next_attempt_ms(), Some(NOW + number as u64), "{id}");
    }
}
