//! The state folder: everything that the daemon writes lies in it.
//!
//! ```text
//! node             the number that makes queue ids of this folder unlike those of others
//! spool/           the queue, its format version, and the lock that keeps a second daemon out
//! tls/             the self-signed certificate, where the site wants one
//! acme/            the accounts at authorities, and the certificates that they made
//! drop/            what programs of this host handed in by sendmail(1), until it is in the queue
//! mail/            Maildirs whose path in the site is relative
//! history/         what became of messages, for `posternd trace`
//! reports/         what reports to others will be made of
//! mta-sts/         the MTA-STS policies of others
//! acquaintances    whom users wrote to, for `new-recipients`
//! greylist         which clients, senders and recipients were here together
//! pace             when peers with a rate may be given the next message
//! control.sock     the operator's socket
//! ```

use crate::queue::id::NODE_MAX;
use std::fmt;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// A state folder.
#[derive(Debug)]
pub struct State {
    folder: PathBuf,
    node: u16,
}

/// A state folder that cannot be read or written.
#[derive(Debug)]
pub struct StateError {
    path: PathBuf,
    error: io::Error,
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StateError { path, error } = self;
        write!(f, "the state folder is unusable: {}: {error}; give --state a folder that this user may write", path.display())
    }
}

impl std::error::Error for StateError {}

impl State {
    /// Opens a folder, and makes it where it is not there.
    ///
    /// # Errors
    /// [`StateError`] names what is in the way.
    pub fn open(folder: &Path) -> Result<State, StateError> {
        let at = |path: &Path| {
            let path = path.to_path_buf();
            move |error| StateError { path, error }
        };
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(at(folder))?;
        let folder = folder.canonicalize().map_err(at(folder))?;
        let node = node(&folder.join("node")).map_err(at(&folder.join("node")))?;
        Ok(State { folder, node })
    }

    /// The folder, absolute.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the queue lies.
    pub fn spool_folder(&self) -> PathBuf {
        spool_folder(&self.folder)
    }

    /// Where the history of messages lies.
    pub fn history_folder(&self) -> PathBuf {
        history_folder(&self.folder)
    }

    /// Where what reports are made of lies.
    pub fn reports_folder(&self) -> PathBuf {
        self.folder.join("reports")
    }

    /// What makes queue ids of this folder unlike those of others: 0 to 1023.
    pub fn node(&self) -> u16 {
        self.node
    }
}

/// Where the queue lies in a state folder, also for those who only look at it.
pub fn spool_folder(state: &Path) -> PathBuf {
    state.join("spool")
}

/// Where the history of messages lies in a state folder, also for those who only read it.
pub fn history_folder(state: &Path) -> PathBuf {
    state.join("history")
}

fn node(path: &Path) -> io::Result<u16> {
    if let Some(node) = fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()).filter(|node| *node <= NODE_MAX) {
        return Ok(node);
    }
    let mut octets = [0; 2];
    File::open("/dev/urandom")?.read_exact(&mut octets)?;
    let node = u16::from_le_bytes(octets) & NODE_MAX;
    fs::write(path, format!("{node}\n"))?;
    Ok(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_node_stays() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a/b");
        let node = State::open(&folder).unwrap().node();
        assert_eq!(State::open(&folder).unwrap().node(), node);
    }

    #[test]
    fn a_file_in_its_place_is_named() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("file");
        fs::write(&path, "").unwrap();
        assert!(State::open(&path).unwrap_err().to_string().contains("file"));
    }
}
