//! What tests change about the world that a debug build runs in: where policies are fetched from, and how long it waits for others.
//! A release build has nothing of it.

use std::time::Duration;

/// A number that a test has set by this name.
#[cfg(debug_assertions)]
fn set(name: &str) -> Option<u32> {
    std::env::var(name).ok()?.parse().ok()
}

#[cfg(not(debug_assertions))]
fn set(_: &str) -> Option<u32> {
    None
}

/// The port of HTTPS at hosts of policies; `POSTERN_HTTPS_PORT` is another one.
pub(crate) fn https_port(usual: u16) -> u16 {
    set("POSTERN_HTTPS_PORT").and_then(|port| port.try_into().ok()).unwrap_or(usual)
}

/// How long to wait for a peer that may wait so long; `POSTERN_HURRY` divides it.
pub(crate) fn patience(usual: Duration) -> Duration {
    use std::sync::LazyLock;
    static HURRY: LazyLock<Option<u32>> = LazyLock::new(|| set("POSTERN_HURRY").filter(|hurry| *hurry > 0));
    HURRY.map_or(usual, |hurry| usual / hurry)
}
