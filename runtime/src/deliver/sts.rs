//! The MTA-STS policies of others (RFC 8461), as [`super::terms`] goes by them: fetched over HTTPS, kept for as long as they say, in
//! memory and in the state folder, and fetched again when their record changes.
//!
//! ```text
//! mta-sts/DOMAIN       `until` and `id` on the first line, then the policy file
//! ```
//!
//! A policy that is kept outlives every failure to fetch or even to find it (RFC 8461 5.1): that is what it is for. What fails is
//! tried again after a while and not with each message.

use crate::daemon::{Daemon, now_ms};
use crate::https::{self, NoAnswer};
use postern_schema::dns::{Answer, Question};
use postern_schema::name::Domain;
use postern_schema::record::{MtaStsPolicy, MtaStsRecord, ReceivedPolicy, RecordKind};
use std::collections::HashMap;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long fetching may take (RFC 8461 3.3 suggests a minute).
const PATIENCE: Duration = Duration::from_secs(60);
/// The most octets of a file (RFC 8461 3.3 suggests 64 KiB).
const LIMIT_OCTETS: usize = 64 << 10;
/// How long a domain is left alone after its policy could not be fetched (RFC 8461 3.3 suggests five minutes).
const PAUSE: Duration = Duration::from_secs(300);
/// The most policies that are kept.
const POLICIES_MAX: usize = 10_000;
/// The port of HTTPS.
pub const HTTPS_PORT: u16 = 443;

/// See the module.
#[derive(Debug)]
pub struct Sts {
    folder: PathBuf,
    port: u16,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    kept: HashMap<Domain, Kept>,
    /// Not to be fetched before.
    paused: HashMap<Domain, Instant>,
}

/// A policy that was fetched.
#[derive(Clone, Debug)]
struct Kept {
    policy: Arc<ReceivedPolicy>,
    /// Of the record that announced it.
    id: Box<str>,
    until_ms: u64,
}

