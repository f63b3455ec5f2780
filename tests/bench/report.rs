//! Figures, collected and printed: a table for people, JSON for programs.

use serde_json::{Value, json};
use std::fmt::Write;
use std::time::Duration;

/// The figures of one run.
#[derive(Debug, Default)]
pub struct Report {
    rates: Vec<Rate>,
    memory: Vec<(String, (u64, u64))>,
    times: Vec<(String, Duration)>,
    remarks: Vec<String>,
}

#[derive(Debug)]
struct Rate {
    what: String,
    sessions: usize,
    accepted: f64,
    through: f64,
    /// Time of a processor for one message.
    work: Option<Duration>,
}

impl Report {
    /// Messages by second: acknowledged to the client, and arrived at the end; and what one of them cost the server.
    pub fn rate(&mut self, what: &str, sessions: usize, accepted: f64, through: f64, work: Option<Duration>) {
        let cost = work.map_or(String::new(), |work| format!(", {} us of a processor each", work.as_micros()));
        eprintln!("{what}, {sessions} sessions: {accepted:.0}/s accepted, {through:.0}/s through{cost}");
        self.rates.push(Rate { what: what.to_owned(), sessions, accepted, through, work });
    }

    /// Resident memory in octets: now, and the most so far.
    pub fn memory(&mut self, what: &str, octets: (u64, u64)) {
        self.memory.push((what.to_owned(), octets));
    }

    /// How long something took.
    pub fn time(&mut self, what: &str, time: Duration) {
        self.times.push((what.to_owned(), time));
    }

    /// Something that a reader of the figures should know.
    pub fn remark(&mut self, text: String) {
        self.remarks.push(text);
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let rate = |rate: &Rate| {
            json!({
                "what": rate.what,
                "sessions": rate.sessions,
                "accepted-per-second": rate.accepted.round(),
                "through-per-second": rate.through.round(),
                "processor-microseconds": rate.work.map(|work| work.as_micros() as u64),
                "ratio-to-postfix": self.ratio(rate).map(|ratio| (ratio * 100.0).round() / 100.0),
            })
        };
        json!({
            "cores": std::thread::available_parallelism().map_or(0, usize::from),
            "rates": self.rates.iter().map(rate).collect::<Vec<_>>(),
            "memory": self.memory.iter().map(|(what, octets)| json!({
                "what": what, "resident-octets": octets.0, "most-octets": octets.1,
            })).collect::<Vec<_>>(),
            "times": self.times.iter().map(|(what, time)| json!({
                "what": what, "milliseconds": time.as_secs_f64() * 1000.0,
            })).collect::<Vec<_>>(),
            "remarks": self.remarks,
        })
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut out = format!(
            "{:<38} {:>8} {:>10} {:>10} {:>10} {:>11}\n",
            "messages by second", "sessions", "accepted", "through", "us of CPU", "to Postfix"
        );
        for rate in &self.rates {
            let ratio = self.ratio(rate).map_or(String::new(), |ratio| format!("{ratio:.1} x"));
            let work = rate.work.map_or(String::new(), |work| work.as_micros().to_string());
            // Writing to a String does not fail.
            let _ = writeln!(
                out,
                "{:<38} {:>8} {:>10.0} {:>10.0} {work:>10} {ratio:>11}",
                rate.what, rate.sessions, rate.accepted, rate.through
            );
        }
        for (what, (now, most)) in &self.memory {
            let _ = writeln!(out, "memory: {what:<32} {:>7.1} MB resident, {:.1} MB at most", mb(*now), mb(*most));
        }
        for (what, time) in &self.times {
            // What takes less than a millisecond is wanted exactly.
            let digits = if *time < Duration::from_millis(1) { 3 } else { 1 };
            let _ = writeln!(out, "time:   {what:<32} {:>7.digits$} ms", time.as_secs_f64() * 1000.0);
        }
        for remark in &self.remarks {
            let _ = writeln!(out, "{remark}");
        }
        out
    }

    /// How many times as fast as Postfix, through to the end, in the row of the same kind.
    fn ratio(&self, rate: &Rate) -> Option<f64> {
        let kind = rate.what.strip_prefix("posternd ")?;
        let of_postfix = |other: &&Rate| other.sessions == rate.sessions && other.what.strip_prefix("postfix ") == Some(kind);
        Some(rate.through / self.rates.iter().find(of_postfix)?.through)
    }
}

fn mb(octets: u64) -> f64 {
    octets as f64 / 1e6
}
