//! A disk that a test can fill, break and cut the power of. It keeps files where they are named, notes what was not flushed,
//! and takes that back when the power goes.

use super::*;
use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::os::unix::fs::MetadataExt;

/// A loss of power takes back what was not flushed by sectors, each of which may have reached the disk.
const SECTOR_OCTETS: u64 = 512;

#[derive(Default)]
struct State {
    /// Calls that change something, until all fail: the host has died.
    calls_left: Option<u64>,
    dead: bool,
    /// The call that fails, and how; those after it work again.
    failing_call: Option<(u64, io::ErrorKind)>,
    /// What can still be set aside.
    room_octets: Option<u64>,
    /// What can still be written, for a file system on which setting aside does not help.
    write_room_octets: Option<u64>,
    /// Flushes of files that fail from now on.
    failing_syncs: u32,
    /// Where reads fail, in every file.
    unreadable: Option<std::ops::Range<u64>>,
    /// Reports that flushes succeed and does not flush.
    lies: bool,
    calls: u64,
    syncs: u64,
    unsynced: BTreeMap<u64, (File, Vec<(u64, u64)>)>,
    /// What was cut off and where, by file, until it is flushed.
    cut: BTreeMap<u64, (File, u64, Vec<u8>)>,
    created: Vec<PathBuf>,
    /// Removed, but the folder was not flushed: the name, where the file is, and whether the name was not flushed either.
    removed: Vec<(PathBuf, PathBuf, bool)>,
}

pub(super) struct TestDisk {
    graveyard: tempfile::TempDir,
    state: Mutex<State>,
}

fn full() -> io::Error {
    io::ErrorKind::StorageFull.into()
}

impl TestDisk {
    pub(super) fn new() -> Arc<TestDisk> {
        Arc::new(TestDisk { graveyard: scratch(), state: Mutex::default() })
    }

    pub(super) fn die_after(&self, calls: u64) {
        lock(&self.state).calls_left = Some(calls);
    }

    /// That call alone fails.
    pub(super) fn fail_call(&self, number: u64, how: io::ErrorKind) {
        lock(&self.state).failing_call = Some((number, how));
    }

    pub(super) fn set_room(&self, octets: Option<u64>) {
        lock(&self.state).room_octets = octets;
    }

    pub(super) fn set_write_room(&self, octets: Option<u64>) {
        lock(&self.state).write_room_octets = octets;
    }

    pub(super) fn fail_syncs(&self, count: u32) {
        lock(&self.state).failing_syncs = count;
    }

    pub(super) fn fail_reads(&self, range: Option<std::ops::Range<u64>>) {
        lock(&self.state).unreadable = range;
    }

    pub(super) fn lie(&self) {
        lock(&self.state).lies = true;
    }

    /// Calls that changed something so far.
    pub(super) fn calls(&self) -> u64 {
        lock(&self.state).calls
    }

    /// Flushes of files so far.
    pub(super) fn syncs(&self) -> u64 {
        lock(&self.state).syncs
    }

    /// Whether the host has died.
    pub(super) fn is_dead(&self) -> bool {
        lock(&self.state).dead
    }

    /// Takes back what was not flushed: new names, removals, and of written sectors those for which the seed says so.
    pub(super) fn cut_power(&self, seed: u64) {
        let mut state = lock(&self.state);
        state.dead = true;
        if seed != u64::MAX {
            for (file, at, octets) in std::mem::take(&mut state.cut).into_values() {
                file.write_all_at(&octets, at).unwrap();
            }
        }
        for (file, ranges) in std::mem::take(&mut state.unsynced).into_values() {
            for (start, end) in ranges {
                let mut at = start;
                while at < end {
                    let next = ((at / SECTOR_OCTETS + 1) * SECTOR_OCTETS).min(end);
                    if !keeps(seed, at / SECTOR_OCTETS) {
                        // Where a file was new, there were zeros before.
                        file.write_all_at(&vec![0; (next - at) as usize], at).unwrap();
                    }
                    at = next;
                }
            }
        }
        for (path, grave, _) in state.removed.drain(..).filter(|(_, _, was_new)| !was_new || keeps(seed, u64::MAX - 1)) {
            fs::rename(grave, path).unwrap();
        }
        for path in state.created.drain(..).filter(|_| !keeps(seed, u64::MAX)) {
            let _ = fs::remove_file(path);
        }
    }

