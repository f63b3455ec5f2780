//! The MTA-STS policies of others (RFC 8461), as [`super::terms`] goes by them: fetched over HTTPS, kept for as long as they say, in
//! memory and in the state folder, and fetched again when their record changes.
//!
//! ```text
//! mta-sts/DOMAIN       `until` and `id` on the first line, then the policy file
//! ```
//!
//! A policy that is kept outlives every failure to fetch or even to find it (RFC 8461 5.1): that is what it is for. What fails is
//! tried again after a while and not with each message. While it is being fetched, further mail for the domain waits for the outcome:
//! it would go out below what the policy demands.

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
use tokio::sync::watch;

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
    /// Being fetched: who waits hears what comes of it.
    under_way: HashMap<Domain, watch::Receiver<Outcome>>,
}

/// What a fetch came to, once it is over.
type Outcome = Option<Option<Arc<ReceivedPolicy>>>;

/// What is to be done about a policy.
enum Turn<'a> {
    /// Nothing: this holds.
    Over(Option<Arc<ReceivedPolicy>>),
    /// It is for us to fetch it.
    Ours(Fetching<'a>),
    /// Somebody is at it.
    Theirs(watch::Receiver<Outcome>),
}

/// The right to fetch the policy of a domain. Whoever drops it without a word leaves it to the next.
struct Fetching<'a> {
    sts: &'a Sts,
    domain: &'a Domain,
    /// Of the record that announced it.
    id: Box<str>,
    /// What holds until then.
    current: Option<Arc<ReceivedPolicy>>,
    tell: watch::Sender<Outcome>,
}

impl Drop for Fetching<'_> {
    fn drop(&mut self) {
        self.sts.state().under_way.remove(self.domain);
    }
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
        loop {
            match self.turn(domain, record.as_ref()) {
                Turn::Over(policy) => return policy,
                Turn::Ours(fetching) => {
                    let policy = self.renew(daemon, domain, &fetching).await;
                    // Perhaps nobody waits.
                    let _ = fetching.tell.send(Some(policy.clone()));
                    return policy;
                }
                Turn::Theirs(mut outcome) => {
                    if let Ok(outcome) = outcome.wait_for(Option::is_some).await {
                        return outcome.clone().flatten();
                    }
                }
            }
        }
    }

    /// What is to be done about the policy of a domain, of which this record was found.
    fn turn<'a>(&'a self, domain: &'a Domain, record: Option<&MtaStsRecord>) -> Turn<'a> {
        let (now, now_ms) = (Instant::now(), now_ms());
        let mut state = self.state();
        let kept = state.kept.get(domain).filter(|kept| kept.until_ms > now_ms);
        let current = kept.map(|kept| kept.policy.clone());
        let Some(record) = record else { return Turn::Over(current) };
        // Fetched again in its second half, so that it never runs out while it holds.
        let half_ms = |kept: &Kept| u64::try_from(kept.policy.max_age.as_millis() / 2).unwrap_or(u64::MAX);
        let is_announced = kept.is_some_and(|kept| kept.id == record.id);
        if is_announced && kept.is_some_and(|kept| kept.until_ms.saturating_sub(half_ms(kept)) > now_ms) {
            return Turn::Over(current);
        }
        match state.under_way.get(domain) {
            // It says what the one says that is on its way.
            Some(_) if is_announced => return Turn::Over(current),
            Some(outcome) => return Turn::Theirs(outcome.clone()),
            None => {}
        }
        if state.paused.get(domain).is_some_and(|until| *until > now) {
            return Turn::Over(current);
        }
        let (tell, outcome) = watch::channel(None);
        state.under_way.insert(domain.clone(), outcome);
        Turn::Ours(Fetching { sts: self, domain, id: record.id.clone(), current, tell })
    }

    /// Fetches and keeps the policy that a record announces; where it cannot be had, the one that is kept holds.
    async fn renew(&self, daemon: &Daemon, domain: &Domain, fetching: &Fetching<'_>) -> Option<Arc<ReceivedPolicy>> {
        let (id, now) = (&fetching.id, now_ms());
        match self.fetch(daemon, domain).await {
            Ok(policy) => {
                let max_age_ms = u64::try_from(policy.max_age.as_millis()).unwrap_or(u64::MAX);
                let policy = Arc::new(policy);
                tracing::info!(domain = %domain, mode = %policy.mode, id = &**id, "MTA-STS policy fetched");
                self.keep(domain, Kept { policy: policy.clone(), id: id.clone(), until_ms: now.saturating_add(max_age_ms) });
                Some(policy)
            }
            Err(error) => {
                let current = fetching.current.clone();
                tracing::warn!(domain = %domain, %error, kept = current.is_some(), "MTA-STS policy cannot be fetched");
                self.pause(domain);
                current
            }
        }
    }

    /// The domain is left alone for a while.
    fn pause(&self, domain: &Domain) {
        let now = Instant::now();
        let mut state = self.state();
        if state.paused.len() >= POLICIES_MAX {
            state.paused.retain(|_, until| *until > now);
        }
        state.paused.insert(domain.clone(), now + PAUSE);
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
