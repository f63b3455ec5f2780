//! A disk that is full, fails to flush, or loses its power.

use super::disk::TestDisk;
use super::*;
use postern_schema::reply::Reply;

#[test]
fn a_full_disk_takes_nothing_and_works_again_when_there_is_room() {
    let folder = scratch();
    let disk = TestDisk::new();
    disk.set_room(Some(3 * 4096 + 100));
    let (spool, _) = open_on(folder.path(), disk.clone()).unwrap();
    let mut taken = Vec::new();
    let error = loop {
        match spool.append_blocking(message(&spool, &[b'x'; 500])) {
            Ok(id) => taken.push(id),
            Err(error) => break error,
        }
    };
    assert!(error.is_full(), "{error}");
    assert_eq!(taken.len(), 3 * 5);
    assert_eq!(contents(&spool).keys().copied().collect::<Vec<_>>(), taken, "refused, and not there");
    assert!(spool.append_blocking(message(&spool, &[b'x'; 500])).unwrap_err().is_full(), "again");

    // What was delivered can be recorded, and makes room.
    let (gone, kept) = taken.split_at(5);
    spool.record_blocking(gone.iter().map(|id| Change::Remove(*id)).collect()).unwrap();
    let last = spool.append_blocking(message(&spool, &[b'y'; 500])).unwrap();
    drop(spool);
    let (_, recovered) = open(folder.path());
    assert_eq!(recovered.messages.iter().map(|standing| standing.id).collect::<Vec<_>>(), [kept, &[last]].concat());
    assert_eq!((recovered.corrupt.len(), recovered.torn_tail_octets), (0, 0));
}

#[test]
fn a_full_disk_still_takes_some_changes() {
    let folder = scratch();
    let disk = TestDisk::new();
    disk.set_room(Some(4096));
    let (spool, _) = open_on(folder.path(), disk).unwrap();
    // Two messages fill the only segment up to the part that is kept.
    let id = append(&spool, b"");
    let without_body = spool.counts().live_octets as usize;
    let reserve = 4096 / 32;
    append(&spool, &vec![b'x'; 4096 - reserve - segment::FIRST_OFFSET as usize - 2 * without_body]);
    assert!(spool.append_blocking(message(&spool, b"")).unwrap_err().is_full());
    spool.record_blocking(vec![Change::Hold(id)]).unwrap();
    spool.record_blocking(vec![Change::Release(id)]).unwrap();
    assert!(spool.record_blocking(vec![Change::Hold(id)]).unwrap_err().is_full(), "it is not endless");
    assert!(!spool.find(id).unwrap().progress.held);
}

#[test]
fn a_write_that_runs_out_of_room_is_undone() {
    for room in 0..600 {
        let folder = scratch();
        let disk = TestDisk::new();
        let (spool, _) = open_on(folder.path(), disk.clone()).unwrap();
        let first = append(&spool, b"first");
        disk.set_write_room(Some(room));
        let refused = spool.append_blocking(message(&spool, &[b'x'; 500])).unwrap_err();
        assert!(refused.is_full());
        disk.set_write_room(None);
        let last = append(&spool, b"last");
        drop(spool);
        disk.cut_power(u64::MAX);
        let (_, recovered) = open_on(folder.path(), TestDisk::new()).unwrap();
        assert_eq!(recovered.messages.iter().map(|standing| standing.id).collect::<Vec<_>>(), [first, last], "room for {room}");
        assert_eq!((recovered.corrupt.len(), recovered.torn_tail_octets), (0, 0), "room for {room}");
    }
}

