//! What the greylist remembers, in memory and in one file of the state folder.
//!
//! The file is a line that says what it is, then records of one size, each with a checksum; a later record of a key counts. It is
//! written beside the mail, once a second at most: what the last second held may be lost, and is asked to come back once more.
//! When it has grown to several times what is remembered it is written anew. A disk that takes nothing costs memories at the next
//! restart, and no mail; a file that is damaged is set aside, and what stands before the damage counts.

use super::greylist::{Entry, Key, Remembrance};
use super::recent::Recent;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

const HEAD: &[u8] = b"postern greylist 1\n";
const RECORD_OCTETS: usize = 40;
/// Entries of one half, of those that wait and of those that are known.
const HALF: usize = 1 << 16;
/// A file of more octets is none of ours, and is not read.
const FILE_LIMIT_OCTETS: u64 = 64 << 20;
/// Below this size a file is not written anew.
const SMALL_OCTETS: u64 = 1 << 20;
/// Records that wait for the disk at most; with more of them, everything is written anew.
const UNSAVED_MAX: usize = 1 << 15;

/// See the module.
pub struct Memory {
    path: PathBuf,
    state: Mutex<State>,
    /// How many octets the file has, and whether it must be written anew; held while the disk works.
    file: Mutex<FileState>,
}

struct State {
    /// Apart from each other, so that a flood of new senders drives out nobody who is known.
    waiting: Recent<Key, Entry>,
    known: Recent<Key, Entry>,
    unsaved: Vec<(Key, Entry)>,
    overflowed: bool,
}

#[derive(Default)]
struct FileState {
    octets: u64,
    is_stale: bool,
    has_failed: bool,
}

impl State {
    fn new() -> State {
        State { waiting: Recent::of(HALF), known: Recent::of(HALF), unsaved: Vec::new(), overflowed: false }
    }

    fn put(&mut self, key: Key, entry: Entry) {
        if entry.passes == 0 {
            self.known.forget(&key);
            self.waiting.note(key, entry);
        } else {
            self.waiting.forget(&key);
            self.known.note(key, entry);
        }
    }
}

impl Remembrance for Memory {
    fn recall(&self, key: Key) -> Option<Entry> {
        let state = self.state();
        state.known.find(&key).or_else(|| state.waiting.find(&key)).copied()
    }

    fn note(&self, key: Key, entry: Entry) {
        let mut state = self.state();
        state.put(key, entry);
        if state.unsaved.len() < UNSAVED_MAX {
            state.unsaved.push((key, entry));
        } else {
            state.overflowed = true;
        }
    }
}

