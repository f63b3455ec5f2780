//! What has happened since the daemon started. Reads the events of the log, and is not filtered with it.

use super::Histogram;
use crate::daemon::now_ms;
use crate::logging::Fields;
use crate::logging::postmaster::Gathered;
use postern_schema::decide::Reason;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Upper ends of the classes of how long a delivery took, in milliseconds.
const DELAYS_MS: [u64; 9] = [100, 1000, 5000, 30_000, 60_000, 600_000, 3_600_000, 21_600_000, 86_400_000];
/// Refusals that are no decision of the site's rules.
const LIMITS: [&str; 7] = [
    "session-limit",
    "connection-limit",
    "connection-rate-limit",
    "message-limit",
    "user-message-limit",
    "new-recipient-limit",
    "early-talker",
];
/// What an attempt can end in.
const OUTCOMES: [&str; 4] = ["sent", "deferred", "bounced", "expired"];
/// How connections to peers can be protected.
const PROTECTIONS: [&str; 3] = ["none", "TLSv1_2", "TLSv1_3"];
/// The levels of protection that they can reach.
const LEVELS: [&str; 4] = ["none", "encrypt", "verify", "dane"];

/// Why messages are set aside.
const QUARANTINES: [Reason; 2] = [Reason::SpfQuarantine, Reason::DmarcQuarantine];

/// See the module.
#[derive(Debug)]
pub struct Counters {
    received: AtomicU64,
    received_octets: AtomicU64,
    notices: AtomicU64,
    logins: AtomicU64,
    logins_refused: AtomicU64,
    connections_failed: AtomicU64,
    refused: BTreeMap<&'static str, AtomicU64>,
    attempts: BTreeMap<&'static str, AtomicU64>,
    connections: BTreeMap<&'static str, AtomicU64>,
    quarantined: BTreeMap<&'static str, AtomicU64>,
    accepted: AtomicU64,
    delays: Histogram<{ DELAYS_MS.len() + 1 }>,
    levels: BTreeMap<&'static str, AtomicU64>,
}

impl Default for Counters {
    fn default() -> Counters {
        let zeros = |names: &mut dyn Iterator<Item = &'static str>| names.map(|name| (name, AtomicU64::new(0))).collect();
        Counters {
            received: AtomicU64::new(0),
            received_octets: AtomicU64::new(0),
            notices: AtomicU64::new(0),
            logins: AtomicU64::new(0),
            logins_refused: AtomicU64::new(0),
            connections_failed: AtomicU64::new(0),
            refused: zeros(&mut Reason::ALL.iter().map(|reason| reason.as_str()).chain(LIMITS)),
            attempts: zeros(&mut OUTCOMES.into_iter()),
            connections: zeros(&mut PROTECTIONS.into_iter()),
            accepted: AtomicU64::new(0),
            quarantined: zeros(&mut QUARANTINES.map(Reason::as_str).into_iter()),
            delays: Histogram::new(&DELAYS_MS),
            levels: zeros(&mut LEVELS.into_iter()),
        }
    }
}

impl Counters {
    /// A layer that counts, and takes note of what the postmaster is to be told of.
    pub fn layer(self: &Arc<Self>, gathered: &Arc<Gathered>) -> Counting {
        Counting { counters: self.clone(), gathered: gathered.clone() }
    }

    /// Counts what an event says.
    fn count(&self, fields: &Fields) {
        match fields.value("message") {
            "queued" => {
                add(&self.received, 1);
                add(&self.received_octets, fields.count("octets"));
            }
            "attempt" => {
                add_to(&self.attempts, fields.value("status"));
                if fields.value("status") == "sent" {
                    self.delays.count(Duration::from_millis(fields.count("delay_ms")));
                }
            }
            "decision" if fields.value("disposition") == "accept" => {
                add(&self.accepted, u64::from(fields.find("to").is_some()));
                add_to(&self.quarantined, fields.value("reason"));
            }
            "decision" => add_to(&self.refused, fields.value("reason")),
            "refused" | "spoke before the greeting" => add_to(&self.refused, fields.value("reason")),
            "connected" => {
                add_to(&self.connections, fields.value("tls").split(' ').next().unwrap_or_default());
                add_to(&self.levels, fields.value("tls_level"));
            }
            "session failed" => add(&self.connections_failed, 1),
            "sender notified" => add(&self.notices, 1),
            "login" => add(&self.logins, 1),
            "login refused" => add(&self.logins_refused, 1),
            _ => {}
        }
    }