#[test]
fn a_flush_that_fails_poisons_its_batch_and_nothing_else() {
    let folder = scratch();
    let disk = TestDisk::new();
    let (spool, _) = open_on(folder.path(), disk.clone()).unwrap();
    let first = append(&spool, b"first");
    disk.fail_syncs(1);
    let error = spool.append_blocking(message(&spool, b"in doubt")).unwrap_err();
    assert!(matches!(error, SpoolError::Io { .. }), "{error}");
    assert_eq!(contents(&spool).keys().copied().collect::<Vec<_>>(), [first]);
    assert_eq!(segment_files(folder.path()).len(), 2, "the segment is not written to again");
    // Even if the host dies now, and all that was written is on disk after all.
    let (_, recovered) = copy_of(folder.path());
    assert_eq!(recovered.messages.iter().map(|standing| standing.id).collect::<Vec<_>>(), [first]);

    disk.fail_syncs(1);
    assert!(spool.record_blocking(vec![Change::Remove(first)]).is_err());
    assert!(spool.find(first).is_some());
    let last = append(&spool, b"last");
    drop(spool);
    let (spool, recovered) = open(folder.path());
    assert_eq!((recovered.corrupt.len(), recovered.torn_tail_octets), (0, 0));
    assert_eq!(contents(&spool).into_values().collect::<Vec<_>>(), [&b"first"[..], b"last"]);
    assert!(spool.find(last).is_some());
}

/// Neither the flush of the batch nor that of the cut went well: the next segment says where the failed one ends.
#[test]
fn a_batch_that_came_back_is_not_looked_at() {
    let folder = scratch();
    let disk = TestDisk::new();
    let (spool, _) = open_on(folder.path(), disk.clone()).unwrap();
    let first = append(&spool, b"first");
    disk.fail_syncs(2);
    assert!(spool.append_blocking(message(&spool, b"in doubt")).is_err());
    drop(spool);
    let in_doubt = segment_files(folder.path()).remove(0);
    let cut = fs::metadata(&in_doubt).unwrap().len();
    disk.cut_power(0);
    assert!(fs::metadata(&in_doubt).unwrap().len() > cut, "it did not come back");
    let (_, recovered) = open(folder.path());
    assert_eq!(recovered.messages.iter().map(|standing| standing.id).collect::<Vec<_>>(), [first]);
    assert_eq!((recovered.corrupt.len(), recovered.torn_tail_octets), (0, 0));
}

/// The new segment says where the old one ended. If it comes back after all, the old one must not have grown.
#[test]
fn a_segment_that_could_not_be_begun_may_come_back() {
    let folder = scratch();
    let disk = TestDisk::new();
    let (spool, _) = open_on(folder.path(), disk.clone()).unwrap();
    let ids: Vec<QueueId> = (0..5).map(|_| append(&spool, &[b'x'; 500])).collect();
    disk.fail_syncs(1);
    assert!(spool.append_blocking(message(&spool, &[b'x'; 500])).is_err());
    spool.record_blocking(vec![Change::Remove(ids[0])]).unwrap();
    drop(spool);
    disk.cut_power(u64::MAX);
    let (spool, recovered) = open(folder.path());
    assert_eq!(contents(&spool).into_keys().collect::<Vec<_>>(), ids[1..]);
    assert_eq!((recovered.corrupt.len(), recovered.torn_tail_octets), (0, 0));
}

#[test]
fn flushes_that_go_on_failing_leave_a_spool_that_recovers() {
    let folder = scratch();
    let disk = TestDisk::new();
    let (spool, _) = open_on(folder.path(), disk.clone()).unwrap();
    let first = append(&spool, b"first");
    disk.fail_syncs(20);
    for _ in 0..10 {
        assert!(spool.append_blocking(message(&spool, b"in doubt")).is_err());
    }
    assert!(segment_files(folder.path()).len() < 4, "segments that could not be made were left behind");
    disk.fail_syncs(0);
    let last = append(&spool, b"last");
    drop(spool);
    let (_, recovered) = open(folder.path());
    assert_eq!(recovered.messages.iter().map(|standing| standing.id).collect::<Vec<_>>(), [first, last]);
}

