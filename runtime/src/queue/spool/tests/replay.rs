//! Damaged logs: nothing panics, and nothing is lost but what the damage hit.

use super::disk::TestDisk;
use super::*;
use std::ops::Range;

/// A log of one segment: three messages, and a change in between.
struct Log {
    name: String,
    salt: u64,
    /// Without the zeros behind it.
    octets: Vec<u8>,
    /// The records, in order; of messages with their id.
    records: Vec<(Range<usize>, Option<QueueId>)>,
}

fn body(number: u8) -> Vec<u8> {
    vec![b'a' + number; 5 + usize::from(number)]
}

fn log() -> Log {
    let folder = scratch();
    let (spool, _) = open(folder.path());
    let first = append(&spool, &body(0));
    append(&spool, &body(1));
    spool.record_blocking(vec![Change::Hold(first)]).unwrap();
    append(&spool, &body(2));
    drop(spool);
    let path = segment_files(folder.path()).remove(0);
    let salt = salt_of(&path);
    let mut octets = fs::read(&path).unwrap();
    let mut records = Vec::new();
    let mut at = 0;
    while let Ok(record) = record::read(&octets[at..], salt) {
        let id = (record.kind == Kind::Message).then(|| QueueId::from_number(record.id));
        records.push((at..at + record.octets(), id));
        at += record.octets();
    }
    octets.truncate(at);
    assert_eq!(records.len(), 5);
    Log { name: path.file_name().unwrap().to_str().unwrap().to_owned(), salt, octets, records }
}

impl Log {
    /// Opens a spool whose log holds these octets.
    fn open(&self, octets: &[u8]) -> (tempfile::TempDir, Spool, Recovered) {
        let folder = scratch();
        fs::write(folder.path().join(&self.name), octets).unwrap();
        let (spool, recovered) = open_on(folder.path(), TestDisk::new()).unwrap();
        (folder, spool, recovered)
    }

    /// The messages whose records end by an offset.
    fn ids_up_to(&self, end: usize) -> Vec<QueueId> {
        self.records.iter().filter(|(range, _)| range.end <= end).filter_map(|(_, id)| *id).collect()
    }
}

fn ids(recovered: &Recovered) -> Vec<QueueId> {
    recovered.messages.iter().map(|standing| standing.id).collect()
}

/// The bodies of the log's messages are what they were.
fn check_bodies(log: &Log, spool: &Spool) {
    let all: Vec<QueueId> = log.records.iter().filter_map(|(_, id)| *id).collect();
    for (id, octets) in contents(spool) {
        let number = all.iter().position(|known| *known == id).unwrap();
        assert_eq!(octets, body(number as u8));
    }
}

#[test]
fn a_log_that_was_cut_anywhere_keeps_what_stands_before_the_cut() {
    let log = log();
    for cut in 0..=log.octets.len() {
        let mut zeros_behind = log.octets[..cut].to_vec();
        zeros_behind.resize(4096, 0);
        for octets in [&log.octets[..cut], &zeros_behind] {
            let (folder, spool, recovered) = log.open(octets);
            // The padding of a record may be cut: it says nothing.
            let whole: Vec<QueueId> = log
                .records
                .iter()
                .filter(|(range, _)| record::read(&octets[range.start.min(octets.len())..], log.salt).is_ok())
                .filter_map(|(_, id)| *id)
                .collect();
            assert!(whole.len() >= log.ids_up_to(cut).len());
            assert_eq!(ids(&recovered), whole, "cut at {cut}");
            assert_eq!(recovered.corrupt, [], "cut at {cut}");
            let is_clean = log.records.iter().any(|(range, _)| range.start == cut) || cut == log.octets.len();
            assert!(!is_clean || recovered.torn_tail_octets == 0, "cut at {cut}");
            check_bodies(&log, &spool);
            // Going on writes behind it, and the torn octets do not come back.
            let next = append(&spool, b"next");
            drop(spool);
            let (_, recovered) = open_on(folder.path(), TestDisk::new()).unwrap();
            assert_eq!(ids(&recovered), [whole, vec![next]].concat(), "cut at {cut}");
            assert_eq!((recovered.corrupt, recovered.torn_tail_octets), (Vec::new(), 0), "cut at {cut}");
        }
    }
}

#[test]
fn a_flipped_bit_anywhere_hits_one_record_at_most() {
    let log = log();
    for at in 0..log.octets.len() {
        let mut octets = log.octets.clone();
        octets[at] ^= 1 << (at % 8);
        let (place, (range, hit)) = log.records.iter().enumerate().find(|(_, (range, _))| range.contains(&at)).unwrap();
        let is_padding = record::read(&octets[range.clone()], log.salt).is_ok();
        let lost = if is_padding { None } else { *hit };
        let wanted: Vec<QueueId> = log.ids_up_to(usize::MAX).into_iter().filter(|id| Some(*id) != lost).collect();
        octets.resize(4096, 0);
        let (_folder, spool, recovered) = log.open(&octets);
        assert_eq!(ids(&recovered), wanted, "bit in {at}");
        check_bodies(&log, &spool);
        let is_last = place + 1 == log.records.len();
        match &recovered.corrupt[..] {
            [] => assert!(is_padding || is_last, "bit in {at}: damaged in the middle, and nobody is told"),
            [report] => {
                assert!(!is_padding && !is_last);
                assert_eq!((report.offset, report.octets), (range.start as u64, range.len() as u64));
                let saved = report.saved_as.clone().unwrap();
                assert_eq!(fs::read(&saved).unwrap(), octets[range.clone()]);
                let text = fs::read_to_string(saved.with_extension("reason")).unwrap();
                assert!(text.contains(report.reason) && text.contains(&log.name));
            }
            more => panic!("{more:?}"),
        }
        assert_eq!(recovered.torn_tail_octets > 0, is_last && !is_padding, "bit in {at}");
    }
}

