//! Recipients that wait, by the state of their message and the class of their destination. Who asks goes through the whole queue and
//! asks the site for each route, so the answer is kept for a while: the longer, the longer it took.

use crate::daemon::{Daemon, now_ms};
use crate::deliver::next_hop;
use crate::queue::{MessageState, QueueEntry, RecipientState};
use crate::site::Generation;
use postern_schema::site::{Destination, Means};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What there is of destinations.
const CLASSES: [&str; 4] = ["local", "relay", "direct", "none"];
/// How long an answer holds at least, and how many times as long as it took.
const HOLDS: Duration = Duration::from_secs(60);
const HOLDS_TIMES: u32 = 50;
/// Messages that are looked at between two pauses.
const PAGE: usize = 1000;

type Counts = BTreeMap<(&'static str, &'static str), u64>;

/// The last answer, and until when it holds.
#[derive(Debug, Default)]
pub struct Classes(Mutex<Option<(Instant, Counts)>>);

impl Classes {
    /// Everything, in the text format of Prometheus. Blocks where it has to look.
    pub(super) fn render(&self, daemon: &Daemon, out: &mut String) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.as_ref().is_none_or(|(until, _)| *until < Instant::now()) {
            let begun = Instant::now();
            let counts = count(daemon);
            *kept = Some((Instant::now() + HOLDS.max(begun.elapsed() * HOLDS_TIMES), counts));
        }
        let Some((_, counts)) = &*kept else { return };
        let name = "postern_queue_recipients";
        let _ = write!(
            out,
            "# HELP {name} Recipients that wait, by state of the message and class of destination.\n# TYPE {name} gauge\n"
        );
        for state in [MessageState::Active, MessageState::Deferred, MessageState::Hold].map(MessageState::as_str) {
            for class in CLASSES {
                let count = counts.get(&(state, class)).copied().unwrap_or_default();
                let _ = writeln!(out, "{name}{{state=\"{state}\",class=\"{class}\"}} {count}");
            }
        }
    }
}

fn count(daemon: &Daemon) -> Counts {
    let generation = daemon.current.generation();
    let mut counts = Counts::new();
    let mut after = None;
    loop {
        let page = daemon.spool.page(after, PAGE);
        let Some(last) = page.last() else { return counts };
        after = Some(last.id());
        for entry in &page {
            add(&mut counts, entry, &generation);
        }
    }
}

fn add(counts: &mut Counts, entry: &QueueEntry, generation: &Generation) {
    let state = entry.progress.state().as_str();
    for (_, recipient, _) in entry.recipients().filter(|(_, _, state)| matches!(state, RecipientState::Pending { .. })) {
        let class = next_hop(entry, recipient, generation, now_ms()).map_or("none", |(way, _)| class(&way.destination));
        *counts.entry((state, class)).or_default() += 1;
    }
}

fn class(destination: &Destination) -> &'static str {
    match destination {
        Destination::Transport { means: Means::Smtp(_), .. } | Destination::Relay { .. } => "relay",
        Destination::Transport { .. } => "local",
        Destination::Mx { .. } | Destination::Literal { .. } => "direct",
    }
}
