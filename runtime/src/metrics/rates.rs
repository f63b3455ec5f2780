//! How much happens in a minute, for `posternd status`: the counters as they stood every ten seconds, of the last five minutes.

use super::Counters;
use serde_json::{Map, Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Looks that are kept: one more than five minutes have.
const LOOKS: usize = 31;

type Look = (Instant, Vec<(&'static str, u64)>);

/// See the module.
#[derive(Debug)]
pub struct Rates {
    counters: Arc<Counters>,
    looks: Mutex<VecDeque<Look>>,
}

impl Rates {
    /// Of these counters.
    pub fn of(counters: Arc<Counters>) -> Rates {
        let rates = Rates { counters, looks: Mutex::default() };
        rates.look();
        rates
    }

    /// Notes how the counters stand now. To be called every ten seconds.
    pub fn look(&self) {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        if looks.len() == LOOKS {
            looks.pop_front();
        }
        looks.push_back((Instant::now(), self.counters.totals().collect()));
    }

    /// By minute: over the last one, and over the last five.
    pub fn per_minute(&self) -> Value {
        let now: Vec<(&'static str, u64)> = self.counters.totals().collect();
        let looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let since = |looks_ago: usize| {
            // There is one from the start on.
            let Some((at, before)) = looks.get(looks.len().saturating_sub(looks_ago)) else { return Value::Null };
            let minutes = at.elapsed().as_secs_f64().max(1.0) / 60.0;
            let rate = |(now, before): (&(&'static str, u64), &(&'static str, u64))| {
                (now.0.to_owned(), json!(((now.1 - before.1) as f64 / minutes * 10.0).round() / 10.0))
            };
            Value::Object(now.iter().zip(before).map(rate).collect::<Map<_, _>>())
        };
        json!({ "minute": since(6), "five-minutes": since(LOOKS) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_has_rates_of_nothing() {
        let rates = Rates::of(Arc::new(Counters::default()));
        (0..100).for_each(|_| rates.look());
        assert_eq!(rates.looks.lock().unwrap().len(), LOOKS);
        assert_eq!(rates.per_minute()["minute"]["received"], 0.0);
    }
}
