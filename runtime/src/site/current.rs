//! Loads generations and swaps between them.

use super::certificate::{self, CertificateError, Served};
use super::client_certificate::ClientCertificate;
use crate::auth::{Credentials, SrsError, SrsKeys};
use crate::authentication::keys::{CannotSign, Keys};
use crate::queue;
use arc_swap::ArcSwap;
use postern_schema::decide::{Lookup, LookupFailed, SrsFact};
use postern_schema::name::Mailbox;
use postern_schema::site::{ListenerKind, Site};
use postern_schema::snapshot::{Snapshot, SnapshotError, locate};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, UnixTime};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// One snapshot in service.
#[derive(Debug)]
pub struct Generation {
    /// Counts from 1 since the daemon started.
    pub number: u64,
    /// What it decides by.
    pub snapshot: Arc<Snapshot>,
    /// Certificates of its listeners; `None` where the site has none.
    pub tls: Option<Served>,
    /// What it signs with.
    pub keys: Keys,
    /// What the addresses of forwarded mail are signed with. `None`: the site
    /// forwards nothing so. An error: what it would sign waits, and so do bounces of it.
    pub srs: Result<Option<SrsKeys>, Arc<SrsError>>,
}

impl Generation {
    /// What a bounce address of forwarded mail comes to.
    pub fn srs_fact(&self, address: &Mailbox, now_seconds: u64) -> SrsFact {
        match &self.srs {
            Ok(Some(keys)) => keys.reverse(address, now_seconds),
            Ok(None) | Err(_) => SrsFact::Unknown,
        }
    }

    /// What the queue keeps of it.
    pub fn mark(&self) -> queue::Generation {
        // The digest was verified: 64 hexadecimal digits.
        queue::Generation(u64::from_str_radix(&self.snapshot.digest()[..16], 16).unwrap_or_default())
    }

    /// What a listener of this kind serves TLS with.
    pub fn tls_for(&self, kind: ListenerKind) -> Option<Arc<ServerConfig>> {
        let served = self.tls.as_ref()?;
        Some(match kind {
            ListenerKind::Submission | ListenerKind::Submissions => served.of_users.clone(),
            ListenerKind::Mx => served.of_hosts.clone(),
            ListenerKind::Reinject | ListenerKind::Lmtp => served.silent.clone(),
        })
    }

