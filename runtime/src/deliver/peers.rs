//! Every peer that mail goes to, with its [`Throttle`]: who may open a session and send a message now, and who waits.
//!
//! What is known of a peer outlives reloads, since it is about the peer and not about the site. When the next message may be
//! sent to one with a rate also outlives the process: it is written to the state folder before the message is sent, where it
//! matters for longer than a restart takes.

use super::target::Peer;
use super::throttle::{Admission, Limits, Throttle};
use crate::daemon::now_ms;
use postern_schema::reply::Reply;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Sessions at once towards all peers. A second one to the same peer is had only while half of them are free, so that a few
/// slow peers cannot take them all.
const SESSIONS_MAX: usize = 1000;
/// A pause shorter than this is not remembered over a restart.
const REMEMBERED_MS: u64 = 1000;
/// Peers that nothing is to be said of any more are forgotten when there are more than this.
const PEERS_MAX: usize = 10_000;
/// How long somebody who waits for a session waits at most before asking again: a peer that was dead may live.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug)]
pub struct Peers {
    state: Mutex<State>,
    path: PathBuf,
}

#[derive(Debug, Default)]
struct State {
    known: HashMap<Peer, Known>,
    /// From the state folder: peers that were not met since.
    remembered: HashMap<String, u64>,
    sessions: usize,
}

#[derive(Debug, Default)]
struct Known {
    throttle: Throttle,
    limits: Limits,
    waiting: u32,
    freed: Arc<Notify>,
    last_failure: Option<Reply>,
}

/// Why there is no session for somebody who asked.
#[derive(Debug)]
pub enum Busy {
    /// As many as there may be are open.
    Full,
    /// The peer is dead; this was its last word.
    Dead(Reply),
}

/// The right to one session. It counts until it is dropped.
#[derive(Debug)]
pub struct Slot {
    peers: Arc<Peers>,
    peer: Peer,
    limits: Limits,
    has_worked: AtomicBool,
}

/// What `posternd status` says of a peer.
#[derive(Debug)]
pub struct PeerStatus {
    /// Its name.
    pub peer: String,
    /// Open sessions.
    pub sessions: u32,
    /// How many there may be.
    pub limit: u32,
    /// Which of its limits mail waits for now, if any.
    pub binds: Option<&'static str>,
    /// Why it is dead, if it is.
    pub last_failure: Option<String>,
}

