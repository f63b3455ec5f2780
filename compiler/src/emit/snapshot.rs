//! Writes a [`Model`] as an LMDB file whose octets are a pure function of the model, its sources and the compiler's version.
//! The only LMDB writer, and one of the two places that may say `unsafe`. [`super::publish`] calls it.
//!
//! LMDB is reproducible under these rules, each of which is kept below: keys in order, one table after the other, appended,
//! in transactions of a fixed number of entries; a map size that follows from the content (it is stored in the file); no `WRITE_MAP`, no
//! `NO_MEM_INIT`; and the compacted copy is what counts, not the file that was written first. The page size is that of the
//! machine: a snapshot made where pages are not 4,096 octets long has another digest.

use crate::addresses::{Address, Form};
use crate::model::Model;
use heed::types::Bytes;
use heed::{CommitOrAbort, CompactionOption, Env, EnvFlags, EnvOpenOptions, PutFlags, WithoutTls};
use postern_schema::snapshot::codec::{Stored, Writer};
use postern_schema::snapshot::site::{self, Entries};
use postern_schema::snapshot::value::write_alias;
use postern_schema::snapshot::{FORMAT_VERSION, Header, SourceDigest, Table, digest_hex, key};
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A snapshot that was written and is durable, but that nobody has published.
#[derive(Debug)]
pub struct Written {
    /// The SHA-256 of its octets, in lower-case hexadecimal.
    pub digest: String,
    /// Where it lies: `<digest>.mdb` in the scratch folder.
    pub path: PathBuf,
}

/// Writes the snapshot of a model into `scratch`, an empty folder that nobody else uses.
///
/// # Errors
/// [`WriteError`]; what was written until then stays in `scratch`.
pub fn write(model: &Model, sources: &[SourceDigest], scratch: &Path) -> Result<Written, WriteError> {
    let content = Content { small: site::encode(&model.site), model };
    let grown = scratch.join("grown");
    let compact = scratch.join("compact");
    let copy = write_tables(&content, sources, &grown, &compact)?;
    // The disk and the processor are busy at the same time.
    let (durable, digest) = std::thread::scope(|scope| {
        let durable = scope.spawn(|| copy.sync_all());
        let digest = file_digest(&compact);
        (durable.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), digest)
    });
    durable.map_err(WriteError::io(&compact))?;
    fs::remove_file(&grown).map_err(WriteError::io(&grown))?;
    let digest = digest_hex(&digest.map_err(WriteError::io(&compact))?);
    let path = scratch.join(format!("{digest}.mdb"));
    fs::rename(&compact, &path).map_err(WriteError::io(&path))?;
    Ok(Written { digest, path })
}

/// The SHA-256 of a file.
///
/// # Errors
/// Whatever reading it meets.
pub fn file_digest(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().into()),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// The digest over every table but the header: the name, then each key and value, all preceded by their length.
#[derive(Default)]
pub struct SiteDigest(Sha256);

impl SiteDigest {
    /// Begins a table; its entries follow in key order.
    pub fn table(&mut self, table: Table) {
        self.part(table.as_str().as_bytes());
    }

    /// Takes one entry.
    pub fn entry(&mut self, key: &[u8], value: &[u8]) {
        self.part(key);
        self.part(value);
    }

    /// The digest of all that was taken.
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    fn part(&mut self, octets: &[u8]) {
        self.0.update((octets.len() as u64).to_le_bytes());
        self.0.update(octets);
    }
}

/// The tables of a snapshot but the header. Addresses are encoded as they are visited: there may be millions.
struct Content<'a> {
    small: Vec<(Table, Entries)>,
    model: &'a Model,
}

impl Content<'_> {
    /// Shows every entry of a table in key order.
    fn visit<E>(&self, table: Table, mut entry: impl FnMut(&[u8], &[u8]) -> Result<(), E>) -> Result<(), E> {
        match table {
            Table::Domains => self.model.domains.iter().try_for_each(|(name, domain)| entry(key::domain(name), &domain.encode())),
            // The map is ordered by domain, then local part; the NUL between the two sorts before every octet of a name, so
            // this is key order too.
            Table::Addresses => {
                let mut value = Writer::default();
                self.model.addresses.iter().filter_map(|address| Some((address.domain()?, address))).try_for_each(
                    |(domain, address)| {
                        value.clear();
                        write_address(&mut value, &address);
                        entry(&key::address(domain, address.local()), value.octets())
                    },
                )
            }
            _ => {
                let entries = self.small.iter().filter(|(name, _)| *name == table).flat_map(|(_, entries)| entries);
                entries.into_iter().try_for_each(|(key, value)| entry(key, value))
            }
        }
    }

    /// Room enough for the tables, as a function of nothing but their content.
    fn map_octets(&self, header: &Header) -> usize {
        const PAGE: usize = 4096;
        // Twice the payload covers pages that are half empty; a value that does not fit into a page starts a page of its own.
        let room = |octets: usize| {
            let own_page = if octets > PAGE / 4 { 2 * PAGE } else { 0 };
            2 * (octets + 16) + own_page
        };
        let mut octets: usize = header.entries().iter().map(|(key, value)| room(key.len() + value.len())).sum();
        for table in Table::ALL.into_iter().filter(|table| *table != Table::Addresses) {
            let Ok(()) = self.visit(table, |key, value| {
                octets += room(key.len() + value.len());
                Ok::<(), std::convert::Infallible>(())
            });
        }
        octets += self.model.addresses.declared().map(|address| room(stored_octets_at_most(&address))).sum::<usize>();
        // Every commit writes the way to the last leaf anew, and leaves the old one behind.
        let commits = 1 + self.model.addresses.len() / BATCH;
        (octets + 16 * (Table::ALL.len() + commits) * PAGE).next_multiple_of(1 << 20)
    }
}

