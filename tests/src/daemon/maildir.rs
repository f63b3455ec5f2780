//! A Maildir from the reader's side: what lies in `new` and `cur`. It makes nothing, so that what is there is the daemon's.

use crate::wait;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A folder that holds `new`, `cur` and `tmp`, or does not exist yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maildir(PathBuf);

impl Maildir {
    /// The Maildir at a path.
    pub fn new(path: impl Into<PathBuf>) -> Maildir {
        Maildir(path.into())
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Every message file, in the order of the names.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = ["new", "cur"]
            .iter()
            .filter_map(|part| fs::read_dir(self.0.join(part)).ok())
            .flatten()
            .flatten()
            .map(|e| e.path())
            .collect();
        files.sort_unstable();
        files
    }

    /// How many messages are there.
    pub fn len(&self) -> usize {
        ["new", "cur"].iter().filter_map(|part| fs::read_dir(self.0.join(part)).ok()).map(Iterator::count).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every message, octet by octet.
    pub fn messages(&self) -> Vec<Vec<u8>> {
        self.files().iter().map(|path| fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).collect()
    }

    /// Waits for so many messages and gives all of them.
    ///
    /// # Panics
    /// If they do not come in time, or if more are there.
    pub fn wait_for(&self, messages: usize) -> Vec<Vec<u8>> {
        let what = format!("{messages} messages in {}", self.0.display());
        wait::until(&what, || (self.len() >= messages).then_some(()));
        assert_eq!(self.len(), messages, "{}", self.0.display());
        self.messages()
    }

    /// Waits for so many messages, or until the time is over, and says how many are there.
    pub fn wait_within(&self, messages: usize, limit: Duration) -> usize {
        wait::poll(limit, || Some(self.len()).filter(|found| *found >= messages)).unwrap_or_else(|| self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sees_new_and_cur_and_not_tmp() {
        let root = tempfile::tempdir().unwrap();
        let maildir = Maildir::new(root.path().join("m"));
        assert!(maildir.is_empty());
        for (part, text) in [("tmp", "t"), ("new", "n"), ("cur", "c")] {
            fs::create_dir_all(maildir.path().join(part)).unwrap();
            fs::write(maildir.path().join(part).join("1"), text).unwrap();
        }
        assert_eq!(maildir.wait_for(2), [b"c".to_vec(), b"n".to_vec()]);
    }
}