impl Sts {
    /// Reads what is kept in a folder, which need not be there. What cannot be read or is over is not known.
    pub fn open(folder: &Path, port: u16) -> Sts {
        let mut kept = HashMap::new();
        for entry in fs::read_dir(folder).into_iter().flatten().flatten().take(POLICIES_MAX) {
            let name = entry.file_name();
            let domain = name.to_str().and_then(|name| Domain::parse(name).ok());
            let read = || read_kept(&fs::read_to_string(entry.path()).ok()?).filter(|one| one.until_ms > now_ms());
            match (domain, read()) {
                (Some(domain), Some(one)) => drop(kept.insert(domain, one)),
                // It is ours, and of no use any more.
                _ => drop(fs::remove_file(entry.path())),
            }
        }
        Sts { folder: folder.to_owned(), port, state: Mutex::new(State { kept, ..State::default() }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is guarded is whole at every moment, also after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many policies are kept.
    pub fn count(&self) -> usize {
        self.state().kept.len()
    }

    /// The policy of a domain, if it has one that can be had or is kept.
    pub async fn policy(&self, daemon: &Daemon, domain: &Domain) -> Option<Arc<ReceivedPolicy>> {
        let question = Question::new(&format!("_mta-sts.{domain}"), RecordKind::Txt);
        let record = match daemon.dns.ask(&question).await {
            Answer::Found(texts) => MtaStsRecord::among(texts.iter().map(|text| &**text)),
            Answer::Nothing | Answer::Nonexistent | Answer::Failed(_) => None,
        };
        let kept = self.state().kept.get(domain).filter(|kept| kept.until_ms > now_ms()).cloned();
        let current = kept.as_ref().map(|kept| kept.policy.clone());
        let Some(record) = record else { return current };
        let now = now_ms();
        let is_fresh = |kept: &Kept| {
            // Fetched again in its second half, so that it never runs out while it holds.
            let half_ms = u64::try_from(kept.policy.max_age.as_millis() / 2).unwrap_or(u64::MAX);
            kept.id == record.id && kept.until_ms.saturating_sub(half_ms) > now
        };
        if kept.as_ref().is_some_and(is_fresh) || !self.may_fetch(domain) {
            return current;
        }
        match self.fetch(daemon, domain).await {
            Ok(policy) => {
                let max_age_ms = u64::try_from(policy.max_age.as_millis()).unwrap_or(u64::MAX);
                let policy = Arc::new(policy);
                tracing::info!(domain = %domain, mode = %policy.mode, id = &*record.id, "MTA-STS policy fetched");
                self.keep(domain, Kept { policy: policy.clone(), id: record.id, until_ms: now.saturating_add(max_age_ms) });
                Some(policy)
            }
            Err(error) => {
                tracing::warn!(domain = %domain, %error, kept = current.is_some(), "MTA-STS policy cannot be fetched");
                current
            }
        }
    }

    /// Whether the domain is not paused; it is from now on, until a fetch succeeds.
    fn may_fetch(&self, domain: &Domain) -> bool {
        let now = Instant::now();
        let mut state = self.state();
        if state.paused.get(domain).is_some_and(|until| *until > now) {
            return false;
        }
        if state.paused.len() >= POLICIES_MAX {
            state.paused.retain(|_, until| *until > now);
        }
        state.paused.insert(domain.clone(), now + PAUSE);
        true
    }

    async fn fetch(&self, daemon: &Daemon, domain: &Domain) -> Result<ReceivedPolicy, NoAnswer> {
        let host = Domain::parse(&format!("mta-sts.{domain}")).map_err(|error| NoAnswer(error.to_string()))?;
        let tls = daemon.client_tls.verifying().map_err(|why| NoAnswer(why.to_string()))?;
        let request = https::Request {
            host: &host,
            port: self.port,
            path: MtaStsPolicy::PATH,
            authorization: None,
            body: None,
            limit_octets: LIMIT_OCTETS,
            patience: PATIENCE,
        };
        read_answer(https::ask(&request, tls, &*daemon.dns).await?)
    }

    fn keep(&self, domain: &Domain, kept: Kept) {
        let text = format!("until={} id={}\n{}", kept.until_ms, kept.id, kept.policy);
        let stored = tokio::task::block_in_place(|| self.store(domain, &text));
        if let Err(error) = stored {
            tracing::warn!(%error, folder = %self.folder.display(), "an MTA-STS policy cannot be kept; a restart will not know of it");
        }
        let dropped = {
            let mut state = self.state();
            state.paused.remove(domain);
            let is_new = !state.kept.contains_key(domain);
            let oldest = || state.kept.iter().min_by_key(|(_, kept)| kept.until_ms).map(|(domain, _)| domain.clone());
            let dropped = if is_new && state.kept.len() >= POLICIES_MAX { oldest() } else { None };
            if let Some(oldest) = &dropped {
                state.kept.remove(oldest);
            }
            state.kept.insert(domain.clone(), kept);
            dropped
        };
        if let Some(domain) = dropped {
            let _ = fs::remove_file(self.folder.join(domain.as_str()));
        }
    }

    fn store(&self, domain: &Domain, text: &str) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        // No domain name begins with a dot, so this one is none.
        let new = self.folder.join(format!(".{domain}"));
        fs::write(&new, text)?;
        fs::rename(&new, self.folder.join(domain.as_str()))
    }
}

/// The policy in an answer (RFC 8461 3.3): a redirect is none, and only plain text counts.
fn read_answer(response: https::Response) -> Result<ReceivedPolicy, NoAnswer> {
    if response.status != 200 {
        return Err(NoAnswer(format!("the status is {}", response.status)));
    }
    let kind = response.field("content-type").unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/plain") {
        return Err(NoAnswer(format!("the media type is {kind:?}, not text/plain")));
    }
    let text = String::from_utf8(response.body).map_err(|_| NoAnswer("the policy is no UTF-8".to_owned()))?;
    ReceivedPolicy::parse(&text).map_err(|error| NoAnswer(error.to_string()))
}

fn read_kept(text: &str) -> Option<Kept> {
    let (first, policy) = text.split_once('\n')?;
    let (until, id) = first.strip_prefix("until=")?.split_once(" id=")?;
    let policy = Arc::new(ReceivedPolicy::parse(policy).ok()?);
    Some(Kept { policy, id: id.into(), until_ms: until.parse().ok()? })
}
