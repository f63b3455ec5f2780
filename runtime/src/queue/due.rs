//! [`DueQueue`]: which message is to be tried next. Pure: `now` is an argument. The deliverer drives it: it schedules every
//! message that waits, sleeps until [`DueQueue::next_ms`] or an arrival, and takes what is due.

use super::id::QueueId;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Messages by the time that they are due, 16 octets for each time. A message may be in it more than once: whoever takes it looks
/// whether there is something to do, so a time that does not hold any more costs one look.
#[derive(Debug, Default)]
pub struct DueQueue(BinaryHeap<Reverse<(u64, QueueId)>>);

impl DueQueue {
    /// Adds a time for a message, in milliseconds since the epoch; 0 for at once.
    pub fn schedule(&mut self, id: QueueId, at_ms: u64) {
        self.0.push(Reverse((at_ms, id)));
    }

    /// When the first message is due.
    pub fn next_ms(&self) -> Option<u64> {
        self.0.peek().map(|Reverse((at_ms, _))| *at_ms)
    }

    /// Takes the message that has been due for longest; of those due at the same time, the oldest. Where all times lie behind
    /// `too_far_ms`, the clock was wrong when they were said, and they are due as well.
    pub fn take_due(&mut self, now_ms: u64, too_far_ms: u64) -> Option<QueueId> {
        let Reverse((at_ms, _)) = self.0.peek()?;
        if *at_ms > now_ms && *at_ms <= too_far_ms {
            return None;
        }
        self.0.pop().map(|Reverse((_, id))| id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_earliest_is_taken_once_it_is_due(times in prop::collection::vec((0u64..20, 0u64..50), 0..200), now in 0u64..60) {
            let mut queue = DueQueue::default();
            times.iter().for_each(|(id, at)| queue.schedule(QueueId::from_number(*id), *at));
            prop_assert_eq!(queue.next_ms(), times.iter().map(|(_, at)| *at).min());
            let taken: Vec<QueueId> = std::iter::from_fn(|| queue.take_due(now, u64::MAX)).collect();
            let mut wanted: Vec<(u64, u64)> = times.iter().map(|(id, at)| (*at, *id)).filter(|(at, _)| *at <= now).collect();
            wanted.sort_unstable();
            prop_assert_eq!(taken, wanted.into_iter().map(|(_, id)| QueueId::from_number(id)).collect::<Vec<_>>());
            prop_assert!(queue.next_ms().is_none_or(|at| at > now));
            prop_assert!(queue.next_ms().is_none() || queue.take_due(now, now).is_some(), "the clock was wrong");
        }
    }
}