fn write_address(value: &mut Writer, address: &Address<'_>) {
    if address.form() == Form::Alias {
        let targets = address.targets().map(|target| (target.local(), target.host_text()));
        write_alias(value, targets, address.origin());
    } else {
        address.to_entry().write(value);
    }
}

/// The most octets that an address takes in its table, key and all.
fn stored_octets_at_most(address: &Address<'_>) -> usize {
    let targets: usize = address.targets().map(|target| 8 + target.local().len() + target.host_text().len()).sum();
    let list = address.list_transport().map_or(0, |transport| 4 + transport.len());
    address.domain().map_or(0, |domain| domain.as_str().len()) + 1 + address.local().len() + 32 + targets + list
}

/// Addresses in one transaction: what it has changed is in memory until it ends.
const BATCH: usize = 1 << 14;

/// Writes every table into `grown`, then a compacted copy, not durable yet, into `compact`.
fn write_tables(content: &Content<'_>, sources: &[SourceDigest], grown: &Path, compact: &Path) -> Result<File, WriteError> {
    let mut header = Header {
        format: FORMAT_VERSION,
        compiler: env!("CARGO_PKG_VERSION").into(),
        sources: sources.to_vec(),
        site_digest: [0; 32],
    };
    let mut options = EnvOpenOptions::new().read_txn_without_tls();
    options.max_dbs(Table::ALL.len() as u32).map_size(content.map_octets(&header));
    // SAFETY: the map is sound as long as nobody else changes the file under it. `grown` does not exist before, lies in a
    // scratch folder that belongs to this call alone, and is removed by it; so no lock is needed, and nothing is lost by not
    // syncing it, since only the copy lives on.
    #[allow(unsafe_code)]
    let env = unsafe {
        options.flags(EnvFlags::NO_SUB_DIR | EnvFlags::NO_LOCK | EnvFlags::NO_SYNC);
        options.open(grown)
    }
    .map_err(WriteError::store(grown))?;
    fill(&env, content, &mut header).map_err(WriteError::store(grown))?;
    let mut copy = File::create_new(compact).map_err(WriteError::io(compact))?;
    env.copy_to_file(&mut copy, CompactionOption::Enabled).map_err(WriteError::store(compact))?;
    Ok(copy)
}

/// Puts every table into an empty environment, the header last: it holds the digest of the others.
fn fill(env: &Env<WithoutTls>, content: &Content<'_>, header: &mut Header) -> heed::Result<()> {
    let created = env.create_databases_and_commit(env.write_txn()?, |opener, txn| -> heed::Result<_> {
        let mut created = [None; Table::ALL.len()];
        for (table, database) in Table::ALL.into_iter().zip(&mut created) {
            *database = Some(opener.create_database::<Bytes, Bytes>(txn, Some(table.as_str()))?);
        }
        Ok(CommitOrAbort::<_, ()>::Commit(created))
    })?;
    let databases = Table::ALL.into_iter().zip(created.unwrap_commit()).filter_map(|(table, database)| Some((table, database?)));
    let (header_table, tables): (Vec<_>, Vec<_>) = databases.partition(|(table, _)| *table == Table::Header);
    let mut digest = SiteDigest::default();
    for (table, database) in tables {
        digest.table(table);
        let mut open = None;
        let mut room = BATCH;
        content.visit(table, |key, value| {
            digest.entry(key, value);
            let mut txn = match open.take() {
                Some(txn) => txn,
                None => env.write_txn()?,
            };
            database.put_with_flags(&mut txn, PutFlags::APPEND, key, value)?;
            room -= 1;
            if room == 0 {
                room = BATCH;
                return txn.commit();
            }
            open = Some(txn);
            heed::Result::Ok(())
        })?;
        if let Some(txn) = open {
            txn.commit()?;
        }
    }
    header.site_digest = digest.finish();
    let mut txn = env.write_txn()?;
    for (_, database) in header_table {
        for (key, value) in header.entries() {
            database.put_with_flags(&mut txn, PutFlags::APPEND, key, &value)?;
        }
    }
    txn.commit()
}

/// Why a snapshot could not be written.
#[derive(Debug)]
pub enum WriteError {
    /// The system refused.
    Io {
        /// The file in question.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// LMDB refused: a limit of its own that the compiler should have kept.
    Store(heed::Error),
}

impl WriteError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> WriteError {
        move |error| WriteError::Io { path: path.to_path_buf(), error }
    }

    fn store(path: &Path) -> impl FnOnce(heed::Error) -> WriteError {
        move |error| match error {
            heed::Error::Io(error) => WriteError::Io { path: path.to_path_buf(), error },
            other => WriteError::Store(other),
        }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteError::Io { path, error } => write!(f, "the snapshot cannot be written to {}: {error}", path.display()),
            WriteError::Store(error) => write!(f, "the snapshot cannot be written: {error}; this is a mistake in the compiler"),
        }
    }
}

impl std::error::Error for WriteError {}

#[cfg(test)]
mod tests;
