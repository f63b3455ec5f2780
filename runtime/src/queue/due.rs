//! [`DueQueue`]: which message is to be tried next. Pure: `now` is an argument. The deliverer drives it: it schedules every
//! message that waits, sleeps until [`DueQueue::next_ms`] or an arrival, and takes what is due.

use super::id::QueueId;
use std::collections::{BTreeSet, HashMap};

/// Messages by the time that they are due. Each is in it once, under the time that was said last. About 50 octets a message.
#[derive(Debug, Default)]
pub struct DueQueue {
    order: BTreeSet<(u64, QueueId)>,
    times: HashMap<QueueId, u64>,
}

impl DueQueue {
    /// Sets or changes the time of a message, in milliseconds since the epoch; 0 for at once.
    pub fn schedule(&mut self, id: QueueId, at_ms: u64) {
        if let Some(before) = self.times.insert(id, at_ms) {
            self.order.remove(&(before, id));
        }
        self.order.insert((at_ms, id));
    }

    /// Forgets a message.
    pub fn cancel(&mut self, id: QueueId) {
        if let Some(at_ms) = self.times.remove(&id) {
            self.order.remove(&(at_ms, id));
        }
    }

    /// When the first message is due.
    pub fn next_ms(&self) -> Option<u64> {
        self.order.first().map(|(at_ms, _)| *at_ms)
    }

    /// Takes the message that has been due for longest; of those due at the same time, the oldest.
    pub fn take_due(&mut self, now_ms: u64) -> Option<QueueId> {
        let first = *self.order.first()?;
        if first.0 > now_ms {
            return None;
        }
        self.order.remove(&first);
        self.times.remove(&first.1);
        Some(first.1)
    }

    /// How many messages wait.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[derive(Clone, Debug)]
    enum Step {
        Schedule(u64, u64),
        Cancel(u64),
        Take(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0u64..20, 0u64..50).prop_map(|(id, at)| Step::Schedule(id, at)),
            (0u64..20).prop_map(Step::Cancel),
            (0u64..50).prop_map(Step::Take),
        ]
    }

    proptest! {
        #[test]
        fn it_is_a_map_from_which_the_earliest_is_taken(steps in prop::collection::vec(step(), 0..200)) {
            let mut queue = DueQueue::default();
            let mut model: BTreeMap<QueueId, u64> = BTreeMap::new();
            for step in steps {
                match step {
                    Step::Schedule(id, at) => {
                        queue.schedule(QueueId::from_number(id), at);
                        model.insert(QueueId::from_number(id), at);
                    }
                    Step::Cancel(id) => {
                        queue.cancel(QueueId::from_number(id));
                        model.remove(&QueueId::from_number(id));
                    }
                    Step::Take(now) => {
                        let first = model.iter().map(|(id, at)| (*at, *id)).min().filter(|(at, _)| *at <= now);
                        prop_assert_eq!(queue.take_due(now), first.map(|(_, id)| id));
                        first.map(|(_, id)| model.remove(&id));
                    }
                }
                prop_assert_eq!(queue.len(), model.len());
                prop_assert_eq!(queue.is_empty(), model.is_empty());
                prop_assert_eq!(queue.next_ms(), model.values().min().copied());
            }
        }
    }
}
