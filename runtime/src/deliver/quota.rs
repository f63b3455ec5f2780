//! How much Maildirs hold, for the quotas of the site. What a folder holds is counted from its files, the folders below it too, as
//! Dovecot lays them out; the size in a file name (`,S=4711`) saves a look at the file. A count is kept for a while, and added to.
//!
//! A mailbox that is full takes nothing more until its owner makes room; its mail waits, since that may be soon.

use std::collections::HashMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a count is good for a mailbox that has room.
const KEPT: Duration = Duration::from_secs(300);
/// How long it is good for one that is full: its owner may have made room.
const KEPT_FULL: Duration = Duration::from_secs(5);
/// The most counts that are kept.
const COUNTS_MAX: usize = 10_000;

/// See the module.
#[derive(Debug, Default)]
pub struct Quotas(Mutex<HashMap<PathBuf, Count>>);

#[derive(Clone, Copy, Debug)]
struct Count {
    octets: u64,
    counted: Instant,
}

impl Quotas {
    /// Whether a Maildir that may hold `most` octets has room for so many more; they count as delivered from now on. Blocking.
    pub fn admit(&self, folder: &Path, octets: u64, most: u64) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(folder).copied();
        let fits = |count: &Count| count.octets.saturating_add(octets) <= most;
        let is_good = |count: &Count| count.counted.elapsed() < if fits(count) { KEPT } else { KEPT_FULL };
        // Counting a large folder takes a while: others are not kept waiting for it.
        let count = known.filter(is_good).unwrap_or_else(|| Count { octets: used_octets(folder), counted: Instant::now() });
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= COUNTS_MAX {
            counts.clear();
        }
        let fits = fits(&count);
        let octets = if fits { count.octets + octets } else { count.octets };
        counts.insert(folder.to_path_buf(), Count { octets, ..count });
        fits
    }
}

/// The octets of all messages of a Maildir. What cannot be read holds nothing: the delivery itself will say what is wrong.
fn used_octets(folder: &Path) -> u64 {
    let below = fs::read_dir(folder).into_iter().flatten().flatten().filter(|entry| {
        // No link is followed: it may lead anywhere.
        entry.file_name().as_bytes().starts_with(b".") && entry.file_type().is_ok_and(|kind| kind.is_dir())
    });
    let folders = std::iter::once(folder.to_path_buf()).chain(below.map(|entry| entry.path()));
    let messages = folders.flat_map(|folder| ["new", "cur"].map(|part| folder.join(part)));
    let size = |entry: fs::DirEntry| said(entry.file_name().as_bytes()).or_else(|| Some(entry.metadata().ok()?.len()));
    messages.flat_map(|part| fs::read_dir(part).into_iter().flatten().flatten()).filter_map(size).sum()
}

/// The size in a file name.
fn said(name: &[u8]) -> Option<u64> {
    let at = memchr::memmem::find(name, b",S=")? + 3;
    let digits = name[at..].iter().take_while(|octet| octet.is_ascii_digit()).count();
    std::str::from_utf8(&name[at..at + digits]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_a_mailbox_counts_wherever_it_lies() {
        let root = tempfile::tempdir().unwrap();
        for (path, octets) in [("new/1", 10), ("cur/2,S=500:2,S", 1), (".Sent/cur/3", 5), ("tmp/4", 1000), ("sub/cur/5", 1000)] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, vec![b'x'; octets]).unwrap();
        }
        assert_eq!(used_octets(root.path()), 515);
        assert_eq!(used_octets(&root.path().join("missing")), 0);
    }

    #[test]
    fn a_message_that_does_not_fit_leaves_room_for_one_that_does() {
        let root = tempfile::tempdir().unwrap();
        let quotas = Quotas::default();
        assert!(quotas.admit(root.path(), 60, 100));
        assert!(!quotas.admit(root.path(), 60, 100), "what is on its way counts");
        assert!(quotas.admit(root.path(), 40, 100));
        assert!(!quotas.admit(root.path(), 1, 100));
    }
}
