//! The spool against a map: any operations in any order, with restarts, losses of power and full disks in between.

use super::crash::{Queue, append_step, changed, queue};
use super::disk::TestDisk;
use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Append { octets: usize },
    Change { which: usize, kind: u8, recipient: u32 },
    Reopen,
    CutPower { seed: u64 },
    FailSync,
    Full { octets: Option<u64> },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0usize..1500).prop_map(|octets| Step::Append { octets }),
        12 => (any::<usize>(), 0u8..10, 0u32..3).prop_map(|(which, kind, recipient)| Step::Change { which, kind, recipient }),
        1 => Just(Step::Reopen),
        1 => prop_oneof![Just(0), Just(u64::MAX), any::<u64>()].prop_map(|seed| Step::CutPower { seed }),
        1 => Just(Step::FailSync),
        1 => prop::option::weighted(0.3, 0u64..9000).prop_map(|octets| Step::Full { octets }),
    ]
}

fn change(id: QueueId, kind: u8, recipient: u32, number: u64) -> Change {
    let attempt = attempt("450", "4.2.0 later", number.is_multiple_of(2).then_some("mx.example.net"));
    let outcome = match kind {
        0..=2 => return Change::Remove(id),
        3 => return Change::Hold(id),
        4 => return Change::Release(id),
        5 => return Change::Retry { id, at_ms: number },
        6 => Outcome::Delivered,
        7 => Outcome::Deferred { attempt, next_ms: NOW + number },
        8 => Outcome::Failed(attempt),
        _ => Outcome::Returned,
    };
    Change::Outcome { id, recipients: [recipient].into(), outcome }
}

fn run(steps: Vec<Step>) {
    let folder = scratch();
    let mut disk = TestDisk::new();
    let mut spool = open_on(folder.path(), disk.clone()).unwrap().0;
    let mut model = Queue::new();
    for (number, step) in steps.into_iter().enumerate() {
        match step {
            Step::Append { octets } => {
                let (next, is_taken) = append_step(&spool, number, model.clone(), vec![b'x'; octets]);
                if is_taken {
                    model = next;
                }
            }
            Step::Change { which, kind, recipient } => {
                let id = model.keys().nth(which % model.len().max(1)).copied().unwrap_or(QueueId::from_number(1));
                let change = change(id, kind, recipient, number as u64);
                if spool.record_blocking(vec![change.clone()]).is_ok() {
                    model = changed(model, &change);
                }
            }
            Step::Reopen | Step::CutPower { .. } => {
                drop(spool);
                if let Step::CutPower { seed } = step {
                    disk.cut_power(seed);
                }
                disk = TestDisk::new();
                let (next, recovered) = open_on(folder.path(), disk.clone()).unwrap();
                assert_eq!((recovered.corrupt.len(), recovered.torn_tail_octets), (0, 0));
                spool = next;
            }
            Step::FailSync => disk.fail_syncs(1),
            Step::Full { octets } => disk.set_room(octets),
        }
        assert!(queue(&spool) == model, "after step {number}");
    }
    let counts = spool.counts();
    assert_eq!(counts.messages(), model.len() as u64);
    for state in [MessageState::Active, MessageState::Deferred, MessageState::Hold] {
        let wanted = model.values().filter(|(entry, _)| entry.progress.state() == state).count() as u64;
        let counted = match state {
            MessageState::Active => counts.active,
            MessageState::Deferred => counts.deferred,
            MessageState::Hold => counts.held,
        };
        assert_eq!(counted, wanted, "{state:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]
    #[test]
    fn the_spool_is_a_map_that_survives(steps in prop::collection::vec(step(), 1..120)) {
        run(steps);
    }
}
