//! Puts a snapshot and its DNS records into an output folder: `DIR/<digest>.mdb`, `DIR/current` and `DIR/dns/`.
//!
//! Everything is made in a scratch folder inside `DIR`, made durable and read back before any of it gets its final name; then
//! come renames alone, `current` last. A crash leaves the old state, the new one, or a scratch folder that the next run
//! removes. Of earlier snapshots the newest stay, [`GENERATIONS`] in all. Called by `postern build` and `postern up`.

use super::snapshot::{self, WriteError, Written};
use crate::model::Model;
use postern_schema::decide::Lookup;
use postern_schema::snapshot::{Snapshot, SnapshotError, SourceDigest};
use rustix::fs::{AtFlags, CWD, FlockOperation, RenameFlags, Timespec, Timestamps, UTIME_NOW};
use std::fmt;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// The name of the link to the snapshot in force.
const CURRENT: &str = "current";
/// The name of the folder of DNS records; it belongs to us, and is replaced as a whole.
const DNS: &str = "dns";
const SCRATCH_PREFIX: &str = ".scratch-";
/// How many snapshots stay in a folder: the one in force and those before it, so that what they decided can be explained, and so
/// that there is one to go back to.
pub const GENERATIONS: usize = 10;

/// The files of `DIR/dns/`: each by its path in there, with its text.
pub type DnsFiles = [(PathBuf, String)];

/// Compiles a model into an output folder, which is made if it is not there. Returns the digest. Without DNS files there is no
/// `DIR/dns/`, and one that is there stays.
///
/// # Errors
/// [`PublishError`]; whatever was published before is then still in force.
pub fn publish(model: &Model, sources: &[SourceDigest], dns: &DnsFiles, out: &Path) -> Result<String, PublishError> {
    fs::create_dir_all(out).map_err(PublishError::io(out))?;
    let folder = File::open(out).map_err(PublishError::io(out))?;
    // Two builds into one folder take turns. Where the file system has no locks they cannot harm each other either: only the
    // removal of what a crash left behind needs to know that nobody is at work.
    if rustix::fs::flock(&folder, FlockOperation::LockExclusive).is_ok() {
        remove_leftovers(out)?;
    }
    check_link(&out.join(CURRENT))?;
    let scratch = tempfile::Builder::new().prefix(SCRATCH_PREFIX).tempdir_in(out).map_err(PublishError::io(out))?;
    let written = snapshot::write(model, sources, scratch.path())?;
    verify(&written, model)?;
    fs::set_permissions(&written.path, Permissions::from_mode(0o444)).map_err(PublishError::io(&written.path))?;
    let records = scratch.path().join(DNS);
    if !dns.is_empty() {
        write_records(&records, dns)?;
    }
    let link = scratch.path().join(CURRENT);
    let name = format!("{}.mdb", written.digest);
    symlink(&name, &link).map_err(PublishError::io(&link))?;

    let target = out.join(name);
    // A file of that name and content may be mapped by a running daemon; there is nothing to gain from replacing it.
    if holds(&target, &written.digest) {
        // It is the newest generation now; where it is not ours to say so, it counts as old as it is.
        let _ = rustix::fs::utimensat(CWD, &target, &NOW, AtFlags::empty());
    } else {
        fs::rename(&written.path, &target).map_err(PublishError::io(&target))?;
    }
    if !dns.is_empty() {
        replace_folder(&records, &out.join(DNS))?;
    }
    folder.sync_all().map_err(PublishError::io(out))?;
    let current = out.join(CURRENT);
    fs::rename(&link, &current).map_err(PublishError::io(&current))?;
    folder.sync_all().map_err(PublishError::io(out))?;
    remove_old_generations(out, &target)?;
    Ok(written.digest)
}

/// The digest that [`publish`] would arrive at. Nothing stays behind.
///
/// # Errors
/// [`PublishError`], about the system's folder for temporary files.
pub fn digest(model: &Model, sources: &[SourceDigest]) -> Result<String, PublishError> {
    let scratch = tempfile::tempdir().map_err(PublishError::io(&std::env::temp_dir()))?;
    let written = snapshot::write(model, sources, scratch.path())?;
    verify(&written, model)?;
    Ok(written.digest)
}

/// What differs between an output folder and what [`publish`] would make of it; empty if nothing does.
pub fn differences(digest: &str, dns: &DnsFiles, out: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let current = out.join(CURRENT);
    match fs::read_link(&current) {
        Ok(target) if target == Path::new(&format!("{digest}.mdb")) => {
            if !holds(&out.join(target), digest) {
                found.push(format!("{digest}.mdb is missing or damaged"));
            }
        }
        Ok(target) => found.push(format!("{} is {}", current.display(), target.display())),
        Err(error) => found.push(format!("{}: {error}", current.display())),
    }
    for (path, text) in dns {
        let path = out.join(DNS).join(path);
        if fs::read(&path).ok().as_deref() != Some(text.as_bytes()) {
            found.push(format!("{} is missing or different", path.display()));
        }
    }
    found
}

/// Reads the snapshot back with the reader that the runtime uses.
fn verify(written: &Written, model: &Model) -> Result<(), PublishError> {
    let snapshot = Snapshot::open(&written.path).map_err(PublishError::Unreadable)?;
    if *snapshot.site() == model.site { Ok(()) } else { Err(PublishError::Different) }
}

