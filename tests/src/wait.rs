//! Waiting for what another thread or process does: bounded, and over as soon as it is done. The only place that sleeps.

use std::time::{Duration, Instant};

/// How long a test waits for anything that ought to happen at once. Generous: a busy machine must not fail a test.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Asks until there is an answer; `None` once the time is over.
pub fn poll<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Asks until there is an answer.
///
/// # Panics
/// After [`PATIENCE`], naming what was waited for.
pub fn until<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    poll(PATIENCE, ask).unwrap_or_else(|| panic!("waited {PATIENCE:?} in vain for {what}"))
}
