//! Room is given back, and what is still queued moves with its state.

use super::disk::TestDisk;
use super::*;

/// Each call lets the writer go round once, in which it moves up to a segment of these tests.
fn let_it_reclaim(spool: &Spool) {
    for _ in 0..200 {
        let _ = spool.record_blocking(Vec::new());
    }
}

fn defer(spool: &Spool, id: QueueId, next_ms: u64) {
    let attempt = attempt("450", "4.2.0 later", Some("mx.example.net"));
    spool.record_blocking(outcome(id, Outcome::Deferred { attempt, next_ms })).unwrap();
}

#[test]
fn delivered_mail_leaves_no_segments() {
    let folder = scratch();
    let (spool, _) = open(folder.path());
    for round in 0..10 {
        let ids: Vec<QueueId> = (0..40u8).map(|number| append(&spool, &[number; 400])).collect();
        assert!(segment_files(folder.path()).len() >= 5);
        for id in ids {
            spool.record_blocking(vec![Change::Remove(id)]).unwrap();
        }
        let_it_reclaim(&spool);
        assert!(segment_files(folder.path()).len() <= 1, "round {round}");
        assert_eq!((spool.counts().messages(), spool.counts().live_octets), (0, 0));
        assert_eq!(spool.counts().segments, 1);
    }
}

#[test]
fn deferred_mail_among_delivered_mail_does_not_hold_the_log() {
    let folder = scratch();
    let mut kept = BTreeMap::new();
    for round in 0..12u8 {
        let (spool, recovered) = open_on(folder.path(), TestDisk::new()).unwrap();
        assert_eq!((recovered.corrupt.len(), recovered.torn_tail_octets), (0, 0), "round {round}");
        assert_eq!(contents(&spool), kept, "round {round}");
        let ids: Vec<QueueId> = (0..50u8).map(|number| append(&spool, &[round + number; 350])).collect();
        for (place, id) in ids.into_iter().enumerate() {
            if place % 25 == 0 {
                defer(&spool, id, NOW + 1);
                defer(&spool, id, NOW + 2);
                kept.insert(id, vec![round + place as u8; 350]);
            } else {
                spool.record_blocking(vec![Change::Remove(id)]).unwrap();
            }
        }
        let_it_reclaim(&spool);
        assert_eq!(contents(&spool), kept);
        let counts = spool.counts();
        assert!(counts.log_octets <= 2 * counts.live_octets + 5 * 4096, "{counts:?}");
        assert_eq!(counts.segments as usize, segment_files(folder.path()).len());
    }
    let (spool, _) = open(folder.path());
    assert_eq!(contents(&spool), kept);
    for entry in spool.page(None, 1000) {
        let RecipientState::Pending { attempts: 2, next_attempt_ms, last: Some(last), .. } = &entry.progress.states[0] else {
            panic!("{entry:?}");
        };
        assert_eq!((*next_attempt_ms, last.remote_mta.as_deref()), (NOW + 2, Some("mx.example.net")));
    }
}

#[test]
fn many_starts_do_not_leave_many_files() {
    let folder = scratch();
    for number in 0..30u8 {
        let (spool, recovered) = open_on(folder.path(), TestDisk::new()).unwrap();
        assert_eq!(recovered.messages.len(), usize::from(number));
        append(&spool, b"stays");
        let_it_reclaim(&spool);
        assert!(segment_files(folder.path()).len() <= 8, "start {number}: {}", segment_files(folder.path()).len());
    }
}

#[test]
fn a_damaged_message_that_is_to_be_moved_is_set_aside() {
    let folder = scratch();
    let (spool, _) = open(folder.path());
    let damaged = append(&spool, &[b'x'; 300]);
    let kept = append(&spool, &[b'k'; 300]);
    let path = segment_files(folder.path()).remove(0);
    let place = fs::read(&path).unwrap().windows(9).position(|window| window == b"xxxxxxxxx").unwrap();
    OpenOptions::new().write(true).open(&path).unwrap().write_all_at(b"z", place as u64).unwrap();
    for _ in 0..60 {
        let id = append(&spool, &[b'y'; 400]);
        spool.record_blocking(vec![Change::Remove(id)]).unwrap();
    }
    let_it_reclaim(&spool);
    assert!(!path.exists());
    assert_eq!((spool.find(damaged), body_of(&spool, kept)), (None, vec![b'k'; 300]));
    assert_eq!(folder.path().join("corrupt").read_dir().unwrap().count(), 2);
}

#[test]
fn a_reader_keeps_its_segment_while_it_is_reclaimed() {
    let folder = scratch();
    let (spool, _) = open(folder.path());
    let id = append(&spool, &[b'k'; 300]);
    let first = segment_files(folder.path()).remove(0);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while first.exists() {
                assert_eq!(body_of(&spool, id), [b'k'; 300]);
            }
        });
        for _ in 0..60 {
            let id = append(&spool, &[b'y'; 400]);
            spool.record_blocking(vec![Change::Remove(id)]).unwrap();
        }
        let_it_reclaim(&spool);
        reader.join().unwrap();
    });
    assert_eq!(body_of(&spool, id), [b'k'; 300]);
}

#[test]
fn the_writer_rests_while_nothing_can_be_moved() {
    for is_full in [true, false] {
        let folder = scratch();
        let disk = TestDisk::new();
        let large = SpoolOptions { segment_octets: 16384, disk: disk.clone(), ..options() };
        let (spool, _) = Spool::open(folder.path(), large).unwrap();
        append(&spool, &[b'k'; 2000]);
        let ids: Vec<QueueId> = (0..50).map(|_| append(&spool, &[b'y'; 2000])).collect();
        let removals = record::seal(Kind::Changes, 0, &[], |meta| {
            codec::put_changes(meta, &ids.iter().map(|id| Change::Remove(*id)).collect::<Vec<_>>());
        });
        if is_full {
            // What is left of the last segment is for changes.
            disk.set_room(Some(0));
            while spool.append_blocking(message(&spool, &[b'z'; 400])).is_ok() {}
            while spool.append_blocking(message(&spool, b"")).is_ok() {}
        } else {
            disk.set_write_room(Some(removals.len() as u64));
        }
        spool.record_blocking(ids.iter().map(|id| Change::Remove(*id)).collect()).unwrap();
        // Now the first segment is to be emptied, and cannot be.
        let before = disk.calls();
        std::thread::sleep(Duration::from_millis(50));
        assert!(disk.calls() - before < 50, "full: {is_full}: {} calls", disk.calls() - before);
        assert!(segment_files(folder.path()).len() > 5, "full: {is_full}");
    }
}

#[test]
fn a_segment_that_cannot_be_moved_for_want_of_room_is_moved_later() {
    let folder = scratch();
    let disk = TestDisk::new();
    let (spool, _) = open_on(folder.path(), disk.clone()).unwrap();
    let kept = append(&spool, &[b'k'; 300]);
    let fill = |count: usize| -> Vec<QueueId> { (0..count).map(|_| append(&spool, &[b'y'; 400])).collect() };
    let ids = fill(60);
    disk.set_room(Some(0));
    for id in &ids {
        spool.record_blocking(vec![Change::Remove(*id)]).map_err(|error| assert!(error.is_full())).ok();
    }
    let before = contents(&spool);
    assert!(before.contains_key(&kept));
    disk.set_room(None);
    spool.record_blocking(ids.iter().map(|id| Change::Remove(*id)).collect()).unwrap();
    let_it_reclaim(&spool);
    assert!(segment_files(folder.path()).len() <= 6);
    assert_eq!(contents(&spool), BTreeMap::from([(kept, vec![b'k'; 300])]));
}
