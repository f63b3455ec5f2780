//! A queue in which nobody waits behind somebody else's flood: senders take turns. Pure; the lanes keep one for each
//! destination, so that a million recipients of one sender hold up neither other destinations nor other senders.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Items by sender, in the order of arrival within each, and the senders in the order of their turns.
#[derive(Debug)]
pub struct FairQueue<K, T> {
    waiting: HashMap<K, VecDeque<T>>,
    turns: VecDeque<K>,
    length: usize,
}

impl<K, T> Default for FairQueue<K, T> {
    fn default() -> FairQueue<K, T> {
        FairQueue { waiting: HashMap::new(), turns: VecDeque::new(), length: 0 }
    }
}

impl<K: Clone + Eq + Hash, T> FairQueue<K, T> {
    /// Puts an item at the end of its sender's line. A sender who was not waiting gets the last turn.
    pub fn push(&mut self, sender: K, item: T) {
        self.length += 1;
        let line = self.waiting.entry(sender.clone()).or_default();
        if line.is_empty() {
            self.turns.push_back(sender);
        }
        line.push_back(item);
    }

    /// The next item of whoever's turn it is.
    pub fn pop(&mut self) -> Option<T> {
        let sender = self.turns.pop_front()?;
        // A sender has a turn as long as something of theirs waits.
        let line = self.waiting.get_mut(&sender)?;
        let item = line.pop_front()?;
        self.length -= 1;
        if line.is_empty() {
            self.waiting.remove(&sender);
        } else {
            self.turns.push_back(sender);
        }
        Some(item)
    }

    /// Up to so many items.
    pub fn take(&mut self, limit: usize) -> Vec<T> {
        std::iter::from_fn(|| self.pop()).take(limit).collect()
    }

    /// How many items wait.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_flood_holds_nobody_up() {
        let mut queue = FairQueue::default();
        (0..1_000_000).for_each(|n| queue.push("newsletter", n));
        queue.push("alice", 1);
        queue.push("bob", 1);
        queue.push("alice", 2);
        assert_eq!(queue.len(), 1_000_003);
        let first: Vec<i32> = queue.take(6);
        assert_eq!(first, [0, 1, 1, 1, 2, 2], "alice and bob wait for one message of the flood each time");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_each_sender_keeps_the_order(senders in prop::collection::vec(0u8..4, 0..200)) {
            let mut queue = FairQueue::default();
            for (place, sender) in senders.iter().enumerate() {
                queue.push(*sender, (*sender, place));
            }
            let out = queue.take(usize::MAX);
            prop_assert!(queue.is_empty());
            prop_assert_eq!(out.len(), senders.len());
            for sender in 0..4 {
                let places: Vec<usize> = out.iter().filter(|(from, _)| *from == sender).map(|(_, place)| *place).collect();
                prop_assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
            }
        }
    }
}