    /// What the certificates come to that a client has shown.
    pub fn client_certificate(&self, chain: &[CertificateDer<'_>]) -> Option<ClientCertificate> {
        self.tls.as_ref()?.authorities.judge(chain, UnixTime::now())
    }

    /// The small parts of its site.
    pub fn site(&self) -> &Site {
        self.snapshot.site()
    }
}

/// Why a snapshot does not come into service.
#[derive(Debug)]
pub enum LoadError {
    /// The snapshot itself.
    Snapshot(SnapshotError),
    /// A certificate or key that it names.
    Certificate(CertificateError),
    /// A key that must sign and cannot. At a reload this keeps the keys in force that can; at a start there are none, and mail
    /// that must be signed waits.
    Key(CannotSign),
    /// The secrets of its bounce addresses, at a reload; as with keys.
    Srs(Arc<SrsError>),
    /// Its domains cannot be read.
    Lookup(LookupFailed),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Snapshot(error) => error.fmt(f),
            LoadError::Certificate(error) => error.fmt(f),
            LoadError::Key(error) => error.fmt(f),
            LoadError::Srs(error) => error.fmt(f),
            LoadError::Lookup(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LoadError {}

/// The generation in force, and what it takes to load the next.
pub struct Current {
    source: PathBuf,
    state: PathBuf,
    credentials: Credentials,
    slot: ArcSwap<Generation>,
    next_number: AtomicU64,
    /// Every snapshot that may still be open. LMDB opens a file once in a process: whoever goes back to an earlier one while a
    /// session still holds it gets the same.
    open: Mutex<Vec<Weak<Snapshot>>>,
}

impl Current {
    /// Loads the first generation from a `.mdb` file or a folder with `current`.
    ///
    /// # Errors
    /// [`LoadError`] says what keeps it from serving.
    pub fn open(source: &Path, state: &Path, credentials: &Credentials) -> Result<Current, LoadError> {
        let path = locate(source).map_err(LoadError::Snapshot)?;
        let snapshot = Snapshot::open(&path).map(Arc::new).map_err(LoadError::Snapshot)?;
        let open = Mutex::new(vec![Arc::downgrade(&snapshot)]);
        let first = with_secrets(snapshot, state, credentials, 1)?;
        Ok(Current {
            source: source.to_path_buf(),
            state: state.to_path_buf(),
            credentials: credentials.clone(),
            slot: ArcSwap::from_pointee(first),
            next_number: AtomicU64::new(2),
            open,
        })
    }

    /// The generation that new work begins on.
    pub fn generation(&self) -> Arc<Generation> {
        self.slot.load_full()
    }

    /// Opens whatever the source names now, without putting it in force. Where that is the snapshot in force, certificates and
    /// keys are loaded anew all the same: they may have been renewed.
    ///
    /// # Errors
    /// [`LoadError`]; the generation in force is untouched.
    pub fn prepare(&self) -> Result<Generation, LoadError> {
        let path = locate(&self.source).map_err(LoadError::Snapshot)?;
        let snapshot = self.open_once(&path)?;
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        self.with_working_keys(with_secrets(snapshot, &self.state, &self.credentials, number)?)
    }

    /// A key that broke since, or a certificate that has expired, must not take the place of one that is good. One that never was
    /// changes nothing for the worse.
    fn with_working_keys(&self, next: Generation) -> Result<Generation, LoadError> {
        let expired = |generation: &Generation| generation.tls.as_ref().and_then(|served| served.expired.clone());
        if let (Some(name), None) = (expired(&next), expired(&self.generation())) {
            return Err(LoadError::Certificate(CertificateError::Expired(name)));
        }
        if let Err(error) = &next.srs
            && self.generation().srs.as_ref().is_ok_and(Option::is_some)
        {
            return Err(LoadError::Srs(error.clone()));
        }
        let broken_before = self.generation().keys.unusable().len();
        match next.keys.unusable().into_iter().next() {
            Some(broken) if broken_before == 0 => Err(LoadError::Key(broken)),
            _ => Ok(next),
        }
    }

    /// The same snapshot with the certificates and keys that there are now, before anything changes.
    ///
    /// # Errors
    /// [`LoadError`]: what is in force is still good, so it stays.
    pub fn renew(&self) -> Result<Generation, LoadError> {
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        self.with_working_keys(with_secrets(self.generation().snapshot.clone(), &self.state, &self.credentials, number)?)
    }

    fn open_once(&self, path: &Path) -> Result<Arc<Snapshot>, LoadError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|snapshot| snapshot.strong_count() > 0);
        let digest = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if let Some(snapshot) = open.iter().filter_map(Weak::upgrade).find(|snapshot| snapshot.digest() == digest) {
            return Ok(snapshot);
        }
        let snapshot = Snapshot::open(path).map(Arc::new).map_err(LoadError::Snapshot)?;
        open.push(Arc::downgrade(&snapshot));
        Ok(snapshot)
    }

    /// Puts a prepared generation in force.
    pub fn swap(&self, next: Generation) -> Arc<Generation> {
        let next = Arc::new(next);
        self.slot.store(next.clone());
        next
    }
}

fn with_secrets(snapshot: Arc<Snapshot>, state: &Path, credentials: &Credentials, number: u64) -> Result<Generation, LoadError> {
    let tls = certificate::server_config(snapshot.site(), state, credentials).map_err(LoadError::Certificate)?;
    let keys = Keys::load(&snapshot, credentials).map_err(LoadError::Lookup)?;
    let srs = snapshot.site().rewriting.srs.as_ref().map(|srs| SrsKeys::load(srs, credentials)).transpose().map_err(Arc::new);
    Ok(Generation { number, snapshot, tls, keys, srs })
}
