//! The credentials folder: one file per secret, by the name that the site gives it (`$CREDENTIALS_DIRECTORY` under systemd).

use postern_schema::site::SecretName;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The largest credential, in octets: a user list of a few ten thousand names, and far more than any key.
const LIMIT_OCTETS: u64 = 16 << 20;

/// A folder of secrets, which may be missing as long as nothing is asked of it.
#[derive(Clone, Debug)]
pub struct Credentials {
    folder: Option<PathBuf>,
}

/// One state of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    modified: SystemTime,
    inode: u64,
    octets: u64,
}

/// A credential cannot be had. Never holds any of its content.
#[derive(Debug)]
pub enum CredentialError {
    /// The daemon was started without a credentials folder.
    NoFolder(SecretName),
    /// The file cannot be read.
    Unreadable(PathBuf, io::Error),
    /// The file is larger than any credential.
    TooLarge(PathBuf),
    /// The file is not text.
    NotText(PathBuf),
    /// Others than the daemon may read the file, or write it: its mode.
    Exposed(PathBuf, u32),
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CredentialError::NoFolder(name) => write!(
                f,
                "the site names the credential {name}, and there is no credentials folder; \
                 give one with --credentials DIR or $CREDENTIALS_DIRECTORY"
            ),
            CredentialError::Unreadable(path, error) => write!(f, "credential {} cannot be read: {error}", path.display()),
            CredentialError::TooLarge(path) => write!(f, "credential {} is over {LIMIT_OCTETS} octets", path.display()),
            CredentialError::NotText(path) => write!(f, "credential {} is not UTF-8 text", path.display()),
            CredentialError::Exposed(path, mode) => {
                write!(f, "credential {} has mode {mode:04o}, so others can reach it: chmod 0600", path.display())
            }
        }
    }
}

impl std::error::Error for CredentialError {}

impl Credentials {
    /// Secrets are looked for in this folder.
    pub fn new(folder: Option<&Path>) -> Credentials {
        Credentials { folder: folder.map(Path::to_path_buf) }
    }

    /// The whole content of a credential.
    ///
    /// # Errors
    /// [`CredentialError`] names the file and what is wrong with it.
    pub fn read(&self, name: &SecretName) -> Result<String, CredentialError> {
        let (path, file) = self.open(name)?;
        text_of(path, file)
    }

    /// [`Credentials::read`] for a key whose file nobody but its owner may touch.
    ///
    /// # Errors
    /// The same, and [`CredentialError::Exposed`].
    pub fn read_private(&self, name: &SecretName) -> Result<String, CredentialError> {
        let (path, file) = self.open(name)?;
        let meta = file.metadata().map_err(|error| CredentialError::Unreadable(path.clone(), error))?;
        let mode = meta.mode() & 0o777;
        // systemd gives a service its credentials as files of root with an access list, which shows as a group that may read.
        let is_systemd = meta.uid() == 0 && meta.gid() == 0 && mode & 0o037 == 0;
        if mode & 0o077 != 0 && !is_systemd {
            return Err(CredentialError::Exposed(path, mode));
        }
        text_of(path, file)
    }

    fn open(&self, name: &SecretName) -> Result<(PathBuf, File), CredentialError> {
        let folder = self.folder.as_ref().ok_or_else(|| CredentialError::NoFolder(name.clone()))?;
        let path = folder.join(name.as_str());
        match File::open(&path) {
            Ok(file) => Ok((path, file)),
            Err(error) => Err(CredentialError::Unreadable(path, error)),
        }
    }

    /// What changes when somebody writes the file anew; `None`: it cannot be looked at.
    pub fn stamp(&self, name: &SecretName) -> Option<Stamp> {
        let metadata = std::fs::metadata(self.folder.as_ref()?.join(name.as_str())).ok()?;
        Some(Stamp { modified: metadata.modified().ok()?, inode: metadata.ino(), octets: metadata.len() })
    }

    /// The first line of a credential, without its end: a password or token.
    ///
    /// # Errors
    /// As for [`Credentials::read`].
    pub fn read_line(&self, name: &SecretName) -> Result<String, CredentialError> {
        Ok(self.read(name)?.lines().next().unwrap_or_default().to_owned())
    }
}

fn text_of(path: PathBuf, file: File) -> Result<String, CredentialError> {
    let mut octets = Vec::new();
    if let Err(error) = file.take(LIMIT_OCTETS + 1).read_to_end(&mut octets) {
        return Err(CredentialError::Unreadable(path, error));
    }
    if octets.len() as u64 > LIMIT_OCTETS {
        return Err(CredentialError::TooLarge(path));
    }
    String::from_utf8(octets).map_err(|_| CredentialError::NotText(path))
}