impl Memory {
    /// Reads what is there. A file that cannot be read is set aside, and said so.
    pub fn open(state_folder: &Path) -> Memory {
        let path = state_folder.join("greylist");
        let (mut state, mut file) = (State::new(), FileState::default());
        match read(&path) {
            Ok(None) => file.is_stale = true,
            Ok(Some(octets)) => {
                let (entries, end) = parse(&octets);
                entries.into_iter().for_each(|(key, entry)| state.put(key, entry));
                file.octets = octets.len() as u64;
                file.is_stale = end != End::Whole;
                if end == End::Damaged {
                    set_aside(&path, "a record of it is damaged");
                }
            }
            Err(error) => {
                file.is_stale = true;
                set_aside(&path, &error.to_string());
            }
        }
        Memory { path, state: Mutex::new(state), file: Mutex::new(file) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is guarded is whole at every moment, also after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many visits and clients are remembered, those that wait and those that are known.
    pub fn counts(&self) -> (usize, usize) {
        let state = self.state();
        (state.waiting.len(), state.known.len())
    }

    /// Whether something waits for the disk.
    pub fn has_news(&self) -> bool {
        !self.state().unsaved.is_empty() || self.file.lock().unwrap_or_else(PoisonError::into_inner).has_failed
    }

    /// Writes down what is new. Blocks on the disk, and nobody waits for it who has mail.
    pub fn save(&self) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let (unsaved, everything) = {
            let mut state = self.state();
            file.is_stale |= std::mem::take(&mut state.overflowed);
            let live = (state.waiting.len() + state.known.len()) as u64 * RECORD_OCTETS as u64;
            file.is_stale |= file.octets > SMALL_OCTETS.max(4 * live);
            let unsaved = std::mem::take(&mut state.unsaved);
            if unsaved.is_empty() && !file.has_failed {
                return;
            }
            (unsaved, file.is_stale.then(|| state.everything()))
        };
        let written = match &everything {
            Some(all) => rewrite(&self.path, all),
            None => append(&self.path, &unsaved).map(|octets| file.octets + octets),
        };
        match written {
            Ok(octets) => *file = FileState { octets, is_stale: false, has_failed: false },
            Err(error) => {
                if !file.has_failed {
                    tracing::warn!(%error, path = %self.path.display(), "the greylist cannot be noted; a restart will not know of it");
                }
                // Half of a record may stand there now.
                *file = FileState { is_stale: true, has_failed: true, ..*file };
            }
        }
    }
}

impl State {
    fn everything(&self) -> Vec<(Key, Entry)> {
        self.waiting.entries().chain(self.known.entries()).map(|(key, entry)| (*key, *entry)).collect()
    }
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut octets = Vec::new();
    file.take(FILE_LIMIT_OCTETS + 1).read_to_end(&mut octets)?;
    if octets.len() as u64 > FILE_LIMIT_OCTETS {
        return Err(io::Error::other("it is larger than the greylist ever is"));
    }
    if octets.starts_with(HEAD) { Ok(Some(octets)) } else { Err(io::Error::other("it is no greylist")) }
}

fn set_aside(path: &Path, why: &str) {
    let aside = path.with_extension("damaged");
    let renamed = fs::rename(path, &aside);
    tracing::error!(path = %path.display(), why, saved_as = %aside.display(), is_saved = renamed.is_ok(), "the greylist was set aside");
}

/// How a file ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    Whole,
    /// In the midst of a record, as a crash leaves it.
    Torn,
    Damaged,
}

fn parse(octets: &[u8]) -> (Vec<(Key, Entry)>, End) {
    let records = octets.get(HEAD.len()..).unwrap_or_default().chunks(RECORD_OCTETS);
    let (mut entries, count) = (Vec::new(), records.len());
    for (index, record) in records.enumerate() {
        match decode(record) {
            Some(entry) => entries.push(entry),
            // The last record may be what a crash left of it, in whatever length the file system gave it.
            None if index + 1 == count => return (entries, End::Torn),
            None => return (entries, End::Damaged),
        }
    }
    (entries, End::Whole)
}

fn encode(key: Key, entry: Entry) -> [u8; RECORD_OCTETS] {
    let mut record = [0; RECORD_OCTETS];
    record[..16].copy_from_slice(&key.0);
    record[16..24].copy_from_slice(&entry.first_ms.to_le_bytes());
    record[24..32].copy_from_slice(&entry.last_ms.to_le_bytes());
    record[32..36].copy_from_slice(&entry.passes.to_le_bytes());
    let checksum = crc32fast::hash(&record[..36]);
    record[36..].copy_from_slice(&checksum.to_le_bytes());
    record
}

fn decode(record: &[u8]) -> Option<(Key, Entry)> {
    let record: &[u8; RECORD_OCTETS] = record.try_into().ok()?;
    let number = |at: usize| Some(u64::from_le_bytes(record.get(at..at + 8)?.try_into().ok()?));
    let small = |at: usize| Some(u32::from_le_bytes(record.get(at..at + 4)?.try_into().ok()?));
    if small(36)? != crc32fast::hash(&record[..36]) {
        return None;
    }
    let key = Key(record[..16].try_into().ok()?);
    Some((key, Entry { first_ms: number(16)?, last_ms: number(24)?, passes: small(32)? }))
}

fn append(path: &Path, entries: &[(Key, Entry)]) -> io::Result<u64> {
    let text: Vec<u8> = entries.iter().flat_map(|(key, entry)| encode(*key, *entry)).collect();
    OpenOptions::new().append(true).open(path)?.write_all(&text)?;
    Ok(text.len() as u64)
}

