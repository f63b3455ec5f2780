//! Opens a snapshot for reading. The only place that maps one, and one of the two that may say `unsafe`.
//!
//! LMDB trusts its file: a truncated one kills the process with SIGBUS, a flipped bit may go unnoticed. So the octets are
//! digested first and compared with the name, which covers length and content, and only then mapped.

use super::codec::{Damaged, Stored};
use super::format::{FORMAT_KEY, FORMAT_VERSION, HEADER_KEY};
use super::site::Entries;
use super::{Header, Table, key, site};
use crate::decide::{Lookup, LookupFailed};
use crate::name::Domain;
use crate::site::{AddressEntry, DomainEntry, Site};
use heed::types::Bytes;
use heed::{CommitOrAbort, Database, Env, EnvFlags, EnvOpenOptions, WithoutTls};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

/// The most domains whose decoded form is kept; a site with more decodes the others at each use.
const DOMAIN_CACHE_LIMIT: usize = 4096;

/// An open snapshot. Cheap to ask, safe to share; the file stays mapped until the last holder lets go.
pub struct Snapshot {
    digest: Box<str>,
    header: Header,
    site: Site,
    tables: Tables,
    domains: RwLock<HashMap<Domain, Arc<DomainEntry>>>,
}

/// The environment and its handles, together: a handle used with another environment would panic.
struct Tables {
    env: Env<WithoutTls>,
    /// By position in [`Table::ALL`].
    handles: [Option<Handle>; Table::ALL.len()],
}

type Handle = Database<'static, Bytes, Bytes>;

/// Resolves what the user names, a `.mdb` file or a folder with `current`, to the file itself.
///
/// # Errors
/// [`SnapshotError::Missing`] or [`SnapshotError::Io`].
pub fn locate(path: &Path) -> Result<PathBuf, SnapshotError> {
    let path = if path.is_dir() { path.join("current") } else { path.to_path_buf() };
    path.canonicalize().map_err(|error| SnapshotError::of_io(&path, error))
}