impl Peers {
    /// Reads what another process left in the state folder. What cannot be read is not known.
    pub fn open(state: &Path) -> Peers {
        let path = state.join("pace");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let line = |line: &str| line.split_once(' ').and_then(|(at, peer)| Some((peer.to_owned(), at.parse().ok()?)));
        let remembered = text.lines().filter_map(line).collect();
        Peers { state: Mutex::new(State { remembered, ..State::default() }), path }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is guarded is whole at every moment, also after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for a session, and does not wait.
    ///
    /// # Errors
    /// [`Busy`].
    pub fn try_open(self: &Arc<Self>, peer: &Peer, limits: &Limits) -> Result<Slot, Busy> {
        let mut state = self.state();
        let State { sessions, .. } = *state;
        let known = state.known(peer);
        known.limits = *limits;
        let is_first = known.throttle.sessions() == 0;
        if sessions >= SESSIONS_MAX || (!is_first && sessions >= SESSIONS_MAX / 2) {
            return Err(Busy::Full);
        }
        match known.throttle.open(limits, now_ms()) {
            Admission::Go => {
                state.sessions += 1;
                Ok(Slot { peers: self.clone(), peer: peer.clone(), limits: *limits, has_worked: AtomicBool::new(false) })
            }
            Admission::Dead(_) => {
                let unknown = || Reply::unreachable(format!("{peer} could not be reached a moment ago"));
                Err(Busy::Dead(known.last_failure.clone().unwrap_or_else(unknown)))
            }
            Admission::Full | Admission::NotBefore(_) => Err(Busy::Full),
        }
    }

    /// Asks for a session, and waits while there are too many.
    ///
    /// # Errors
    /// The last word of a peer that is dead.
    pub async fn open_when_free(self: &Arc<Self>, peer: &Peer, limits: &Limits) -> Result<Slot, Reply> {
        let freed = {
            let mut state = self.state();
            let known = state.known(peer);
            known.waiting += 1;
            known.freed.clone()
        };
        let result = loop {
            match self.try_open(peer, limits) {
                Ok(slot) => break Ok(slot),
                Err(Busy::Dead(reply)) => break Err(reply),
                Err(Busy::Full) => drop(tokio::time::timeout(ASK_AGAIN, freed.notified()).await),
            }
        };
        self.state().known(peer).waiting -= 1;
        result
    }

    /// Forgets that peers are dead: the operator or a new site says that things have changed.
    pub fn revive(&self) {
        for known in self.state().known.values_mut() {
            known.throttle.revive();
            known.freed.notify_waiters();
        }
    }

    /// Every peer that is in use or that mail waits for, for the operator.
    pub fn status(&self) -> Vec<PeerStatus> {
        let now = now_ms();
        let one = |(peer, known): (&Peer, &Known)| {
            let throttle = &known.throttle;
            let limit = throttle.limit(&known.limits);
            let binds = match () {
                () if throttle.dead_until_ms().is_some_and(|until| until > now) => Some("dead"),
                () if throttle.next_message_ms() > now => Some("rate"),
                () if known.waiting > 0 || throttle.sessions() >= limit => Some("concurrency"),
                () => None,
            };
            let last_failure = known.last_failure.as_ref().filter(|_| binds == Some("dead")).map(ToString::to_string);
            PeerStatus { peer: peer.to_string(), sessions: throttle.sessions(), limit, binds, last_failure }
        };
        let mut all: Vec<PeerStatus> =
            self.state().known.iter().filter(|(_, known)| !known.throttle.is_forgettable(now)).map(one).collect();
        all.sort_unstable_by(|a, b| b.sessions.cmp(&a.sessions).then_with(|| a.peer.cmp(&b.peer)));
        all
    }

    /// Writes down when messages may follow, one peer a line.
    fn remember(&self, text: &str) {
        let new = self.path.with_extension("new");
        let written = File::create(&new).and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_data()));
        if let Err(error) = written.and_then(|()| fs::rename(&new, &self.path)) {
            tracing::warn!(%error, path = %self.path.display(), "the pace of peers cannot be noted; a restart will not know of it");
        }
    }
}

impl State {
    fn known(&mut self, peer: &Peer) -> &mut Known {
        if self.known.len() > PEERS_MAX && !self.known.contains_key(peer) {
            let now = now_ms();
            self.known.retain(|_, known| known.waiting > 0 || !known.throttle.is_forgettable(now));
        }
        let remembered = &mut self.remembered;
        self.known.entry(peer.clone()).or_insert_with(|| {
            let mut known = Known::default();
            if !remembered.is_empty()
                && let Some(at) = remembered.remove(&peer.to_string())
            {
                known.throttle.resume(at);
            }
            known
        })
    }

    /// What is worth remembering, of peers that were met and of those that were not.
    fn pace(&self, now_ms: u64) -> String {
        let met = self.known.iter().map(|(peer, known)| (peer.to_string(), known.throttle.next_message_ms()));
        let all = met.chain(self.remembered.iter().map(|(peer, at)| (peer.clone(), *at)));
        all.filter(|(_, at)| *at > now_ms + REMEMBERED_MS).map(|(peer, at)| format!("{at} {peer}\n")).collect()
    }
}

impl Slot {
    /// Waits until a message may be sent.
    pub async fn pace(&self) {
        loop {
            let (admission, pace) = {
                let mut state = self.peers.state();
                let now = now_ms();
                let throttle = &mut state.known(&self.peer).throttle;
                let admission = throttle.send(&self.limits, now);
                let is_long = throttle.next_message_ms() > now + REMEMBERED_MS;
                (admission, (admission == Admission::Go && is_long).then(|| state.pace(now)))
            };
            if let Some(pace) = pace {
                tokio::task::block_in_place(|| self.peers.remember(&pace));
            }
            match admission {
                Admission::NotBefore(at) => tokio::time::sleep(Duration::from_millis(at.saturating_sub(now_ms()).max(1))).await,
                _ => return,
            }
        }
    }

    /// The peer works. Says how many sessions it may have now.
    pub fn succeeded(&self) -> u32 {
        let mut state = self.peers.state();
        let known = state.known(&self.peer);
        known.throttle.succeeded(&self.limits, !self.has_worked.swap(true, Ordering::Relaxed));
        known.throttle.limit(&self.limits)
    }

