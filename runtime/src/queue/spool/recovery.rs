//! The rest of a start: what an earlier process left is read while new mail is taken already. Until it is through, the queue consists
//! of what came since; then both become one, in one step, so that nobody ever sees a message without the records that came after it.

use super::index::Message;
use super::replay::{CorruptReport, Found};
use super::{Shared, lock};
use crate::queue::envelope::MessageState;
use crate::queue::id::QueueId;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What was found when the spool was opened.
#[derive(Debug)]
pub struct Recovered {
    /// Every message, oldest first.
    pub messages: Vec<Standing>,
    /// What could not be read and was set aside.
    pub corrupt: Vec<CorruptReport>,
    /// What a crash left half-written at the end of the log: never acknowledged, and dropped.
    pub torn_tail_octets: u64,
    /// How long it took.
    pub duration: Duration,
}

/// Where a recovered message stands: what is needed to schedule it. [`super::Spool::find`] knows the rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Its name.
    pub id: QueueId,
    /// Whether it waits.
    pub state: MessageState,
    /// When the first pending recipient may be tried; `None` when nobody is pending.
    pub next_attempt_ms: Option<u64>,
}

impl Standing {
    fn of(message: &Message) -> Standing {
        let Message { id, progress, .. } = message;
        Standing { id: *id, state: progress.state(), next_attempt_ms: progress.next_attempt_ms() }
    }
}

/// A log that is still to be read. If it is dropped instead, the queue stays without what an earlier process left until the next start.
pub struct Recovery {
    pub(super) shared: Arc<Shared>,
    pub(super) found: Found,
    pub(super) begun: Instant,
}

impl Recovery {
    /// Reads it. Blocks, for seconds where the queue is large.
    pub fn finish(self) -> Recovered {
        let Recovery { shared, found, begun } = self;
        let replayed = found.replay(&shared.folder, shared.options.segment_octets, shared.disk());
        let messages = replayed.index.slots().map(|slot| Standing::of(&slot.message)).collect();
        lock(&shared.index).adopt(replayed.index);
        replayed.corrupt.iter().for_each(|report| shared.damaged(report.clone()));
        shared.inbox.nudge();
        Recovered { messages, corrupt: replayed.corrupt, torn_tail_octets: replayed.torn_tail_octets, duration: begun.elapsed() }
    }
}

impl fmt::Debug for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recovery").field("folder", &self.shared.folder).finish_non_exhaustive()
    }
}
