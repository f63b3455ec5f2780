//! Reports on their way: when a day is over, each domain of which something was seen gets one report, at a time of its own within
//! the first hours of the next day, so that not all reporters write to it at once (RFC 8460 4.1). It is an ordinary message of the
//! server itself: with the null reverse-path, signed, and in the queue like any other.
//!
//! A report that is in the queue is noted as done afterwards. If the daemon dies in between, it is sent again with the same
//! Report-ID, by which its reader tells.

use super::day::{DAY_SECONDS, Day};
use super::{Prepared, mail};
use crate::authentication::{fetch, generated};
use crate::daemon::{Daemon, now_ms};
use crate::queue::Generated;
use crate::site::Generation;
use postern_schema::dmarc::destination::{self, Destinations};
use postern_schema::dns::Transcript;
use postern_schema::name::{Domain, Mailbox};
use postern_schema::site::ReportKind;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// How long what is counted may be lost with the power.
const SYNC_PAUSE: Duration = Duration::from_secs(5);
/// How often it is looked whether a report is due.
const LOOK_PAUSE_MS: u64 = 60_000;
/// The hours after a day in which its reports go out (RFC 8460 4.1).
const SPREAD_SECONDS: u64 = 4 * 3600;
/// The pause before a report that could not go out is tried again.
const RETRY_PAUSE_MS: u64 = 30 * 60_000;
/// How long addresses that DNS says nothing about are waited for, from the end of the day.
const PATIENCE_SECONDS: u64 = DAY_SECONDS;
/// How many days a day is kept.
const KEPT_DAYS: u64 = 3;

/// When the report of a domain for a day is due, in seconds since the epoch. The same at every start.
pub fn due(day: Day, domain: &str) -> u64 {
    day.last_second() + 1 + u64::from(crc32fast::hash(domain.as_bytes())) % SPREAD_SECONDS
}

/// Keeps what is noted durable, and sends what is due, until the daemon ends.
pub async fn run(daemon: Arc<Daemon>) {
    let mut sender = Sender { daemon, later: HashMap::new() };
    let mut next_look = 0;
    loop {
        if now_ms() >= next_look {
            sender.look().await;
            next_look = now_ms() + LOOK_PAUSE_MS;
        }
        tokio::time::sleep(SYNC_PAUSE).await;
        tokio::task::block_in_place(|| sender.daemon.reports.sync());
    }
}

struct Sender {
    daemon: Arc<Daemon>,
    /// What could not go out, and when it is tried again.
    later: HashMap<(ReportKind, Day, Box<str>), u64>,
}

impl Sender {
    /// Sends every report that is due.
    async fn look(&mut self) {
        let today = Day::of_ms(now_ms());
        for kind in ReportKind::ALL {
            for day in self.daemon.reports.days(kind).into_iter().filter(|day| *day < today) {
                if day < today.before(KEPT_DAYS) {
                    self.later.retain(|(_, late, _), _| *late != day);
                    tokio::task::block_in_place(|| self.daemon.reports.forget(kind, day));
                    continue;
                }
                self.day(kind, day).await;
            }
        }
    }

    async fn day(&mut self, kind: ReportKind, day: Day) {
        let open = match tokio::task::block_in_place(|| self.daemon.reports.open(kind, day)) {
            Ok(open) => open,
            Err(error) => return tracing::error!(%error, kind = kind.as_str(), %day, "what a report is made of cannot be read"),
        };
        for domain in open {
            let generation = self.daemon.current.generation();
            if generation.site().reports.reporter(kind).is_none() {
                return;
            }
            let key = (kind, day, domain);
            let not_before = self.later.get(&key).copied().unwrap_or_else(|| 1000 * due(day, &key.2));
            if now_ms() < not_before {
                continue;
            }
            match send(&self.daemon, &generation, kind, day, &key.2).await {
                Ok(()) => {
                    self.later.remove(&key);
                }
                Err(error) => {
                    tracing::warn!(error, kind = kind.as_str(), %day, domain = &*key.2, "a report cannot go out yet");
                    self.later.insert(key, now_ms() + RETRY_PAUSE_MS);
                }
            }
        }
    }
}

/// Puts the report into the queue, once for each address that wants it, and notes it as done.
async fn send(daemon: &Daemon, generation: &Generation, kind: ReportKind, day: Day, domain: &str) -> Result<(), String> {
    let reports = &daemon.reports;
    let prepared = tokio::task::block_in_place(|| reports.prepare(generation.site(), kind, day, domain));
    let Some(prepared) = prepared.map_err(|error| error.to_string())? else {
        return reports.finish(kind, day, domain).map_err(|error| error.to_string());
    };
    let found = destinations(daemon, kind, domain, &prepared).await;
    for (place, why) in &found.refused {
        tracing::info!(kind = kind.as_str(), domain, place = &**place, why = &**why, "no report goes there");
    }
    let is_late = now_ms() / 1000 > day.last_second() + PATIENCE_SECONDS;
    if let Some(why) = found.undecided.filter(|_| !is_late) {
        return Err(format!("it is not known where it may go: {why}"));
    }
    let mut messages = Vec::new();
    for to in found.allowed {
        messages.push(message(daemon, generation, &prepared, to)?);
    }
    for message in messages {
        let (id, to) = (message.id.id(), message.recipient.to_string());
        let octets = message.body.octets();
        daemon.spool.append(message).await.map_err(|error| error.to_string())?;
        tracing::info!(%id, to, octets, kind = kind.as_str(), %day, domain, "report queued");
    }
    tokio::task::block_in_place(|| reports.finish(kind, day, domain)).map_err(|error| error.to_string())
}

/// The signed message to one address.
fn message(daemon: &Daemon, generation: &Generation, prepared: &Prepared<'_>, to: Mailbox) -> Result<Generated, String> {
    let now = now_ms();
    let id = daemon.spool.fresh_id(now);
    let octets = mail::message(&prepared.report(), &to, id.id(), now / 1000).map_err(|error| error.to_string())?;
    generated::report(generation, (id, now), to, octets)
}

/// Where the report may go.
pub async fn destinations(daemon: &Daemon, kind: ReportKind, domain: &str, prepared: &Prepared<'_>) -> Destinations {
    let Ok(domain) = Domain::parse(domain) else { return Destinations::default() };
    let mut transcript = Transcript::default();
    let deadline = fetch::deadline();
    loop {
        let found = match kind {
            ReportKind::Dmarc => destination::aggregate(&domain, &prepared.places, &transcript),
            ReportKind::Tls => destination::tls(&domain, &transcript),
        };
        match found {
            Ok(found) => return found,
            Err(question) => drop(fetch::fetch(&*daemon.dns, question, &mut transcript, deadline).await),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_spread_over_the_hours_after_their_day() {
        let day = Day::parse("2026-11-28").unwrap();
        let times: Vec<u64> = (0..50).map(|n| due(day, &format!("d{n}.example")) - day.last_second() - 1).collect();
        assert!(times.iter().all(|after| *after < SPREAD_SECONDS));
        assert!(times.iter().any(|after| *after > SPREAD_SECONDS / 2) && times.iter().any(|after| *after < SPREAD_SECONDS / 2));
        assert_eq!(due(day, "a.example"), due(day, "a.example"));
    }
}
