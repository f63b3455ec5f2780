//! Messages that were just accepted, kept in memory from their durable record to the end of their first attempt: most are delivered at
//! once, and neither their envelope nor their text has to be read back for that. Bounded: the oldest go when there is no more room, and
//! are read from the log like all others. Part of the index.

use crate::queue::envelope::Envelope;
use crate::queue::id::QueueId;
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// What all of them may take, in octets.
const ROOM_OCTETS: usize = 8 << 20;
/// What one takes beside its text, about.
const OVERHEAD_OCTETS: usize = 512;

/// A message in memory.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) envelope: Arc<Envelope>,
    /// What its record holds of the text.
    pub(super) body: Bytes,
}

impl Kept {
    fn octets(&self) -> usize {
        OVERHEAD_OCTETS + self.body.len()
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    kept: HashMap<QueueId, Kept>,
    /// In the order in which they came; some of them may be gone.
    order: VecDeque<QueueId>,
    octets: usize,
}

impl Fresh {
    /// Keeps a message, and lets go of others for it.
    pub(super) fn put(&mut self, id: QueueId, kept: Kept) {
        if kept.octets() > ROOM_OCTETS / 16 {
            return;
        }
        self.octets += kept.octets();
        self.kept.insert(id, kept);
        self.order.push_back(id);
        while self.octets > ROOM_OCTETS
            && let Some(oldest) = self.order.pop_front()
        {
            self.remove(oldest);
        }
        if self.order.len() > 2 * self.kept.len() + 16 {
            self.order.retain(|id| self.kept.contains_key(id));
        }
    }

    /// The message, if it is here.
    pub(super) fn find(&self, id: QueueId) -> Option<&Kept> {
        self.kept.get(&id)
    }

    /// Lets go of a message.
    pub(super) fn remove(&mut self, id: QueueId) {
        if let Some(kept) = self.kept.remove(&id) {
            self.octets -= kept.octets();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::fixture::accepted;
    use crate::queue::id::IdSource;
    use crate::queue::message::NewMessage;

    #[test]
    fn it_is_bounded_and_lets_go_of_the_oldest() {
        let ids = IdSource::new(1);
        let message = |octets: usize| {
            let id = ids.next(1_795_285_000_000);
            let envelope = NewMessage::from(accepted(id, "a@b.c", &["d@e.f"], Vec::new())).envelope;
            (envelope.id, Kept { envelope: Arc::new(envelope), body: vec![b'x'; octets].into() })
        };
        let mut fresh = Fresh::default();
        let (first, kept) = message(4000);
        fresh.put(first, kept);
        assert_eq!(fresh.find(first).map(|kept| kept.body.len()), Some(4000));
        for _ in 0..10_000 {
            let (id, kept) = message(4000);
            fresh.put(id, kept);
        }
        assert!(fresh.find(first).is_none() && fresh.octets <= ROOM_OCTETS, "{}", fresh.octets);
        for _ in 0..100_000 {
            let (id, kept) = message(10);
            fresh.put(id, kept);
            fresh.remove(id);
        }
        assert!(fresh.order.len() < 10_000, "those that are gone leave nothing behind: {}", fresh.order.len());
        let (large, kept) = message(ROOM_OCTETS);
        fresh.put(large, kept);
        assert!(fresh.find(large).is_none(), "one message does not drive out all others");
    }
}