    /// Messages received, and attempts by outcome: for `posternd status`.
    pub fn totals(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let attempts = self.attempts.iter().map(|(name, count)| (*name, count.load(Ordering::Relaxed)));
        std::iter::once(("received", self.received.load(Ordering::Relaxed))).chain(attempts)
    }

    /// Everything, in the text format of Prometheus.
    pub fn render(&self, out: &mut String) {
        for (name, help, count) in [
            ("messages_received", "Messages taken into the queue from clients.", &self.received),
            ("received_octets", "Octets of them.", &self.received_octets),
            ("recipients_accepted", "Recipients that were accepted at the door.", &self.accepted),
            ("notices", "Notices to senders.", &self.notices),
            ("logins", "Logins.", &self.logins),
            ("logins_refused", "Logins that were refused.", &self.logins_refused),
            ("connections_failed", "Connections to peers that did not come about.", &self.connections_failed),
        ] {
            one(out, &format!("{name}_total"), "counter", help, count.load(Ordering::Relaxed));
        }
        family(out, "refused_total", "What was refused or deferred at the door, by reason.", "reason", &self.refused);
        family(out, "quarantined_total", "Messages that were taken and set aside, by reason.", "reason", &self.quarantined);
        family(out, "attempts_total", "Attempts to deliver to one recipient, by outcome.", "outcome", &self.attempts);
        family(out, "connections_total", "Connections to peers, by protection.", "tls", &self.connections);
        family(out, "tls_levels_total", "Connections to peers, by the level of protection reached.", "level", &self.levels);
        self.delays.render(out, "delivery_seconds", "From arrival to delivery.");
    }
}

/// One number with its description.
pub(super) fn one(out: &mut String, name: &str, kind: &str, help: &str, value: u64) {
    // Writing to a string does not fail.
    let _ = write!(out, "# HELP postern_{name} {help}\n# TYPE postern_{name} {kind}\npostern_{name} {value}\n");
}

fn family(out: &mut String, name: &str, help: &str, label: &str, counts: &BTreeMap<&'static str, AtomicU64>) {
    let _ = write!(out, "# HELP postern_{name} {help}\n# TYPE postern_{name} counter\n");
    for (value, count) in counts {
        let _ = writeln!(out, "postern_{name}{{{label}=\"{value}\"}} {}", count.load(Ordering::Relaxed));
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

/// What has no counter of its own is not counted: the names are ours, and all are known.
fn add_to(counters: &BTreeMap<&'static str, AtomicU64>, name: &str) {
    if let Some(counter) = counters.get(name) {
        add(counter, 1);
    }
}

/// The layer that counts.
#[derive(Debug)]
pub struct Counting {
    counters: Arc<Counters>,
    gathered: Arc<Gathered>,
}

impl<S: Subscriber> Layer<S> for Counting {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let fields = Fields::of(event);
        self.counters.count(&fields);
        self.gathered.note(*event.metadata().level(), &fields, now_ms());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_is_counted() {
        let counters = Counters::default();
        counters.count(&[("message", "queued"), ("octets", "2048")].into());
        counters.count(&[("message", "attempt"), ("status", "sent"), ("delay_ms", "1500")].into());
        counters.count(&[("message", "attempt"), ("status", "deferred")].into());
        counters.count(&[("message", "decision"), ("disposition", "reject"), ("reason", "relay-denied")].into());
        counters.count(&[("message", "decision"), ("disposition", "accept"), ("reason", "routed"), ("to", "<a@b.c>")].into());
        counters.count(&[("message", "connected"), ("tls", "TLSv1_3 X")].into());
        let mut text = String::new();
        counters.render(&mut text);
        for line in [
            "postern_messages_received_total 1",
            "postern_received_octets_total 2048",
            "postern_attempts_total{outcome=\"sent\"} 1",
            "postern_attempts_total{outcome=\"deferred\"} 1",
            "postern_recipients_accepted_total 1",
            "postern_refused_total{reason=\"relay-denied\"} 1",
            "postern_refused_total{reason=\"routed\"} 0",
            "postern_connections_total{tls=\"TLSv1_3\"} 1",
            "postern_delivery_seconds_bucket{le=\"1\"} 0",
            "postern_delivery_seconds_bucket{le=\"5\"} 1",
            "postern_delivery_seconds_bucket{le=\"+Inf\"} 1",
            "postern_delivery_seconds_count 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        assert!(text.lines().count() < 160, "{}", text.lines().count());
    }
}
