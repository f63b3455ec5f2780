//! The daemon as a whole: what its parts share, how it starts, reloads and stops.

use crate::acme::{self, Renewal};
use crate::auth::{Credentials, Dovecot, Guesses, ScramFiles};
use crate::control;
use crate::deliver::peers::Peers;
use crate::deliver::sts::{HTTPS_PORT, Sts};
use crate::deliver::{Dispatcher, backscatter::Backscatter, postmaster, quota::Quotas, tls::ClientTls};
use crate::dns::{Dns, Memory, Resolver, secure::Validator};
use crate::logging::{Logging, postmaster::Gathered};
use crate::metrics::{self, Classes, Counters, Rates};
use crate::net::{Acquaintances, Admission, Bound, ListenError, Listeners, Reserve};
use crate::queue::{Recovered, Recovery, Spool, SpoolError, SpoolOptions, Standing};
use crate::rehearsal;
use crate::report::{self, Reports};
use crate::screen::{self, Lists, Reputations};
use crate::sendmail::{pickup, slip};
use crate::site::{self, Current, Generation, LoadError};
use crate::state::{State, StateError};
use crate::web;
use postern_schema::snapshot::plan_digest;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Mutex, mpsc, oneshot, watch};

/// How long open sessions may go on once the daemon is told to stop.
const FAREWELL: Duration = Duration::from_secs(5);

/// How often it is written down who was here.
const GREYLIST_NOTE: Duration = Duration::from_secs(1);

/// How often the files of certificates are looked at.
const CERTIFICATE_LOOK: Duration = Duration::from_secs(10);

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// A `.mdb` file, or a folder with `current`.
    pub snapshot: PathBuf,
    /// The state folder; made if it is not there.
    pub state: PathBuf,
    /// The credentials folder.
    pub credentials: Option<PathBuf>,
    /// The resolver to ask; the system's own without it.
    pub dns: Option<SocketAddr>,
    /// The keys of the root that DNSSEC is believed by; without a file, those of the Internet's root.
    pub trust_anchor: Option<PathBuf>,
}

/// Everything that sessions, deliveries and the control socket share.
pub struct Daemon {
    /// The site in force.
    pub current: Current,
    /// The queue.
    pub spool: Spool,
    /// Who answers questions of names.
    pub dns: Arc<dyn Dns>,
    /// The same, for its counters and to be led elsewhere.
    pub names: Arc<Memory>,
    /// Secrets.
    pub credentials: Credentials,
    /// What is known of other programs' users.
    pub dovecot: Dovecot,
    /// What is known of password files.
    pub scram_files: ScramFiles,
    /// Logins that failed of late.
    pub guesses: Guesses,
    /// How much each client has of us.
    pub admission: Admission,
    /// What is known of the lists that others keep of clients.
    pub lists: Arc<Lists>,
    /// Who was here before.
    pub greylist: Arc<screen::Memory>,
    /// What went wrong with whom.
    pub reputations: Reputations,
    /// What is left when there are no descriptors.
    pub reserve: Reserve,
    /// Whom users wrote to.
    pub acquaintances: Acquaintances,
    /// Who delivers.
    pub dispatcher: Dispatcher,
    /// How peers are treated.
    pub peers: Arc<Peers>,
    /// What others will be told of their mail.
    pub reports: Reports,
    /// TLS towards peers.
    pub client_tls: ClientTls,
    /// What DNSSEC proves, for DANE.
    pub validator: Validator,
    /// How many notices go to strangers.
    pub backscatter: Backscatter,
    /// How full mailboxes are.
    pub quotas: Quotas,
    /// The MTA-STS policies of others.
    pub sts: Sts,
    /// The state folder.
    pub state: State,
    /// When it started.
    pub started: Instant,
    /// What has happened.
    pub counters: Arc<Counters>,
    /// What the postmaster is to be told of.
    pub gathered: Arc<Gathered>,
    /// How much of it happens in a minute.
    pub rates: Rates,
    /// Whom the queue is for.
    pub classes: Classes,
    /// How many read web pages.
    pub web: web::Places,
    /// The resolver that the command line names, whatever the site says.
    resolver: Option<SocketAddr>,
    /// Certificates that the daemon gets by itself.
    pub renewal: Renewal,
    listeners: Mutex<Listeners>,
    metrics: Mutex<metrics::Endpoint>,
    sessions: AtomicUsize,
    stopping: watch::Sender<bool>,
    logging: Logging,
}

