//! Whom each user has written to: what `new-recipients` counts are the others. A stolen password is noticed by it, since those who
//! use one write to strangers.
//!
//! Kept in the state folder, 16 octets for each pair of a user and a recipient, of which nobody can read either. It is not flushed:
//! what is lost with the power is a recipient who counts as new once more. Bounded: the oldest are forgotten.

use super::levels::Levels;
use aws_lc_rs::digest;
use postern_schema::name::ForwardPath;
use postern_schema::site::Rate;
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// One pair: the beginning of a SHA-256.
type Pair = [u8; PAIR_OCTETS];
const PAIR_OCTETS: usize = 16;
/// The most pairs. When there are so many, the older half goes.
const PAIRS_MAX: usize = 1 << 19;

/// See the module.
pub struct Acquaintances {
    memory: Mutex<Memory>,
}

struct Memory {
    path: PathBuf,
    file: Option<File>,
    known: HashSet<Pair>,
    /// How many stand in the file.
    written: usize,
    strangers: Levels<Box<str>>,
}

impl Acquaintances {
    /// Reads what a state folder holds.
    pub fn open(folder: &Path) -> Acquaintances {
        let path = folder.join("acquaintances");
        let mut memory = Memory { path, file: None, known: HashSet::new(), written: 0, strangers: Levels::default() };
        if let Err(error) = memory.open() {
            // Everybody is new then, which is safe; and said, since it is not meant.
            tracing::error!(%error, path = %memory.path.display(), "whom users wrote to is not known");
        }
        Acquaintances { memory: Mutex::new(memory) }
    }

    /// Whether the user may write to them: they are known, or there is room for one more stranger.
    pub fn may_write(&self, user: &str, to: &ForwardPath, most: Rate, now: Instant) -> bool {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.known.contains(&pair(user, to))
            || memory.strangers.level(&user.into(), most.per.div_f64(most.count as f64), now) + 1.0 <= most.count as f64
    }

    /// Remembers that the user wrote to them. Writes to disk, a few octets.
    pub fn wrote(&self, user: &str, to: &ForwardPath, most: Rate, now: Instant) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = pair(user, to);
        if memory.known.contains(&pair) {
            return;
        }
        memory.strangers.add(user.into(), most.per.div_f64(most.count as f64), now);
        if let Err(error) = memory.remember(pair) {
            tracing::error!(%error, path = %memory.path.display(), "whom a user wrote to is not kept");
        }
    }
}

impl Memory {
    fn open(&mut self) -> io::Result<()> {
        let octets = match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            octets => octets?,
        };
        // The last one may be torn.
        let (pairs, _) = octets.as_chunks::<PAIR_OCTETS>();
        self.known = pairs.iter().rev().take(PAIRS_MAX).copied().collect();
        self.written = pairs.len();
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
        file.set_len((pairs.len() * PAIR_OCTETS) as u64)?;
        self.file = Some(file);
        if self.written >= PAIRS_MAX { self.forget_half() } else { Ok(()) }
    }

    fn remember(&mut self, pair: Pair) -> io::Result<()> {
        self.known.insert(pair);
        if let Some(file) = &mut self.file {
            file.write_all(&pair)?;
            self.written += 1;
        }
        if self.known.len() >= PAIRS_MAX {
            self.forget_half()?;
        }
        Ok(())
    }

    /// Keeps the younger half, in the file and here.
    fn forget_half(&mut self) -> io::Result<()> {
        let octets = fs::read(&self.path).unwrap_or_default();
        let (pairs, _) = octets.as_chunks::<PAIR_OCTETS>();
        let younger = &pairs[pairs.len().saturating_sub(PAIRS_MAX / 2)..];
        // Even where nothing can be written, memory is bounded.
        self.known = younger.iter().copied().collect();
        self.written = younger.len();
        let fresh = self.path.with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(younger.as_flattened())?;
        fs::rename(&fresh, &self.path)?;
        self.file = Some(OpenOptions::new().append(true).open(&self.path)?);
        Ok(())
    }
}

fn pair(user: &str, to: &ForwardPath) -> Pair {
    // A user's name has no line end, so no two pairs are written alike.
    let digest = digest::digest(&digest::SHA256, format!("{user}\n{}", to.to_string().to_ascii_lowercase()).as_bytes());
    std::array::from_fn(|index| digest.as_ref()[index])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const MOST: Rate = Rate { count: 2, per: Duration::from_secs(3600) };

    fn path(text: &str) -> ForwardPath {
        ForwardPath::parse(text).unwrap()
    }

    fn writes(known: &Acquaintances, user: &str, to: &str, now: Instant) -> bool {
        let may = known.may_write(user, &path(to), MOST, now);
        if may {
            known.wrote(user, &path(to), MOST, now);
        }
        may
    }

    #[test]
    fn strangers_count_and_acquaintances_do_not_even_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let now = Instant::now();
        let known = Acquaintances::open(folder.path());
        assert!(writes(&known, "alice", "a@x.test", now) && writes(&known, "alice", "b@x.test", now));
        assert!(!writes(&known, "alice", "c@x.test", now), "one too many");
        assert!(writes(&known, "alice", "A@X.test", now), "known by another spelling");
        assert!(writes(&known, "bob", "c@x.test", now), "another user has a count of their own");
        assert!(writes(&known, "alice", "c@x.test", now + MOST.per / 2), "one has faded");
        drop(known);
        // A torn pair at the end is dropped.
        let file = folder.path().join("acquaintances");
        let whole = fs::read(&file).unwrap();
        assert_eq!(whole.len(), 4 * PAIR_OCTETS);
        fs::write(&file, [&whole[..], b"torn"].concat()).unwrap();
        let known = Acquaintances::open(folder.path());
        assert_eq!(fs::read(&file).unwrap(), whole);
        let full = Rate { count: 1, ..MOST };
        known.wrote("alice", &path("d@x.test"), full, now);
        assert!(known.may_write("alice", &path("a@x.test"), full, now));
        assert!(!known.may_write("alice", &path("e@x.test"), full, now));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("acquaintances");
        let pairs: Vec<u8> = (0..PAIRS_MAX as u128).flat_map(u128::to_be_bytes).collect();
        fs::write(&file, &pairs).unwrap();
        let known = Acquaintances::open(folder.path());
        assert_eq!(fs::read(&file).unwrap(), &pairs[pairs.len() / 2..]);
        assert_eq!(known.memory.lock().unwrap().known.len(), PAIRS_MAX / 2);
    }
}