#[test]
fn below_the_floor_changes_are_taken_and_messages_are_not() {
    let folder = scratch();
    let disk = TestDisk::new();
    let options = SpoolOptions { min_free_octets: 100_000, disk: disk.clone(), ..options() };
    let (spool, _) = Spool::open(folder.path(), options).unwrap();
    let id = append(&spool, b"early");
    disk.set_room(Some(99_999));
    assert!(spool.append_blocking(message(&spool, b"late")).unwrap_err().is_full());
    let mut large = spool.begin_body(&spool.fresh_id(NOW));
    assert!(large.write(&[0; 2000]).unwrap_err().is_full());
    spool.record_blocking(vec![Change::Hold(id)]).unwrap();
    disk.set_room(Some(100_000));
    append(&spool, b"later");
}

#[test]
fn a_full_queue_takes_changes_and_no_messages() {
    let folder = scratch();
    let disk = TestDisk::new();
    let (spool, _) = Spool::open(folder.path(), SpoolOptions { most_messages: 2, disk: disk.clone(), ..options() }).unwrap();
    let first = append(&spool, b"first");
    append(&spool, b"second");
    for error in [spool.check_room(0).unwrap_err(), spool.append_blocking(message(&spool, b"third")).unwrap_err()] {
        assert!(error.is_full() && error.to_string().starts_with("2 messages wait"), "{error}");
        assert_eq!(error.reply(), Reply::INSUFFICIENT_STORAGE);
    }
    spool.record_blocking(vec![Change::Remove(first)]).unwrap();
    append(&spool, b"third");
    // And a client hears it before it sends what there is no room for.
    spool.record_blocking(vec![Change::Remove(spool.page(None, 1)[0].id())]).unwrap();
    disk.set_room(Some(1000));
    assert!(spool.check_room(1000).is_ok() && spool.check_room(1001).unwrap_err().is_full());
}

#[test]
fn a_body_file_that_cannot_be_written_is_an_error_and_leaves_nothing() {
    let folder = scratch();
    let disk = TestDisk::new();
    let (spool, _) = open_on(folder.path(), disk.clone()).unwrap();
    let mut body = spool.begin_body(&spool.fresh_id(NOW));
    body.write(&[0; 2000]).unwrap();
    disk.set_write_room(Some(10));
    assert!(body.write(&[0; 2000]).unwrap_err().is_full());
    drop(body);
    disk.set_write_room(None);
    let mut body = spool.begin_body(&spool.fresh_id(NOW));
    body.write(&[0; 2000]).unwrap();
    disk.fail_syncs(1);
    assert!(body.finish(Vec::new()).is_err());
    assert_eq!(folder.path().join("blobs").read_dir().unwrap().count(), 0);
}

/// What a process that starts now would find.
fn copy_of(folder: &Path) -> (tempfile::TempDir, Recovered) {
    let copy = scratch();
    for file in segment_files(folder) {
        fs::copy(&file, copy.path().join(file.file_name().unwrap())).unwrap();
    }
    let recovered = open(copy.path()).1;
    (copy, recovered)
}

#[test]
fn a_body_file_that_runs_out_of_room_is_gone() {
    for room in (0..3100).step_by(61) {
        let folder = scratch();
        let disk = TestDisk::new();
        let (spool, _) = open_on(folder.path(), disk.clone()).unwrap();
        append(&spool, b"first");
        disk.set_write_room(Some(room));
        let id = spool.fresh_id(NOW);
        let mut body = spool.begin_body(&id);
        let written = body.write(&[b'x'; 1500]).and_then(|()| body.write(&[b'y'; 1500])).and_then(|()| body.finish(Vec::new()));
        if room < 3000 {
            assert!(written.is_err_and(|error| error.is_full()), "room for {room}");
        } else {
            drop(written.unwrap());
        }
        assert_eq!(fs::read_dir(folder.path().join("blobs")).unwrap().count(), 0, "room for {room}");
        disk.set_write_room(None);
        append(&spool, b"last");
        assert_eq!(spool.counts().messages(), 2);
    }
}