/// Why the daemon does not start.
#[derive(Debug)]
pub enum StartError {
    /// The snapshot or what it needs.
    Load(LoadError),
    /// The state folder.
    State(StateError),
    /// The queue in it.
    Spool(SpoolError),
    /// A socket of the site.
    Listen(ListenError),
    /// The socket for metrics.
    Metrics(metrics::Unavailable),
    /// Something of the system that every program may expect.
    System(&'static str, String),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Load(error) => error.fmt(f),
            StartError::State(error) => error.fmt(f),
            StartError::Spool(error) => error.fmt(f),
            StartError::Listen(error) => error.fmt(f),
            StartError::Metrics(error) => error.fmt(f),
            StartError::System(what, error) => write!(f, "{what}: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

/// Why a reload changed nothing.
#[derive(Debug)]
pub enum ReloadError {
    /// The snapshot or what it needs.
    Load(LoadError),
    /// A socket of the new site.
    Listen(ListenError),
    /// It is another step than the one that was reviewed.
    NotReviewed {
        /// The digest of the plan from what is in force to what the source names now.
        step: String,
    },
}

impl fmt::Display for ReloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReloadError::Load(error) => error.fmt(f),
            ReloadError::Listen(error) => error.fmt(f),
            ReloadError::NotReviewed { step } => {
                write!(f, "this is not the plan that was reviewed: a reload now is the plan {step}; run `postern plan` again")
            }
        }
    }
}

impl std::error::Error for ReloadError {}

/// Milliseconds since the epoch; 0 for a clock before it.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// [`StartError`] says what keeps it from serving; nothing was accepted then.
pub async fn run(options: &Options) -> Result<(), StartError> {
    // Before anybody can know that we are there, and want us to stop.
    let signals = Signals::catch().map_err(|error| StartError::System("signals", error.to_string()))?;
    let daemon = start(options)?;
    let generation = daemon.current.generation();
    let prepared = daemon.listeners.lock().await.prepare(generation.site()).map_err(StartError::Listen)?;
    daemon.listeners.lock().await.commit(prepared, &daemon);
    daemon.metrics.lock().await.follow(&daemon).map_err(StartError::Metrics)?;
    control::serve(&daemon, daemon.state.folder())
        .map_err(|error| StartError::System("the control socket cannot be made", error.to_string()))?;
    slip::make_folder(daemon.state.folder())
        .map_err(|error| StartError::System("the drop folder cannot be made", error.to_string()))?;
    tokio::spawn(pickup::run(daemon.clone()));
    tokio::spawn(report::run(daemon.clone()));
    tokio::spawn(postmaster::run(daemon.clone()));
    tokio::spawn(acme::run(daemon.clone()));
    daemon.announce(&generation).await;
    daemon.supervise(signals).await;
    Ok(())
}

/// Every connection is a descriptor, and the usual soft limit of 1024 is there for programs that know no better.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    // Where that is refused, so be it: connections wait until others end.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