    /// The peer said not now.
    pub fn deferred(&self) {
        let pace = {
            let mut state = self.peers.state();
            let now = now_ms();
            let throttle = &mut state.known(&self.peer).throttle;
            throttle.deferred(&self.limits, now);
            (throttle.next_message_ms() > now + REMEMBERED_MS).then(|| state.pace(now))
        };
        if let Some(pace) = pace {
            tokio::task::block_in_place(|| self.peers.remember(&pace));
        }
    }

    /// A session could not be had, or broke. Says whether the peer is dead now.
    pub fn failed(&self, reply: &Reply) -> bool {
        let mut state = self.peers.state();
        let known = state.known(&self.peer);
        known.last_failure = Some(reply.clone());
        known.throttle.failed(&self.limits, now_ms())
    }

    /// Whether the session is to be given up for somebody else: there are more than there may be, or others wait.
    pub fn is_wanted_elsewhere(&self) -> bool {
        let mut state = self.peers.state();
        let is_crowded = state.sessions > SESSIONS_MAX / 2;
        let known = state.known(&self.peer);
        known.waiting > 0
            || (is_crowded && known.throttle.sessions() > 1)
            || known.throttle.sessions() > known.throttle.limit(&self.limits)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.peers.state();
        state.sessions -= 1;
        let known = state.known(&self.peer);
        known.throttle.close(self.has_worked.load(Ordering::Relaxed));
        known.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::target::{Address, Candidate, Target};
    use postern_schema::name::HostName;
    use postern_schema::site::{FromAddress, Rate, TlsLevel};

    fn peer(host: &str) -> Peer {
        let candidate =
            Candidate { host: HostName::parse(host).unwrap(), address: Address::Inet("192.0.2.1:25".parse().unwrap()) };
        Target {
            candidates: vec![candidate],
            tls: TlsLevel::May,
            domain: None,
            login: None,
            lmtp: false,
            from_address: FromAddress::NONE,
        }
        .peer()
    }

    #[test]
    fn a_slow_peer_cannot_take_all_sessions() {
        let folder = tempfile::tempdir().unwrap();
        let peers = Arc::new(Peers::open(folder.path()));
        let limits = Limits { concurrency: Some(1000), ..Limits::default() };
        let mut slots = Vec::new();
        for host in 0..SESSIONS_MAX {
            // Every peer wants as many as it can get.
            let peer = peer(&format!("h{host}.test"));
            while let Ok(slot) = peers.try_open(&peer, &limits) {
                slots.push(slot);
            }
        }
        assert_eq!(slots.len(), SESSIONS_MAX);
        let met = peers.status();
        assert!(met.len() > SESSIONS_MAX / 2, "{} peers have one at least", met.len());
        slots.clear();
        assert!(peers.try_open(&peer("new.test"), &limits).is_ok());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_rate_is_remembered_by_the_next_process() {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits { rate: Some(Rate { count: 1, per: Duration::from_secs(3600) }), ..Limits::default() };
        let first = Arc::new(Peers::open(folder.path()));
        first.try_open(&peer("a.test"), &limits).unwrap().pace().await;
        let second = Arc::new(Peers::open(folder.path()));
        let slot = second.try_open(&peer("a.test"), &limits).unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(20), slot.pace()).await.is_err(), "an hour is not over");
        assert_eq!(second.status()[0].binds, Some("rate"));
        second.try_open(&peer("b.test"), &limits).unwrap().pace().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_pause_after_a_refusal_is_remembered_too() {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits { pause_after_defer: Some(Duration::from_secs(600)), ..Limits::default() };
        let first = Arc::new(Peers::open(folder.path()));
        first.try_open(&peer("a.test"), &limits).unwrap().deferred();
        let second = Arc::new(Peers::open(folder.path()));
        let slot = second.try_open(&peer("a.test"), &limits).unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(20), slot.pace()).await.is_err(), "ten minutes are not over");
    }

    #[tokio::test]
    async fn a_dead_peer_says_why_until_it_is_revived() {
        let folder = tempfile::tempdir().unwrap();
        let peers = Arc::new(Peers::open(folder.path()));
        let (peer, limits) = (peer("a.test"), Limits::default());
        let reply = Reply::unreachable("refused".to_owned());
        while !peers.try_open(&peer, &limits).unwrap().failed(&reply) {}
        let said = peers.open_when_free(&peer, &limits).await.unwrap_err();
        assert_eq!(said, reply);
        peers.revive();
        assert!(peers.open_when_free(&peer, &limits).await.is_ok());
    }
}