/// Lower-case hexadecimal digits.
pub fn digest_hex(digest: &[u8]) -> String {
    digest.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The name of the step from one snapshot to another, by their digests: what `postern plan` shows for review, and what a daemon
/// that is told it may take and no other.
pub fn plan_digest(old: &str, new: &str) -> String {
    digest_hex(&Sha256::digest(format!("{old}\n{new}\n")))
}

impl Snapshot {
    /// Verifies and opens a snapshot: a `.mdb` file, or a folder with `current`.
    ///
    /// # Errors
    /// [`SnapshotError`] says what is wrong with which file; nothing is mapped before its digest is verified.
    pub fn open(path: &Path) -> Result<Snapshot, SnapshotError> {
        let path = locate(path)?;
        let (digest, octets) = verify(&path)?;
        let damaged = |error: heed::Error| SnapshotError::Damaged { path: path.clone(), why: error.to_string() };
        let mut options = EnvOpenOptions::new().read_txn_without_tls();
        options.max_dbs(Table::ALL.len() as u32).map_size(octets.next_multiple_of(4096));
        // SAFETY: the map is sound as long as nobody changes the file under it. A snapshot is mode 0444, named by its digest,
        // and replaced by renaming another file into its place, never by writing; READ_ONLY and NO_LOCK keep us from writing.
        #[allow(unsafe_code)]
        let env = unsafe {
            options.flags(EnvFlags::READ_ONLY | EnvFlags::NO_LOCK | EnvFlags::NO_SUB_DIR);
            options.open(&path)
        }
        .map_err(damaged)?;
        let tables = Tables::open(env, &path)?;
        let header = tables.header(&path)?;
        let site = site::decode(|table| tables.entries(table))
            .map_err(|error| SnapshotError::Damaged { path: path.clone(), why: error.to_string() })?;
        Ok(Snapshot { digest, header, site, tables, domains: RwLock::default() })
    }

    /// The SHA-256 of the file, in lower-case hexadecimal: its name.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What it says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Every entry of a table in key order, as stored: for `inspect` and for comparing two snapshots.
    ///
    /// # Errors
    /// [`LookupFailed`] if the table cannot be read.
    pub fn entries(&self, table: Table) -> Result<Entries, LookupFailed> {
        self.tables.entries(table)
    }

    /// Every domain, in the order of their names.
    ///
    /// # Errors
    /// [`LookupFailed`] if the table cannot be read.
    pub fn domains(&self) -> Result<Vec<DomainEntry>, LookupFailed> {
        self.entries(Table::Domains)?.iter().map(|(_, octets)| Ok(DomainEntry::decode(octets)?)).collect()
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({})", self.digest)
    }
}

impl Lookup for Snapshot {
    fn site(&self) -> &Site {
        &self.site
    }

    fn domain(&self, name: &Domain) -> Result<Option<Arc<DomainEntry>>, LookupFailed> {
        // A poisoned lock means that a thread died while it held this cache, which is whole at every moment.
        let known = |cache: &HashMap<Domain, Arc<DomainEntry>>| cache.get(name).cloned();
        if let Some(entry) = known(&self.domains.read().unwrap_or_else(|poisoned| poisoned.into_inner())) {
            return Ok(Some(entry));
        }
        let Some(entry) = self.tables.find::<DomainEntry>(Table::Domains, key::domain(name))? else { return Ok(None) };
        let entry = Arc::new(entry);
        let mut cache = self.domains.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        if cache.len() < DOMAIN_CACHE_LIMIT {
            cache.insert(name.clone(), entry.clone());
        }
        Ok(Some(entry))
    }

    fn address(&self, domain: &Domain, folded_local: &str) -> Result<Option<AddressEntry>, LookupFailed> {
        let key = key::address(domain, folded_local);
        // LMDB takes no longer key, and the compiler stores none: such an address is nobody's.
        if key.len() > 511 { Ok(None) } else { self.tables.find(Table::Addresses, &key) }
    }
}

impl Tables {
    fn open(env: Env<WithoutTls>, path: &Path) -> Result<Tables, SnapshotError> {
        let damaged = |why: String| SnapshotError::Damaged { path: path.to_path_buf(), why };
        let txn = env.read_txn().map_err(|error| damaged(error.to_string()))?;
        // A handle outlives its transaction only if that one is committed.
        let opened = env.open_databases_and_commit(txn, |opener, txn| -> heed::Result<_> {
            let mut handles = [None; Table::ALL.len()];
            for (table, handle) in Table::ALL.into_iter().zip(&mut handles) {
                *handle = opener.open_database::<Bytes, Bytes>(txn, Some(table.as_str()))?;
            }
            Ok(CommitOrAbort::<_, ()>::Commit(handles))
        });
        let opened = opened.map_err(|error| damaged(error.to_string()))?.unwrap_commit();
        Ok(Tables { handles: opened, env })
    }

    fn table(&self, table: Table) -> Result<Handle, LookupFailed> {
        let missing = || LookupFailed(format!("it has no table {}", table.as_str()).into());
        self.handles[table as usize].ok_or_else(missing)
    }

    fn find<T: Stored>(&self, table: Table, key: &[u8]) -> Result<Option<T>, LookupFailed> {
        let handle = self.table(table)?;
        let txn = self.env.read_txn().map_err(|error| LookupFailed(error.to_string().into()))?;
        let octets = handle.get(&txn, key).map_err(|error| LookupFailed(error.to_string().into()))?;
        octets.map(T::decode).transpose().map_err(LookupFailed::from)
    }

    fn entries(&self, table: Table) -> Result<Entries, LookupFailed> {
        let handle = self.table(table)?;
        let txn = self.env.read_txn().map_err(|error| LookupFailed(error.to_string().into()))?;
        let entries = handle.iter(&txn).map_err(|error| LookupFailed(error.to_string().into()))?;
        entries
            .map(|entry| entry.map(|(key, value)| (key.to_vec(), value.to_vec())))
            .collect::<heed::Result<_>>()
            .map_err(|error| LookupFailed(error.to_string().into()))
    }

    /// The format is looked at before anything that depends on it.
    fn header(&self, path: &Path) -> Result<Header, SnapshotError> {
        let damaged = |why: String| SnapshotError::Damaged { path: path.to_path_buf(), why };
        let entries = self.entries(Table::Header).map_err(|error| damaged(error.to_string()))?;
        let entry = |key: &[u8]| entries.iter().find(|(name, _)| name == key).map(|(_, octets)| octets.as_slice());
        let format = entry(FORMAT_KEY).and_then(|octets| octets.try_into().ok()).map(u32::from_le_bytes);
        match format {
            None => Err(damaged("it says no format version".to_owned())),
            Some(FORMAT_VERSION) => {
                let octets = entry(HEADER_KEY).ok_or_else(|| damaged("it has no header".to_owned()))?;
                Header::decode(octets).map_err(|error| damaged(error.to_string()))
            }
            Some(found) => Err(SnapshotError::Format { path: path.to_path_buf(), found }),
        }
    }
}

impl From<Damaged> for LookupFailed {
    fn from(damaged: Damaged) -> LookupFailed {
        LookupFailed(damaged.to_string().into())
    }
}

/// Digests the file and compares it with its name. Returns digest and length in octets.
fn verify(path: &Path) -> Result<(Box<str>, usize), SnapshotError> {
    let io = |error| SnapshotError::of_io(path, error);
    let mut file = File::open(path).map_err(io)?;
    if !file.metadata().map_err(io)?.is_file() {
        return Err(SnapshotError::NotAFile { path: path.to_path_buf() });
    }
    let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".mdb")).unwrap_or_default();
    if name.len() != 64 || !name.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Err(SnapshotError::NotNamedByDigest { path: path.to_path_buf() });
    }
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut octets = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                hasher.update(&buffer[..read]);
                octets += read;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(io(error)),
        }
    }
    let found = digest_hex(&hasher.finalize());
    if found != name {
        return Err(SnapshotError::WrongDigest { path: path.to_path_buf(), found });
    }
    Ok((name.into(), octets))
}

