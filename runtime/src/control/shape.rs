//! The shape of the queue: who waits for how long, by destination (`qshape`), and why the head of each line waits.

use super::queue::{for_each_page, last_reply};
use crate::daemon::{Daemon, now_ms};
use crate::queue::{QueueEntry, RecipientState};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Upper ends of the classes of age, in minutes; the last class has none.
pub const AGES_MINUTES: [u64; 9] = [5, 10, 20, 40, 80, 160, 320, 640, 1280];
/// Destinations that are shown: those for which most recipients wait.
const SHOWN: usize = 20;

/// What waits for one domain.
#[derive(Default)]
struct Line {
    ages: [u64; AGES_MINUTES.len() + 1],
    held: u64,
    head: Option<Head>,
}

/// The recipient that has waited for longest.
struct Head {
    id: String,
    arrival_ms: u64,
    next_attempt_ms: u64,
    reason: Option<String>,
}

/// The destinations with most recipients waiting, and how many more there are.
pub fn shape(daemon: &Daemon) -> Value {
    let now = now_ms();
    let mut lines: HashMap<String, Line> = HashMap::new();
    for_each_page(&daemon.spool, |page| {
        page.iter().for_each(|entry| add(&mut lines, entry, now));
        true
    });
    let total = |line: &Line| line.ages.iter().sum::<u64>();
    let mut lines: Vec<(String, Line)> = lines.into_iter().collect();
    lines.sort_unstable_by(|(a, of_a), (b, of_b)| total(of_b).cmp(&total(of_a)).then_with(|| a.cmp(b)));
    let more = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    let one = |(destination, line): (String, Line)| {
        let head = line.head.map(|head| {
            json!({
                "id": head.id,
                "age-seconds": now.saturating_sub(head.arrival_ms) / 1000,
                "next-attempt-seconds": head.next_attempt_ms.saturating_sub(now) / 1000,
                "reason": head.reason,
            })
        });
        json!({
            "destination": destination,
            "recipients": line.ages.iter().sum::<u64>(),
            "held": line.held,
            "ages": line.ages,
            "head": head,
        })
    };
    json!({
        "ages-minutes": AGES_MINUTES,
        "destinations": lines.into_iter().map(one).collect::<Vec<_>>(),
        "more-destinations": more,
    })
}

fn add(lines: &mut HashMap<String, Line>, entry: &QueueEntry, now: u64) {
    let arrival_ms = entry.envelope.arrival_ms;
    let minutes = now.saturating_sub(arrival_ms) / 60_000;
    let age = AGES_MINUTES.partition_point(|end| *end <= minutes);
    for (_, recipient, state) in entry.recipients() {
        let RecipientState::Pending { next_attempt_ms, .. } = state else { continue };
        let line = lines.entry(recipient.address.host.to_string()).or_default();
        line.ages[age] += 1;
        line.held += u64::from(entry.progress.held);
        if line.head.as_ref().is_none_or(|head| arrival_ms < head.arrival_ms) {
            let reason = if entry.progress.held { Some("held by the operator".to_owned()) } else { last_reply(state) };
            let id = entry.id().to_string();
            line.head = Some(Head { id, arrival_ms, next_attempt_ms: *next_attempt_ms, reason });
        }
    }
}