fn start(options: &Options) -> Result<Arc<Daemon>, StartError> {
    raise_descriptor_limit();
    let system = |what: &'static str| move |error: &dyn fmt::Display| StartError::System(what, error.to_string());
    let state = State::open(&options.state).map_err(StartError::State)?;
    // The queue first: its lock says that the state folder is ours.
    let (arrivals, arrived) = mpsc::unbounded_channel();
    let spool_options = SpoolOptions { node: state.node(), arrivals: Some(arrivals), ..SpoolOptions::default() };
    let (spool, recovery) = Spool::begin(&state.spool_folder(), spool_options).map_err(StartError::Spool)?;
    let credentials = Credentials::new(options.credentials.as_deref());
    let current = Current::open(&options.snapshot, state.folder(), &credentials).map_err(StartError::Load)?;
    let counters = Arc::new(Counters::default());
    let gathered = Arc::new(Gathered::default());
    let logging = Logging::start(current.generation().site(), &state, &counters, &gathered);
    if let Err(error) = &current.generation().srs {
        tracing::error!(%error, "mail that is sent on, and bounces of it, wait until a reload");
    }
    for broken in current.generation().keys.unusable() {
        tracing::error!(error = %broken, "mail that this key must sign is deferred");
    }
    let resolver = options.dns.or(current.generation().site().resolver);
    let names = Resolver::new(resolver).map_err(|error| system("DNS")(&error))?;
    let names = Arc::new(Memory::new(names));
    let validator = Validator::new(resolver, options.trust_anchor.as_deref()).map_err(|error| system("DNS")(&error))?;
    let sts = Sts::open(&state.folder().join("mta-sts"), rehearsal::https_port(HTTPS_PORT));
    let client_tls = ClientTls::new().map_err(|error| system("TLS")(&error))?;
    let daemon = Arc::new(Daemon {
        current,
        spool,
        dns: names.clone(),
        names,
        resolver: options.dns,
        credentials,
        dovecot: Dovecot::default(),
        scram_files: ScramFiles::default(),
        guesses: Guesses::default(),
        admission: Admission::default(),
        lists: Arc::default(),
        greylist: Arc::new(screen::Memory::open(state.folder())),
        reputations: Reputations::default(),
        reserve: Reserve::default(),
        acquaintances: Acquaintances::open(state.folder()),
        dispatcher: Dispatcher::default(),
        peers: Arc::new(Peers::open(state.folder())),
        client_tls,
        validator,
        sts,
        backscatter: Backscatter::default(),
        quotas: Quotas::default(),
        reports: Reports::new(&state.reports_folder()),
        state,
        started: Instant::now(),
        rates: Rates::of(counters.clone()),
        classes: Classes::default(),
        counters,
        gathered,
        web: web::Places::default(),
        renewal: Renewal::default(),
        listeners: Mutex::default(),
        metrics: Mutex::default(),
        sessions: AtomicUsize::new(0),
        stopping: watch::Sender::new(false),
        logging,
    });
    daemon.reserve.fill();
    let watching = daemon.clone();
    tokio::spawn(async move { watching.validator.watch().await });
    let (tell, recovered) = oneshot::channel();
    // A large queue is read while new mail is taken already.
    tokio::task::spawn_blocking(move || drop(tell.send(recover(recovery))));
    Dispatcher::start(&daemon, arrived, recovered);
    Ok(daemon)
}

/// Reads what an earlier process left in the queue, and says what was damaged.
fn recover(recovery: Recovery) -> Vec<Standing> {
    let Recovered { messages, corrupt, torn_tail_octets, duration } = recovery.finish();
    for damage in &corrupt {
        let (segment, saved_as) = (&*damage.segment, damage.saved_as.as_deref().map(Path::display));
        let saved_as = saved_as.map(tracing::field::display);
        tracing::error!(
            segment,
            damage.offset,
            damage.octets,
            damage.reason,
            saved_as,
            "a damaged piece of the queue was set aside"
        );
    }
    let milliseconds = duration.as_millis() as u64;
    tracing::info!(messages = messages.len(), torn_tail_octets, milliseconds, "queue recovered");
    messages
}

impl Daemon {
    /// Puts the snapshot in force that the source names now: all of it, or nothing. With the digest of a plan, only if that is the
    /// step from what is in force to it.
    ///
    /// # Errors
    /// [`ReloadError`]; what was in force goes on serving.
    pub async fn reload(self: &Arc<Self>, plan: Option<&str>) -> Result<Arc<Generation>, ReloadError> {
        // The lock also keeps two reloads from crossing.
        let mut listeners = self.listeners.lock().await;
        let result = self.prepare_and_swap(&mut listeners, plan).await;
        match &result {
            Ok(generation) => {
                tracing::info!(digest = generation.snapshot.digest(), generation = generation.number, "snapshot in force");
                self.renewal.hurry();
                Dispatcher::reconsider(self);
            }
            Err(error) => {
                let digest = self.current.generation().snapshot.digest().to_owned();
                tracing::error!(%error, still_in_force = digest, "reload refused");
            }
        }
        result
    }

    /// Takes the certificates and keys that there are now, with the snapshot that is in force. If one of them is no good, all that
    /// is served stays as it is.
    pub async fn renew_certificates(&self) {
        // The lock keeps this from crossing with a reload.
        let _listeners = self.listeners.lock().await;
        match tokio::task::block_in_place(|| self.current.renew()) {
            Ok(next) => {
                let generation = self.current.swap(next);
                tracing::info!(generation = generation.number, "certificates in force");
            }
            Err(error) => tracing::error!(%error, "certificates are not renewed, the old ones are served on"),
        }
    }