fn holds(path: &Path, digest: &str) -> bool {
    snapshot::file_digest(path).is_ok_and(|found| postern_schema::snapshot::digest_hex(&found) == digest)
}

fn remove_leftovers(out: &Path) -> Result<(), PublishError> {
    for entry in fs::read_dir(out).map_err(PublishError::io(out))? {
        let entry = entry.map_err(PublishError::io(out))?;
        if entry.file_name().as_encoded_bytes().starts_with(SCRATCH_PREFIX.as_bytes()) {
            fs::remove_dir_all(entry.path()).map_err(PublishError::io(&entry.path()))?;
        }
    }
    Ok(())
}

/// The present, as utimensat(2) has it: no clock is read here, and none reaches the snapshot.
const NOW: Timestamps = Timestamps {
    last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
    last_modification: Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
};

/// Removes the snapshots that were published longest ago. A daemon that still serves one has it open, and keeps it.
fn remove_old_generations(out: &Path, in_force: &Path) -> Result<(), PublishError> {
    let mut old = Vec::new();
    for entry in fs::read_dir(out).map_err(PublishError::io(out))? {
        let path = entry.map_err(PublishError::io(out))?.path();
        let is_digest = |name: &str| name.len() == 64 && name.bytes().all(|octet| octet.is_ascii_hexdigit());
        let is_snapshot = path.extension().is_some_and(|extension| extension == "mdb")
            && path.file_stem().and_then(|name| name.to_str()).is_some_and(is_digest);
        if is_snapshot && path != in_force {
            // Another build may have removed it in the meantime.
            let Ok(published) = fs::metadata(&path).and_then(|found| found.modified()) else { continue };
            old.push((published, path));
        }
    }
    old.sort();
    let surplus = (old.len() + 1).saturating_sub(GENERATIONS);
    for (_, path) in &old[..surplus] {
        // What cannot be removed is in nobody's way, and the new snapshot is in force already.
        let _ = fs::remove_file(path);
    }
    Ok(())
}

fn write_records(folder: &Path, dns: &DnsFiles) -> Result<(), PublishError> {
    fs::create_dir(folder).map_err(PublishError::io(folder))?;
    for (path, text) in dns {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(PublishError::io(parent))?;
        }
        fs::write(&path, text).map_err(PublishError::io(&path))?;
    }
    Ok(())
}

/// Puts `new` in the place of `old`, at once where the file system can exchange two names. What was there goes to where `new`
/// was, to be removed with the scratch folder.
fn replace_folder(new: &Path, old: &Path) -> Result<(), PublishError> {
    if fs::symlink_metadata(old).is_err() {
        return fs::rename(new, old).map_err(PublishError::io(old));
    }
    if rustix::fs::renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE).is_ok() {
        return Ok(());
    }
    let aside = new.with_extension("old");
    fs::rename(old, &aside).and_then(|()| fs::rename(new, old)).map_err(PublishError::io(old))
}

/// A `current` that is no link was made by somebody else, and is not ours to replace.
fn check_link(current: &Path) -> Result<(), PublishError> {
    match fs::symlink_metadata(current) {
        Ok(found) if !found.is_symlink() => Err(PublishError::NotALink { path: current.to_path_buf() }),
        _ => Ok(()),
    }
}

/// Why nothing was published.
#[derive(Debug)]
pub enum PublishError {
    /// The system refused.
    Io {
        /// The file or folder in question.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// LMDB refused: a limit of its own that the compiler should have kept.
    Store(String),
    /// `current` is there and is not ours.
    NotALink {
        /// The file.
        path: PathBuf,
    },
    /// The snapshot that was just written cannot be read.
    Unreadable(SnapshotError),
    /// The snapshot that was just written holds something else.
    Different,
}

impl PublishError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> PublishError {
        move |error| PublishError::Io { path: path.to_path_buf(), error }
    }

    /// Whether the compiler itself is at fault, not the folder or the disk.
    pub fn is_internal(&self) -> bool {
        matches!(self, PublishError::Store(_) | PublishError::Unreadable(_) | PublishError::Different)
    }
}

impl From<WriteError> for PublishError {
    fn from(error: WriteError) -> PublishError {
        match error {
            WriteError::Io { path, error } => PublishError::Io { path, error },
            WriteError::Store(error) => PublishError::Store(error.to_string()),
        }
    }
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PublishError::Io { path, error } => {
                write!(f, "{}: {error}", path.display())?;
                match error.kind() {
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                        f.write_str("; make room, or name another folder with --out")
                    }
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                        f.write_str("; name a folder that you may write to with --out")
                    }
                    io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
                        f.write_str("; a folder is needed there: name another one with --out")
                    }
                    _ => Ok(()),
                }
            }
            PublishError::Store(error) => write!(f, "the snapshot cannot be written: {error}"),
            PublishError::NotALink { path } => {
                write!(f, "{} is no symbolic link; move it away, since it is not of our making", path.display())
            }
            PublishError::Unreadable(error) => write!(f, "the new snapshot cannot be read back: {error}"),
            PublishError::Different => f.write_str("the new snapshot does not hold what was written into it"),
        }
    }
}

impl std::error::Error for PublishError {}

#[cfg(test)]
mod tests;
