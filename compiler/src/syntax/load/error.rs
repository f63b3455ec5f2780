//! Why a file cannot be read: [`LoadError`].

use super::SOURCE_MAX_OCTETS;
use std::fmt;
use std::path::PathBuf;

/// Why a file cannot be read. For the site file itself this ends the run (exit status 66).
#[derive(Debug)]
pub enum LoadError {
    /// The system says so.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        error: std::io::Error,
    },
    /// A folder.
    IsFolder {
        /// The folder.
        path: PathBuf,
    },
    /// Neither file nor folder: a pipe, a device.
    NotAFile {
        /// What is there.
        path: PathBuf,
    },
    /// Not UTF-8.
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The offset of the first octet that is not.
        offset: usize,
    },
    /// Over [`SOURCE_MAX_OCTETS`].
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size, in octets.
        octets: u64,
    },
}

impl LoadError {
    /// What is wrong, without the path: fit to stand after it.
    pub fn cause(&self) -> String {
        match self {
            LoadError::Unreadable { error, .. } if error.kind() == std::io::ErrorKind::NotFound => "does not exist".to_owned(),
            LoadError::Unreadable { error, .. } => format!("cannot be read: {error}"),
            LoadError::IsFolder { .. } => "is a folder, not a file".to_owned(),
            LoadError::NotAFile { .. } => "is neither a file nor a folder".to_owned(),
            LoadError::NotUtf8 { offset, .. } => format!("is not UTF-8: octet {offset} is the first that is not"),
            LoadError::TooLarge { octets, .. } => format!("has {octets} octets, and {SOURCE_MAX_OCTETS} is the most"),
        }
    }

    /// The file.
    pub fn path(&self) -> &PathBuf {
        match self {
            LoadError::Unreadable { path, .. }
            | LoadError::IsFolder { path }
            | LoadError::NotAFile { path }
            | LoadError::NotUtf8 { path, .. }
            | LoadError::TooLarge { path, .. } => path,
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path().display(), self.cause())
    }
}

impl std::error::Error for LoadError {}
