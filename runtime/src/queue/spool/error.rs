//! What can go wrong in the spool, in words for the operator.

use crate::queue::id::QueueId;
use postern_schema::reply::Reply;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why the spool did not do what it was asked. Cheap to clone: one failed flush answers many callers.
#[derive(Clone, Debug)]
pub enum SpoolError {
    /// Another process has the folder.
    InUse {
        /// The spool's folder.
        folder: PathBuf,
        /// The process, as far as its lock file says.
        pid: Option<u32>,
    },
    /// The folder was written by another version of Postern.
    Version {
        /// What says so.
        path: PathBuf,
        /// Its version.
        found: Box<str>,
        /// Ours.
        known: u32,
    },
    /// No room: nothing was taken. It is asked for again at the next call.
    Full {
        /// Where there is none.
        folder: PathBuf,
    },
    /// More messages than are kept in mind: nothing was taken.
    Crowded {
        /// The most that there may be.
        most: u64,
    },
    /// A message with more envelope and body than one record holds.
    TooLarge {
        /// Its size.
        octets: u64,
        /// The most that is possible.
        limit_octets: u64,
    },
    /// A message for nobody.
    NoRecipients,
    /// The message is not in the queue, or not any more.
    Unknown(QueueId),
    /// What is stored is not what was written.
    Corrupt {
        /// The message.
        id: QueueId,
        /// The file that holds it.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The system refused something else.
    Io {
        /// What was to be done: a verb that takes the path.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        error: Arc<io::Error>,
    },
    /// The spool is shut.
    Closed,
}

impl SpoolError {
    /// A system error while something was done with a path; want of room is an error of its own.
    pub(super) fn io(doing: &'static str, path: &Path, error: io::Error) -> SpoolError {
        use io::ErrorKind::{QuotaExceeded, StorageFull};
        match error.kind() {
            StorageFull | QuotaExceeded => SpoolError::Full { folder: path.parent().unwrap_or(path).to_owned() },
            _ => SpoolError::Io { doing, path: path.to_owned(), error: Arc::new(error) },
        }
    }

    /// What a client is told whose message was not taken.
    pub fn reply(&self) -> Reply {
        match self {
            SpoolError::Full { .. } | SpoolError::Crowded { .. } => Reply::INSUFFICIENT_STORAGE,
            SpoolError::TooLarge { .. } => Reply::TOO_BIG,
            SpoolError::NoRecipients => Reply::NO_VALID_RECIPIENTS,
            _ => Reply::LOCAL_ERROR,
        }
    }

    /// Whether there was no room: the client is told so, and may come back.
    pub fn is_full(&self) -> bool {
        matches!(self, SpoolError::Full { .. } | SpoolError::Crowded { .. })
    }
}

impl fmt::Display for SpoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SpoolError::InUse { folder, pid: Some(pid) } => {
                write!(f, "the queue in {} is in use by process {pid}: stop it, or name another folder", folder.display())
            }
            SpoolError::InUse { folder, pid: None } => {
                write!(f, "the queue in {} is in use: stop the other daemon, or name another folder", folder.display())
            }
            SpoolError::Version { path, found, known } => write!(
                f,
                "{} is of queue format {found}, and this posternd knows format {known}: \
                 let the version that wrote it deliver what it holds, or name another folder",
                path.display()
            ),
            SpoolError::Full { folder } => write!(f, "no room in {}: free some, nothing was taken", folder.display()),
            SpoolError::Crowded { most } => {
                write!(f, "{most} messages wait in the queue, and it takes no more: deliver or delete some")
            }
            SpoolError::TooLarge { octets, limit_octets } => {
                write!(f, "a message with its envelope takes {octets} octets, the queue holds at most {limit_octets}")
            }
            SpoolError::NoRecipients => f.write_str("a message without recipients cannot be queued"),
            SpoolError::Unknown(id) => write!(f, "{id} is not in the queue"),
            SpoolError::Corrupt { id, path, reason } => {
                write!(f, "{id} is damaged in {}: {reason}; hold it, and check the disk", path.display())
            }
            SpoolError::Io { doing, path, error } => write!(f, "cannot {doing} {}: {error}", path.display()),
            SpoolError::Closed => f.write_str("the queue is shut down"),
        }
    }
}

impl std::error::Error for SpoolError {}
