//! Segment files: what they are called, how one begins, how one is made. `seg-<number>-<salt>.log`, both hexadecimal; the
//! numbers grow. The first record says the format version and where the segment before it ended, so that nothing behind that
//! end is ever taken for an acknowledged record: this is how a batch whose flush failed is undone. It also says the newest id that was
//! given out by then, so that a start has to read one segment only before it may give out the next.

use super::disk::{Disk, write_all_at};
use super::error::SpoolError;
use super::record::{self, Kind};
use crate::queue::id::QueueId;
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::IoSlice;
use std::path::{Path, PathBuf};

/// The format that this code writes and reads.
pub(super) const FORMAT_VERSION: u32 = 3;
/// Where the second record of a segment stands.
pub(super) const FIRST_OFFSET: u32 = (record::HEADER_OCTETS + START_META_OCTETS) as u32;
const START_META_OCTETS: usize = 24;

/// What a file name says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct SegmentName {
    pub(super) number: u32,
    pub(super) salt: u64,
}

impl SegmentName {
    /// A name with a salt that nobody can guess: `RandomState` takes its keys from the system's randomness.
    pub(super) fn new(number: u32) -> SegmentName {
        SegmentName { number, salt: RandomState::new().build_hasher().finish() }
    }

    pub(super) fn parse(file_name: &str) -> Option<SegmentName> {
        let (number, salt) = file_name.strip_prefix("seg-")?.strip_suffix(".log")?.split_once('-')?;
        let name = SegmentName { number: u32::from_str_radix(number, 16).ok()?, salt: u64::from_str_radix(salt, 16).ok()? };
        (name.file_name() == file_name).then_some(name)
    }

    /// Without `.log`.
    pub(super) fn stem(self) -> String {
        format!("seg-{:08x}-{:016x}", self.number, self.salt)
    }

    pub(super) fn file_name(self) -> String {
        format!("{}.log", self.stem())
    }

    pub(super) fn path(self, folder: &Path) -> PathBuf {
        folder.join(self.file_name())
    }
}

/// What the first record says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct SegmentStart {
    pub(super) version: u32,
    /// The segment before it and the offset of its end; `None` for the first.
    pub(super) previous: Option<(u32, u32)>,
    /// The newest id that was given out before it; `None` where there was none.
    pub(super) last_id: Option<QueueId>,
}

impl SegmentStart {
    fn seal(self, name: SegmentName) -> Vec<u8> {
        let (number, end) = self.previous.unwrap_or((0, 0));
        let mut octets = record::seal(Kind::Segment, name.number.into(), &[], |meta| {
            for value in [self.version, number, end, 0] {
                meta.extend_from_slice(&value.to_le_bytes());
            }
            meta.extend_from_slice(&self.last_id.map_or(0, QueueId::number).to_le_bytes());
        });
        record::salt(&mut octets, name.salt);
        octets
    }

    /// Reads it from the start of a segment; `None` where it is damaged.
    pub(super) fn read(octets: &[u8], salt: u64) -> Option<SegmentStart> {
        let record = record::read(octets, salt).ok().filter(|record| record.kind == Kind::Segment)?;
        let mut values = record.meta.chunks_exact(4).map(|value| u32::from_le_bytes([value[0], value[1], value[2], value[3]]));
        let (version, number, end) = (values.next()?, values.next()?, values.next()?);
        // Another format ends its first record where it likes.
        let last_id = record.meta.get(16..24).and_then(|octets| octets.try_into().ok()).map_or(0, u64::from_le_bytes);
        let last_id = (last_id > 0).then(|| QueueId::from_number(last_id));
        // Nothing ends before its own first record, so 0 is free to mean that there is no segment before.
        Some(SegmentStart { version, previous: (end > 0).then_some((number, end)), last_id })
    }
}

/// Makes a file of that size, with nothing in it. Leaves nothing behind where it fails.
pub(super) fn make(disk: &dyn Disk, path: &Path, octets: u32) -> Result<File, SpoolError> {
    let file = disk.create(path).map_err(|error| SpoolError::io("make", path, error))?;
    disk.allocate(&file, octets.into()).map(|()| file).map_err(|error| {
        let _ = disk.remove(path);
        SpoolError::io("make", path, error)
    })
}

/// Makes the file a segment, durable with its first record and its name. Where it fails, it may still be one after a crash:
/// the segment before it must not grow once this was called.
pub(super) fn begin(
    disk: &dyn Disk, folder: &Path, name: SegmentName, file: &File, start: SegmentStart,
) -> Result<(), SpoolError> {
    let start = start.seal(name);
    let begun = write_all_at(disk, file, &mut [IoSlice::new(&start)], 0)
        .and_then(|()| disk.sync(file))
        .and_then(|()| disk.sync_folder(folder));
    begun.map_err(|error| {
        let path = name.path(folder);
        let _ = disk.remove(&path);
        SpoolError::io("begin", &path, error)
    })
}

/// The segments in a folder, oldest first. Other files are let be.
pub(super) fn list(folder: &Path) -> Result<Vec<SegmentName>, SpoolError> {
    let names = folder.read_dir().and_then(|entries| {
        entries.map(|entry| Ok(entry?.file_name().to_str().and_then(SegmentName::parse))).collect::<std::io::Result<Vec<_>>>()
    });
    let mut names: Vec<SegmentName> =
        names.map_err(|error| SpoolError::io("read", folder, error))?.into_iter().flatten().collect();
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_others_are_none() {
        let name = SegmentName { number: 0x1f, salt: 0xabc };
        assert_eq!(name.file_name(), "seg-0000001f-0000000000000abc.log");
        assert_eq!(SegmentName::parse(&name.file_name()), Some(name));
        for other in ["seg-1f-abc.log", "seg-0000001f-0000000000000ABC.log", "seg-0000001f-0000000000000abc.log.gz", "lock"] {
            assert_eq!(SegmentName::parse(other), None, "{other}");
        }
        assert_ne!(SegmentName::new(1).salt, SegmentName::new(1).salt);
    }

    #[test]
    fn a_start_reads_back() {
        let name = SegmentName { number: 2, salt: 9 };
        for (previous, last_id) in [(None, None), (Some((1, 56)), Some(QueueId::from_number(77)))] {
            let start = SegmentStart { version: FORMAT_VERSION, previous, last_id };
            let octets = start.seal(name);
            assert_eq!(octets.len(), FIRST_OFFSET as usize);
            assert_eq!(SegmentStart::read(&octets, 9), Some(start));
            assert_eq!(SegmentStart::read(&octets, 8), None);
        }
    }
}