fn rewrite(path: &Path, entries: &[(Key, Entry)]) -> io::Result<u64> {
    let new = path.with_extension("new");
    let records = entries.iter().flat_map(|(key, entry)| encode(*key, *entry));
    let text: Vec<u8> = HEAD.iter().copied().chain(records).collect();
    let mut file = File::create(&new)?;
    file.write_all(&text)?;
    file.sync_data()?;
    fs::rename(&new, path)?;
    Ok(text.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> Key {
        Key([number; 16])
    }

    fn entry(at: u64, passes: u32) -> Entry {
        Entry { first_ms: at, last_ms: at, passes }
    }

    fn written(folder: &Path) -> PathBuf {
        let memory = Memory::open(folder);
        memory.note(key(1), entry(10, 0));
        memory.save();
        memory.note(key(2), entry(20, 3));
        memory.note(key(1), entry(30, 1));
        memory.save();
        folder.join("greylist")
    }

    #[test]
    fn a_restart_remembers() {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path());
        let memory = Memory::open(folder.path());
        assert_eq!(memory.recall(key(1)), Some(entry(30, 1)));
        assert_eq!(memory.recall(key(2)), Some(entry(20, 3)));
        assert_eq!(memory.recall(key(3)), None);
        assert_eq!(memory.counts(), (0, 2));
    }

    #[test]
    fn what_a_crash_cut_off_costs_that_record_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path());
        let whole = fs::read(&path).unwrap();
        for cut in 1..RECORD_OCTETS {
            fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let memory = Memory::open(folder.path());
            assert_eq!((memory.recall(key(1)), memory.recall(key(2))), (Some(entry(10, 0)), Some(entry(20, 3))), "{cut}");
        }
        let memory = Memory::open(folder.path());
        memory.note(key(9), entry(9, 1));
        memory.save();
        assert_eq!(Memory::open(folder.path()).recall(key(9)), Some(entry(9, 1)), "a torn end is written anew");
    }

    #[test]
    fn a_damaged_file_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path());
        let whole = fs::read(&path).unwrap();
        let mut damaged = whole.clone();
        damaged[HEAD.len() + RECORD_OCTETS + 3] ^= 1;
        fs::write(&path, &damaged).unwrap();
        let memory = Memory::open(folder.path());
        assert_eq!((memory.recall(key(1)), memory.recall(key(2))), (Some(entry(10, 0)), None));
        assert_eq!(fs::read(path.with_extension("damaged")).unwrap(), damaged);
        fs::write(&path, "something else").unwrap();
        let memory = Memory::open(folder.path());
        assert_eq!(memory.counts(), (0, 0));
        memory.note(key(4), entry(4, 1));
        memory.save();
        assert_eq!(Memory::open(folder.path()).recall(key(4)), Some(entry(4, 1)));
    }

    #[test]
    fn a_disk_that_takes_nothing_loses_no_memory_of_this_run() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::open(&folder.path().join("gone"));
        memory.note(key(1), entry(10, 1));
        memory.save();
        assert_eq!(memory.recall(key(1)), Some(entry(10, 1)));
        // The disk is there again: everything is written, also what failed before.
        fs::create_dir(folder.path().join("gone")).unwrap();
        memory.save();
        assert_eq!(Memory::open(&folder.path().join("gone")).recall(key(1)), Some(entry(10, 1)));
    }

    #[test]
    fn the_file_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::open(folder.path());
        for round in 0..40_u64 {
            for number in 0..1000_u64 {
                let mut octets = [0; 16];
                octets[..8].copy_from_slice(&number.to_le_bytes());
                memory.note(Key(octets), entry(round, 1));
            }
            memory.save();
        }
        let octets = fs::metadata(folder.path().join("greylist")).unwrap().len();
        assert!(octets <= SMALL_OCTETS + 1000 * RECORD_OCTETS as u64, "{octets}");
    }
}
