//! [`QueueId`]: the name of a message in the queue, in logs, in replies and in Received fields. It says when and where the
//! message came in, and nothing else. The spool makes them; everybody may read and print them.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many bits below the milliseconds: 10 for the node, 10 for the sequence.
const MILLIS_SHIFT: u32 = 20;
const SEQUENCE_BITS: u32 = 10;
const SEQUENCE_MASK: u64 = (1 << SEQUENCE_BITS) - 1;
/// The largest node number.
pub const NODE_MAX: u16 = 1023;

/// Names one message, unique over all nodes that have different node numbers. Orders by arrival within a node.
///
/// Printed as 16 upper-case hexadecimal digits, which programs that read mail logs take for a queue id.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueId(u64);

impl QueueId {
    /// Reads 16 hexadecimal digits of either case.
    pub fn parse(text: &str) -> Option<QueueId> {
        let is_hex = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if is_hex { u64::from_str_radix(text, 16).ok().map(QueueId) } else { None }
    }

    /// The number behind the digits.
    pub fn number(self) -> u64 {
        self.0
    }

    /// When it was made, in milliseconds since the epoch. May run ahead of the clock after the clock was set back.
    pub fn millis(self) -> u64 {
        self.0 >> MILLIS_SHIFT
    }

    /// The node that made it.
    pub fn node(self) -> u16 {
        // Ten bits fit.
        ((self.0 >> SEQUENCE_BITS) & SEQUENCE_MASK) as u16
    }

    pub(in crate::queue) fn from_number(number: u64) -> QueueId {
        QueueId(number)
    }
}

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", self.0)
    }
}

impl fmt::Debug for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A queue id that no message has yet. It is given out once and used up by the message that takes it, so that two messages
/// cannot have the same.
#[derive(PartialEq, Eq, Debug)]
pub struct FreshId(QueueId);

impl FreshId {
    /// The id that the message will have.
    pub fn id(&self) -> QueueId {
        self.0
    }
}

/// Gives out ids.
#[derive(Debug)]
pub(in crate::queue) struct IdSource {
    node: u16,
    /// Milliseconds and sequence of the last id, without the node between them.
    last: AtomicU64,
}

impl IdSource {
    /// Ids of this node; of a larger number, the low ten bits count.
    pub(in crate::queue) fn new(node: u16) -> IdSource {
        IdSource { node: node & NODE_MAX, last: AtomicU64::new(0) }
    }

    /// Never gives out this id or an older one again.
    pub(in crate::queue) fn skip(&self, id: QueueId) {
        self.last.fetch_max(id.millis() << SEQUENCE_BITS | (id.0 & SEQUENCE_MASK), Ordering::Relaxed);
    }

    /// The newest id that was given out or skipped; `None` before the first.
    pub(in crate::queue) fn last(&self) -> Option<QueueId> {
        let stamp = self.last.load(Ordering::Relaxed);
        (stamp > 0).then(|| self.id_at(stamp))
    }

    /// The next id. It is larger than every one before, even when `now_ms` is not, and when 1024 fall into one millisecond.
    pub(in crate::queue) fn next(&self, now_ms: u64) -> FreshId {
        let successor = |last: u64| (now_ms << SEQUENCE_BITS).max(last + 1);
        let stamp = match self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(successor(last))) {
            Ok(last) | Err(last) => successor(last),
        };
        FreshId(self.id_at(stamp))
    }

    fn id_at(&self, stamp: u64) -> QueueId {
        let millis = stamp >> SEQUENCE_BITS;
        QueueId(millis << MILLIS_SHIFT | u64::from(self.node) << SEQUENCE_BITS | (stamp & SEQUENCE_MASK))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: u64 = 1_795_285_000_000;

    #[test]
    fn the_digits_are_sixteen_and_upper_case() {
        let id = IdSource::new(5).next(NOW).id();
        assert_eq!(id.to_string().len(), 16);
        assert!(!id.to_string().starts_with('0'));
        assert_eq!((id.millis(), id.node()), (NOW, 5));
        assert_eq!(QueueId::parse(&id.to_string()), Some(id));
        assert_eq!(QueueId::parse(&id.to_string().to_lowercase()), Some(id));
        for text in ["", "1", "+00000000000000F", "00000000000000000", "000000000000000G"] {
            assert_eq!(QueueId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_id_seen_in_the_log_is_not_given_out_again() {
        let old = IdSource::new(9).next(NOW + 60_000).id();
        let source = IdSource::new(7);
        source.skip(old);
        let next = source.next(NOW).id();
        assert!(next.millis() >= old.millis());
        assert_eq!(next.node(), 7);
        assert_ne!(next, old);
    }

    proptest! {
        #[test]
        fn ids_grow_whatever_the_clock_does(clock in prop::collection::vec(NOW..NOW + 3, 1..3000), node in 0u16..1024) {
            let source = IdSource::new(node);
            let ids: Vec<QueueId> = clock.iter().map(|now| source.next(*now).id()).collect();
            prop_assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(ids.iter().all(|id| id.node() == node));
        }
    }
}