#[test]
fn a_flipped_bit_behind_the_end_hits_nothing() {
    let log = log();
    for at in [log.octets.len(), log.octets.len() + 1, 4095] {
        let mut octets = log.octets.clone();
        octets.resize(4096, 0);
        octets[at] = 1;
        let (_folder, _spool, recovered) = log.open(&octets);
        assert_eq!((ids(&recovered), recovered.corrupt.len()), (log.ids_up_to(usize::MAX), 0));
    }
}

#[test]
fn a_lost_sector_in_the_middle_is_set_aside() {
    let log = log();
    let mut octets = log.octets.clone();
    octets[log.records[3].0.clone()].fill(0);
    let (_folder, spool, recovered) = log.open(&octets);
    assert_eq!(ids(&recovered), log.ids_up_to(usize::MAX));
    assert_eq!(recovered.corrupt.len(), 1);
    check_bodies(&log, &spool);
}

#[test]
fn damage_at_the_end_of_an_older_segment_is_no_torn_tail() {
    let log = log();
    let (folder, spool, _) = log.open(&log.octets);
    append(&spool, b"in the next segment");
    drop(spool);
    let last = log.records[4].0.clone();
    let mut octets = log.octets.clone();
    octets[last.start + 40] ^= 1;
    fs::write(folder.path().join(&log.name), &octets).unwrap();
    let (_, recovered) = open(folder.path());
    assert_eq!((recovered.messages.len(), recovered.torn_tail_octets), (3, 0));
    assert_eq!(recovered.corrupt.len(), 1);
    assert_eq!(recovered.corrupt[0].offset, last.start as u64);
}

#[test]
fn what_a_sender_wrote_is_never_taken_for_a_record() {
    let folder = scratch();
    let (spool, _) = open(folder.path());
    let victim = append(&spool, b"victim");
    // A record as an attacker would make it, in every alignment: it removes the message before.
    let removal = record::seal(Kind::Changes, 0, &[], |meta| codec::put_changes(meta, &[Change::Remove(victim)]));
    let forged: Vec<u8> = (0..8).flat_map(|gap| [removal.clone(), vec![b' '; gap]].concat()).collect();
    let carrier = append(&spool, &forged);
    let last = append(&spool, b"last");
    drop(spool);
    let path = &segment_files(folder.path())[0];
    let octets = fs::read(path).unwrap();
    let place = octets.windows(8).position(|window| window == carrier.number().to_le_bytes()).unwrap();
    OpenOptions::new().write(true).open(path).unwrap().write_all_at(&[0xff], place as u64).unwrap();
    let (_, recovered) = open(folder.path());
    assert_eq!(ids(&recovered), [victim, last]);
    assert_eq!(recovered.corrupt.len(), 1);
}

#[test]
fn a_record_with_foreign_content_is_set_aside() {
    let log = log();
    let mut octets = log.octets.clone();
    for (kind, meta) in [(Kind::Message, &b"no envelope"[..]), (Kind::Changes, &[9, 0, 0, 0])] {
        let mut record = record::seal(kind, 5, &[], |out| out.extend_from_slice(meta));
        record::salt(&mut record, log.salt);
        octets.extend_from_slice(&record);
    }
    let last = octets.len();
    octets.extend_from_slice(&log.octets[log.records[1].0.clone()]);
    let (_folder, spool, recovered) = log.open(&octets);
    assert_eq!(ids(&recovered), log.ids_up_to(usize::MAX));
    assert_eq!(recovered.corrupt.len(), 2, "{:?}", recovered.corrupt);
    assert_eq!((recovered.torn_tail_octets, last), (0, octets.len() - log.records[1].0.len()));
    check_bodies(&log, &spool);
    // The last record of the first message is the one that holds: it was not held then.
    assert!(recovered.messages[0].state != MessageState::Hold);
}

proptest::proptest! {
    #[test]
    fn no_damage_panics_or_changes_a_body(
        damage in proptest::collection::vec((0usize..1200, proptest::collection::vec(proptest::num::u8::ANY, 1..60)), 1..6),
        keeps in 0usize..1200,
    ) {
        let log = log();
        let mut octets = log.octets.clone();
        for (at, new) in damage {
            let at = at % octets.len();
            let end = (at + new.len()).min(octets.len());
            octets[at..end].copy_from_slice(&new[..end - at]);
        }
        octets.truncate(keeps.max(40));
        let (_folder, spool, _) = log.open(&octets);
        check_bodies(&log, &spool);
    }
}

#[test]
fn an_empty_or_foreign_folder_opens() {
    for (name, octets) in
        [("seg-00000001-0000000000000001.log", &b""[..]), ("seg-00000001-0000000000000001.log", b"x"), ("README", b"x")]
    {
        let folder = scratch();
        fs::write(folder.path().join(name), octets).unwrap();
        let (spool, recovered) = open(folder.path());
        assert_eq!((recovered.messages.len(), recovered.corrupt.len()), (0, 0));
        append(&spool, b"works");
        drop(spool);
        assert_eq!(open(folder.path()).1.messages.len(), 1);
    }
}