    fn call(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = lock(&self.state);
        if state.calls_left == Some(0) {
            state.dead = true;
        }
        if state.dead {
            return Err(io::Error::other("the host is dead"));
        }
        state.calls_left = state.calls_left.map(|calls| calls - 1);
        state.calls += 1;
        match state.failing_call {
            Some((number, how)) if number == state.calls => Err(how.into()),
            _ => Ok(state),
        }
    }
}

/// Seed 0 loses everything, seed `u64::MAX` keeps everything, others decide by sector.
fn keeps(seed: u64, sector: u64) -> bool {
    match seed {
        0 => false,
        u64::MAX => true,
        _ => (seed ^ sector).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63 == 1,
    }
}

impl Disk for TestDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        let mut state = self.call()?;
        let file = FileSystem.create(path)?;
        state.created.push(path.to_owned());
        Ok(file)
    }

    fn allocate(&self, file: &File, octets: u64) -> io::Result<()> {
        let mut state = self.call()?;
        if let Some(room) = &mut state.room_octets {
            *room = room.checked_sub(octets).ok_or_else(full)?;
        }
        file.set_len(octets)
    }

    fn write_at(&self, file: &File, slices: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        let mut state = self.call()?;
        let mut octets: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        if let Some(room) = &mut state.write_room_octets {
            octets.truncate(usize::try_from(*room).unwrap());
            *room -= octets.len() as u64;
            if octets.is_empty() {
                return Err(full());
            }
        } else if octets.len() > 1 && state.calls.is_multiple_of(5) {
            // A call may always write less than it was asked to.
            octets.truncate(octets.len() / 2);
        }
        file.write_all_at(&octets, offset)?;
        let end = offset + octets.len() as u64;
        let unsynced = state.unsynced.entry(file.metadata()?.ino()).or_insert((file.try_clone()?, Vec::new()));
        unsynced.1.push((offset, end));
        Ok(octets.len())
    }

    fn read_exact_at(&self, file: &File, octets: &mut [u8], offset: u64) -> io::Result<()> {
        let end = offset + octets.len() as u64;
        if lock(&self.state).unreadable.as_ref().is_some_and(|hole| hole.start < end && offset < hole.end) {
            return Err(io::Error::from_raw_os_error(5));
        }
        file.read_exact_at(octets, offset)
    }

    fn cut(&self, file: &File, octets: u64) -> io::Result<()> {
        let mut state = self.call()?;
        let mut tail = vec![0; (file.metadata()?.len() - octets) as usize];
        file.read_exact_at(&mut tail, octets)?;
        file.set_len(octets)?;
        let ino = file.metadata()?.ino();
        if let Some((_, ranges)) = state.unsynced.get_mut(&ino) {
            // What was written there and not flushed may be lost as well as the cut.
            ranges.retain(|(start, _)| *start < octets);
        }
        state.cut.insert(ino, (file.try_clone()?, octets, tail));
        Ok(())
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        let mut state = self.call()?;
        state.syncs += 1;
        if state.failing_syncs > 0 {
            state.failing_syncs -= 1;
            return Err(io::Error::from_raw_os_error(5));
        }
        if !state.lies {
            let ino = file.metadata()?.ino();
            state.unsynced.remove(&ino);
            state.cut.remove(&ino);
        }
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.call()?;
        state.created.retain(|path| path.parent() != Some(folder));
        state.removed.retain(|(path, ..)| path.parent() != Some(folder));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.call()?;
        let octets = fs::metadata(path)?.len();
        let grave = self.graveyard.path().join(state.calls.to_string());
        fs::rename(path, &grave)?;
        if let Some(room) = &mut state.room_octets {
            *room += octets;
        }
        let was_new = state.created.contains(&path.to_owned());
        state.created.retain(|new| new != path);
        state.removed.push((path.to_owned(), grave, was_new));
        Ok(())
    }

    fn free_octets(&self, _: &Path) -> io::Result<u64> {
        Ok(lock(&self.state).room_octets.unwrap_or(u64::MAX))
    }
}