/// Why a snapshot cannot be served.
#[derive(Debug)]
pub enum SnapshotError {
    /// Nothing of that name.
    Missing {
        /// What was looked for.
        path: PathBuf,
    },
    /// A folder or device.
    NotAFile {
        /// What was found.
        path: PathBuf,
    },
    /// Its name is not `<64 hexadecimal digits>.mdb`.
    NotNamedByDigest {
        /// The file.
        path: PathBuf,
    },
    /// Its content is not what its name says: cut, damaged or changed.
    WrongDigest {
        /// The file.
        path: PathBuf,
        /// The digest of what is there.
        found: String,
    },
    /// Made for another version of the reader.
    Format {
        /// The file.
        path: PathBuf,
        /// Its format version.
        found: u32,
    },
    /// The octets are as the compiler wrote them, but make no sense.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What makes no sense.
        why: String,
    },
    /// It cannot be read.
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl SnapshotError {
    fn of_io(path: &Path, error: io::Error) -> SnapshotError {
        let path = path.to_path_buf();
        if error.kind() == io::ErrorKind::NotFound { SnapshotError::Missing { path } } else { SnapshotError::Io { path, error } }
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SnapshotError::Missing { path } => {
                write!(f, "there is no snapshot at {}; make one with `postern build SITE --out DIR`", path.display())
            }
            SnapshotError::NotAFile { path } => {
                write!(f, "{} is no file; name a .mdb, or a folder with `current`", path.display())
            }
            SnapshotError::NotNamedByDigest { path } => {
                write!(f, "{} is not named by its digest; keep the name that `postern build` gave it", path.display())
            }
            SnapshotError::WrongDigest { path, found } => {
                write!(f, "{} is cut or damaged: its content has the digest {found}; build it again", path.display())
            }
            SnapshotError::Format { path, found } => write!(
                f,
                "{} has snapshot format {found}, and this program reads format {FORMAT_VERSION}; \
                 build it with the `postern` of the same release",
                path.display()
            ),
            SnapshotError::Damaged { path, why } => write!(f, "{} makes no sense: {why}; build it again", path.display()),
            SnapshotError::Io { path, error } => write!(f, "{} cannot be read: {error}", path.display()),
        }
    }
}

impl std::error::Error for SnapshotError {}
