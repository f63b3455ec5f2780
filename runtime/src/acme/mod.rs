//! Certificates that the daemon gets and renews by itself (RFC 8555). A failure costs nothing but time: what is served goes on being
//! served, the next try comes later and later, and `posternd status` says what went wrong.
//!
//! [`jose`] signs, [`order`] talks to the authority, [`challenge`] answers it at the listener for web pages or over HTTP, [`store`] keeps what
//! came of it. Which names there are to be certificates for was decided when the site was compiled.

pub mod challenge;
pub mod jose;
pub mod order;
pub mod store;

use crate::daemon::Daemon;
use challenge::Challenges;
use postern_schema::name::Domain;
use postern_schema::site::Acme;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use store::Store;
use tokio::sync::Notify;

/// The pause after the first failure of a certificate; each further one doubles it. Authorities count failures too.
const PAUSE: Duration = Duration::from_secs(300);
const PAUSE_MAX: Duration = Duration::from_secs(12 * 3600);
/// The shortest and longest time between two looks at what is to be done.
const LOOK_MIN: Duration = Duration::from_secs(1);
const LOOK_MAX: Duration = Duration::from_secs(3600);

/// What the daemon knows of its certificates.
#[derive(Default)]
pub struct Renewal {
    /// What an authority is asking about now.
    pub challenges: Challenges,
    failures: Mutex<HashMap<Domain, Failure>>,
    woken: Notify,
}

struct Failure {
    count: u32,
    why: String,
    again: Instant,
}

impl Renewal {
    /// Looks at once, and forgets what failed: somebody has mended it, or the site is another.
    pub fn hurry(&self) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.woken.notify_one();
    }

    /// What `posternd status` shows of each certificate.
    pub fn status(&self, acme: &Acme, store: &Store) -> Value {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let line = |names: &Vec<Domain>| {
            let kept = store.certificate(names);
            let failure = names.first().and_then(|name| failures.get(name));
            json!({
                "names": names.iter().map(Domain::as_str).collect::<Vec<_>>(),
                "expires": kept.as_ref().map(|kept| crate::queue::date::http(kept.life.1)),
                "renewal": kept.as_ref().map(|kept| crate::queue::date::http(kept.renewal())),
                "failures": failure.map_or(0, |failure| failure.count),
                "last-failure": failure.map(|failure| failure.why.clone()),
                "next-try-seconds": failure.map(|failure| failure.again.saturating_duration_since(now).as_secs()),
            })
        };
        acme.certificates.iter().map(line).collect()
    }

    /// When the names may be tried.
    fn again(&self, names: &[Domain]) -> Option<Instant> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        names.first().and_then(|name| failures.get(name)).map(|failure| failure.again)
    }

    fn settle(&self, names: &[Domain], outcome: Result<(), String>) {
        let Some(first) = names.first() else { return };
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(()) => drop(failures.remove(first)),
            Err(why) => {
                let count = failures.get(first).map_or(0, |failure| failure.count) + 1;
                let pause = PAUSE.saturating_mul(1 << (count - 1).min(16)).min(PAUSE_MAX);
                tracing::error!(name = %first, %why, failures = count, next_try_seconds = pause.as_secs(), "no certificate");
                failures.insert(first.clone(), Failure { count, why, again: Instant::now() + pause });
            }
        }
    }
}

/// Gets and renews certificates for as long as the daemon runs.
pub async fn run(daemon: Arc<Daemon>) {
    let mut stopping = daemon.stopping();
    loop {
        let next = look(&daemon).await.clamp(LOOK_MIN, LOOK_MAX);
        tokio::select! {
            () = tokio::time::sleep(next) => {}
            () = daemon.renewal.woken.notified() => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
    }
}

/// Does what is to be done now, and says how long there is nothing more to do.
async fn look(daemon: &Arc<Daemon>) -> Duration {
    let generation = daemon.current.generation();
    let Some(acme) = &generation.site().tls.acme else { return LOOK_MAX };
    let store = Store::of(daemon.state.folder());
    let mut next = LOOK_MAX;
    let mut renewed = false;
    for names in &acme.certificates {
        let kept = store.certificate(names).filter(|kept| kept.covers(names));
        let left = kept.map_or(0, |kept| kept.renewal().saturating_sub(now()));
        if left > 0 {
            next = next.min(Duration::from_secs(left));
            continue;
        }
        if let Some(wait) = daemon.renewal.again(names).and_then(|again| again.checked_duration_since(Instant::now())) {
            next = next.min(wait);
            continue;
        }
        let outcome = obtain(daemon, acme, names, &store).await;
        renewed |= outcome.is_ok();
        daemon.renewal.settle(names, outcome);
        next = LOOK_MIN;
    }
    if renewed {
        daemon.renew_certificates().await;
    }
    next
}

async fn obtain(daemon: &Daemon, acme: &Acme, names: &[Domain], store: &Store) -> Result<(), String> {
    let key = store.account(&acme.directory).map_err(|error| format!("the account's key: {error}"))?;
    let tls = daemon.client_tls.verifying().map_err(|why| why.to_string())?;
    let issued = order::obtain(acme, names, &key, &daemon.renewal.challenges, tls, &*daemon.dns).await?;
    let kept = store.keep(names, &issued, now())?;
    tracing::info!(name = names.first().map(Domain::as_str), expires = crate::queue::date::http(kept.life.1), "certificate");
    Ok(())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