    async fn prepare_and_swap(
        self: &Arc<Self>, listeners: &mut Listeners, plan: Option<&str>,
    ) -> Result<Arc<Generation>, ReloadError> {
        // Reading and digesting a large snapshot takes a while, and sessions go on meanwhile.
        let next = tokio::task::block_in_place(|| self.current.prepare()).map_err(ReloadError::Load)?;
        let step = plan_digest(self.current.generation().snapshot.digest(), next.snapshot.digest());
        if plan.is_some_and(|plan| plan != step) {
            return Err(ReloadError::NotReviewed { step });
        }
        let prepared = listeners.prepare(next.site()).map_err(ReloadError::Listen)?;
        let before = self.current.generation();
        let generation = self.current.swap(next);
        self.follow_resolver(before.site().resolver, generation.site().resolver);
        listeners.commit(prepared, self);
        self.logging.change(generation.site());
        self.gathered.want(generation.site());
        if let Err(error) = self.metrics.lock().await.follow(self) {
            // Mail goes on: whoever watches the numbers sees that there are none.
            tracing::error!(%error, "metrics are not served");
        }
        Ok(generation)
    }

    fn follow_resolver(&self, before: Option<SocketAddr>, now: Option<SocketAddr>) {
        if self.resolver.is_some() || before == now {
            return;
        }
        let exchanged = Resolver::new(now).and_then(|resolver| {
            self.names.exchange(resolver);
            self.validator.exchange(now)
        });
        // Whoever was asked so far is asked still.
        if let Err(error) = exchanged {
            tracing::error!(%error, "the resolver is not changed");
        }
    }

    /// Where the listeners are reached.
    pub async fn bound(&self) -> Vec<Bound> {
        self.listeners.lock().await.bound(self.current.generation().site())
    }

    /// How many sessions are open.
    pub fn sessions(&self) -> usize {
        self.sessions.load(Ordering::Relaxed)
    }

    /// Counts one session in, unless there are `limit` already. It counts until the guard is dropped.
    pub fn admit(self: &Arc<Self>, limit: u32) -> Option<SessionGuard> {
        let admitted = self
            .sessions
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |open| if open < limit as usize { Some(open + 1) } else { None });
        admitted.ok().map(|_| SessionGuard(self.clone()))
    }

    /// Becomes true when the daemon is told to stop.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// One line of JSON on standard output for whoever started us: we are ready, and this is where.
    async fn announce(&self, generation: &Generation) {
        let ready = json!({ "ready": {
            "digest": generation.snapshot.digest(),
            "generation": generation.number,
            "listeners": self.bound().await.iter().map(control::listener).collect::<serde_json::Value>(),
            "state": self.state.folder(),
        }});
        tracing::info!(digest = generation.snapshot.digest(), generation = generation.number, "ready");
        // Whoever does not read it has not asked for it.
        let _ = writeln!(io::stdout(), "{ready}");
        let _ = io::stdout().flush();
    }

    async fn supervise(self: &Arc<Self>, mut signals: Signals) {
        let mut look = tokio::time::interval(CERTIFICATE_LOOK);
        let mut refused = None;
        let mut remember = tokio::time::interval(GREYLIST_NOTE);
        loop {
            tokio::select! {
                _ = look.tick() => {
                    self.rates.look();
                    let generation = self.current.generation();
                    let found = site::stamps(generation.site(), &self.credentials);
                    // One that is no good changes nothing, and is said once.
                    if found != generation.stamps && refused.as_ref() != Some(&found) {
                        self.renew_certificates().await;
                        refused = Some(found);
                    }
                }
                _ = remember.tick() => self.note_greylist().await,
                // What went wrong is in the log; SIGHUP has nobody to tell.
                _ = signals.hangup.recv() => drop(self.reload(None).await),
                _ = signals.terminate.recv() => break,
                _ = signals.interrupt.recv() => break,
            }
        }
        self.stop().await;
    }

    /// Writes down what the greylist has learned, beside everything else.
    async fn note_greylist(&self) {
        let greylist = self.greylist.clone();
        if !greylist.has_news() {
            return;
        }
        // It says itself what goes wrong.
        let _ = tokio::task::spawn_blocking(move || greylist.save()).await;
    }

    async fn stop(&self) {
        tracing::info!("stopping");
        self.listeners.lock().await.close();
        self.stopping.send_replace(true);
        let patience = Instant::now() + FAREWELL;
        while Instant::now() < patience && (self.sessions() > 0 || self.dispatcher.is_busy()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.note_greylist().await;
        self.reports.sync();
        // Whatever is still on its way is in the queue and will be found there.
        tracing::info!(sessions = self.sessions(), "stopped");
    }
}

/// The signals that the daemon heeds.
struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn catch() -> io::Result<Signals> {
        Ok(Signals {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }
}

/// One open session.
pub struct SessionGuard(Arc<Daemon>);

impl Drop for SessionGuard {
    fn drop(&mut self) {
        self.0.sessions.fetch_sub(1, Ordering::Relaxed);
    }
}
