//! From the files back to the index. Segments are read oldest first, and what a later record says of a message holds. A record
//! that is damaged does not end the reading: it is copied to `corrupt/` with the reason, and the reading goes on at the next
//! whole record. Only at the end of the last segment is damage taken for a write that a crash cut short, and dropped, since
//! nothing behind it was ever acknowledged. In two steps, since a large queue takes longer to read than a client waits: [`look`] reads the
//! newest segment before anything is written, and [`Found::replay`] all of them while new mail is taken already.

use super::codec::{self, Malformed, Message};
use super::disk::Disk;
use super::error::SpoolError;
use super::index::{self, Index, Location};
use super::record::{self, Kind, Record};
use super::segment::{self, FORMAT_VERSION, SegmentName, SegmentStart};
use crate::queue::envelope::Change;
use crate::queue::id::QueueId;
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A part of the log that could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CorruptReport {
    /// The file.
    pub segment: String,
    /// Where in it.
    pub offset: u64,
    /// How much.
    pub octets: u64,
    /// The copy, beside which a file `<copy>.reason` says why; `None` where none could be made.
    pub saved_as: Option<PathBuf>,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl CorruptReport {
    fn new(name: SegmentName, damaged: &[u8], offset: usize, saved_as: Option<PathBuf>, reason: &'static str) -> CorruptReport {
        CorruptReport { segment: name.file_name(), offset: offset as u64, octets: damaged.len() as u64, saved_as, reason }
    }
}

/// Why octets were set aside that the disk did not give out.
pub(super) const UNREADABLE: &str = "the disk could not read it";
/// How much is read at once, and in which pieces what could not be read at once.
const READ_OCTETS: usize = 1 << 20;
const PIECE_OCTETS: usize = 4096;

/// Whose the log is while it is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Access {
    /// Ours: what is damaged is set aside, and what nothing needs is removed.
    #[default]
    Owner,
    /// Somebody else's, who has it at rest: nothing is changed.
    Reader,
}

/// The log as it lies there, with as much of it read as it takes to go on behind it.
pub(super) struct Found {
    /// Oldest first, each with its end where that is known.
    segments: Vec<(SegmentName, Arc<File>, Option<usize>)>,
    /// What a crash left half-written.
    torn_tail_octets: u64,
    /// The largest id that any record speaks of.
    pub(super) last_id: Option<QueueId>,
    /// The newest segment and its end.
    pub(super) newest: Option<(u32, u32)>,
    /// What the folder of body files held.
    blobs: Vec<PathBuf>,
    access: Access,
}

/// What the files say.
#[derive(Default)]
pub(super) struct Replayed {
    pub(super) index: Index,
    pub(super) corrupt: Vec<CorruptReport>,
    pub(super) torn_tail_octets: u64,
    access: Access,
}

/// Looks what there is, and reads the newest segment alone: where it ends, and which ids were given out.
///
/// # Errors
/// [`SpoolError::Version`] before anything is touched; [`SpoolError::Io`] for a file or folder that cannot be opened.
pub(super) fn look(folder: &Path, blobs: &Path, access: Access, disk: &dyn Disk) -> Result<Found, SpoolError> {
    let mut found = Found { segments: Vec::new(), torn_tail_octets: 0, last_id: None, newest: None, blobs: Vec::new(), access };
    let mut ends = HashMap::new();
    for name in segment::list(folder)? {
        let path = name.path(folder);
        let file = OpenOptions::new()
            .read(true)
            .write(access == Access::Owner)
            .open(&path)
            .map_err(|error| SpoolError::io("open", &path, error))?;
        if let Some(start) = read_start(&file, name, disk) {
            check_version(&path, start.version)?;
            ends.extend(start.previous);
            found.last_id = found.last_id.max(start.last_id);
        }
        found.segments.push((name, Arc::new(file), None));
    }
    for (name, _, end) in &mut found.segments {
        *end = ends.get(&name.number).map(|end| *end as usize);
    }
    let files = blobs.read_dir().map_err(|error| SpoolError::io("read", blobs, error))?;
    found.blobs = files.flatten().map(|file| file.path()).collect();
    found.end_of_newest(folder, disk)?;
    Ok(found)
}

impl Found {
    fn end_of_newest(&mut self, folder: &Path, disk: &dyn Disk) -> Result<(), SpoolError> {
        let Some((name, file, end)) = self.segments.last_mut() else { return Ok(()) };
        let path = name.path(folder);
        let mut octets = Vec::new();
        let unreadable = read_to(disk, file, None, &mut octets).map_err(|error| SpoolError::io("read", &path, error))?;
        let mut last_id = self.last_id;
        let mut torn_from = None;
        let stop = walk(&octets, name.salt, |piece| match piece {
            Piece::Record(_, record) => last_id = last_id.max(newest_id(record)),
            Piece::Damage(..) => {}
            Piece::Tail(start, _) => torn_from = Some(start),
        });
        self.last_id = last_id;
        let last = torn_from.and_then(|from| octets[from..].iter().rposition(|octet| *octet != 0));
        self.torn_tail_octets = last.map_or(0, |last| last as u64 + 1);
        // What could not be read was perhaps acknowledged: it is damage, and no torn write.
        if unreadable.iter().any(|range| range.end > stop) {
            self.torn_tail_octets = 0;
        } else {
            *end = Some(stop);
            if self.access == Access::Owner {
                // Gives back the room that was set aside for more; if it fails, the room comes back with the segment.
                let _ = file.set_len(stop as u64);
            }
        }
        self.newest = Some((name.number, stop as u32));
        Ok(())
    }

    /// Reads the whole log. What cannot be read is damage: it is set aside.
    pub(super) fn replay(self, folder: &Path, segment_octets: u32, disk: &dyn Disk) -> Replayed {
        let mut replayed = Replayed { torn_tail_octets: self.torn_tail_octets, access: self.access, ..Replayed::default() };
        let mut octets = Vec::new();
        for (name, file, end) in self.segments {
            // A file without a size holds nothing.
            let unreadable = read_to(disk, &file, end, &mut octets).unwrap_or_default();
            replayed.index.add_segment(name, file, octets.len().max(segment_octets as usize) as u64);
            replayed.segment(folder, name, &octets, &unreadable);
        }
        replayed.match_blobs(folder, &self.blobs, disk);
        replayed
    }
}

fn check_version(path: &Path, found: u32) -> Result<(), SpoolError> {
    if found == FORMAT_VERSION {
        return Ok(());
    }
    Err(SpoolError::Version { path: path.to_owned(), found: found.to_string().into(), known: FORMAT_VERSION })
}

/// The first record, or nothing where it is damaged or cannot be read: the replay says so.
fn read_start(file: &File, name: SegmentName, disk: &dyn Disk) -> Option<SegmentStart> {
    let mut octets = vec![0; (file.metadata().ok()?.len() as usize).min(segment::FIRST_OFFSET as usize)];
    disk.read_exact_at(file, &mut octets, 0).ok()?;
    SegmentStart::read(&octets, name.salt)
}

/// Fills the buffer with the file, up to the end that it is known to have. Answers with what could not be read; zeros stand there.
fn read_to(disk: &dyn Disk, file: &File, end: Option<usize>, octets: &mut Vec<u8>) -> io::Result<Vec<Range<usize>>> {
    let size = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX).min(u32::MAX as usize);
    octets.clear();
    octets.resize(end.map_or(size, |end| end.min(size)), 0);
    let mut unreadable = Vec::new();
    for (place, chunk) in octets.chunks_mut(READ_OCTETS).enumerate() {
        let start = place * READ_OCTETS;
        if disk.read_exact_at(file, chunk, start as u64).is_ok() {
            continue;
        }
        for (place, piece) in chunk.chunks_mut(PIECE_OCTETS).enumerate() {
            let start = start + place * PIECE_OCTETS;
            if disk.read_exact_at(file, piece, start as u64).is_err() {
                piece.fill(0);
                unreadable.push(start..start + piece.len());
            }
        }
    }
    Ok(unreadable)
}

/// What stands in a segment.
enum Piece<'a> {
    /// A whole record, and where.
    Record(usize, &'a Record<'a>),
    /// Octets between whole records that make none.
    Damage(Range<usize>, &'static str),
    /// From here on, no whole record stands.
    Tail(usize, &'static str),
}

/// Goes through a segment; answers with the offset behind its last whole record.
fn walk(octets: &[u8], salt: u64, mut visit: impl FnMut(Piece<'_>)) -> usize {
    let mut offset = 0;
    while offset < octets.len() {
        match record::read(&octets[offset..], salt) {
            Ok(record) => {
                visit(Piece::Record(offset, &record));
                offset = (offset + record.octets()).min(octets.len());
            }
            Err(reason) => match record::find(octets, offset + 1, salt) {
                Some(next) => {
                    visit(Piece::Damage(offset..next, reason));
                    offset = next;
                }
                None => {
                    visit(Piece::Tail(offset, reason));
                    break;
                }
            },
        }
    }
    offset
}

/// The newest id that a record speaks of.
fn newest_id(record: &Record<'_>) -> Option<QueueId> {
    let changes = match record.kind {
        Kind::Segment => return None,
        Kind::Changes => codec::changes(record.meta).unwrap_or_default(),
        Kind::Message => return Some(QueueId::from_number(record.id)),
    };
    changes.iter().map(Change::id).max()
}

impl Replayed {
    /// Reads one segment.
    fn segment(&mut self, folder: &Path, name: SegmentName, octets: &[u8], unreadable: &[Range<usize>]) {
        let why = |range: &Range<usize>, reason| {
            let is_hit = unreadable.iter().any(|hole| hole.start < range.end && range.start < hole.end);
            if is_hit { UNREADABLE } else { reason }
        };
        walk(octets, name.salt, |piece| match piece {
            Piece::Record(offset, record) => {
                if let Err(Malformed(reason)) = self.record(name, offset, record) {
                    let end = (offset + record.octets()).min(octets.len());
                    self.set_aside(folder, name, &octets[offset..end], offset, reason);
                }
            }
            Piece::Damage(range, reason) => {
                let reason = why(&range, reason);
                self.set_aside(folder, name, &octets[range.clone()], range.start, reason);
            }
            // Zeros are what was set aside for more and never written; where they cannot be read, they may be anything.
            Piece::Tail(start, reason) => {
                let range = start..octets.len();
                let last = octets[start..].iter().rposition(|octet| *octet != 0).map(|last| start + last + 1);
                match why(&range, reason) {
                    UNREADABLE => self.set_aside(folder, name, &octets[range], start, UNREADABLE),
                    reason if let Some(end) = last => self.set_aside(folder, name, &octets[start..end], start, reason),
                    _ => {}
                }
            }
        });
    }

    fn record(&mut self, name: SegmentName, offset: usize, record: &Record<'_>) -> Result<(), Malformed> {
        let changes = match record.kind {
            Kind::Segment => return Ok(()),
            Kind::Changes => codec::changes(record.meta)?,
            Kind::Message => {
                let Message { envelope, envelope_octets, progress, changes } = codec::message(record.meta)?;
                if envelope.id.number() != record.id {
                    return Err(Malformed("a message has another id than its record"));
                }
                // What the record does not hold is in the file.
                let rest_octets = envelope.body_octets.checked_sub(record.body.len() as u64);
                let file_octets = match (envelope.body_file, rest_octets) {
                    (None, Some(0)) => None,
                    (Some(_), Some(octets)) => Some(octets),
                    _ => return Err(Malformed("a body is of another size than its envelope says")),
                };
                // Files are read up to 32 bits.
                let location = Location { segment: name.number, offset: offset as u32, octets: record.octets() as u32 };
                let message = index::Message { id: envelope.id, envelope: envelope_octets.into(), progress, file_octets };
                self.index.insert(message, location);
                changes
            }
        };
        for change in &changes {
            self.index.apply(change);
        }
        Ok(())
    }

    fn set_aside(&mut self, folder: &Path, name: SegmentName, damaged: &[u8], offset: usize, reason: &'static str) {
        self.corrupt.push(match self.access {
            Access::Owner => set_aside(folder, name, damaged, offset, reason),
            Access::Reader => CorruptReport::new(name, damaged, offset, None, reason),
        });
    }

    /// Messages whose body file is not there any more, or has another size, leave the index; of the body files that were found, those
    /// that no message names are removed.
    fn match_blobs(&mut self, folder: &Path, found: &[PathBuf], disk: &dyn Disk) {
        let blobs = folder.join("blobs");
        let is_there = |message: &index::Message| {
            let meta = fs::metadata(blobs.join(message.id.to_string()));
            meta.is_ok_and(|meta| message.file_octets == Some(meta.len()))
        };
        let with_file = self.index.slots().filter(|slot| slot.message.file_octets.is_some());
        let lost: Vec<_> =
            with_file.filter(|slot| !is_there(&slot.message)).map(|slot| (slot.message.id, slot.location)).collect();
        for (id, location) in lost {
            let segment = self.index.segment(location.segment);
            if let Some((name, file)) = segment.map(|segment| (segment.name, segment.file.clone())) {
                let mut octets = vec![0; location.octets as usize];
                // What cannot be read is saved as zeros.
                let _ = disk.read_exact_at(&file, &mut octets, location.offset.into());
                let reason = "the body file of a message is gone or has another size";
                self.set_aside(folder, name, &octets, location.offset as usize, reason);
            }
            self.index.remove(id);
        }
        let strays = found.iter().filter(|_| self.access == Access::Owner);
        for path in strays {
            let id = path.file_name().and_then(|name| name.to_str()).and_then(QueueId::parse);
            let slot = id.and_then(|id| self.index.slot(id));
            if slot.is_none_or(|slot| slot.message.file_octets.is_none()) {
                // One that stays is tried again when the spool is opened next.
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// Copies damaged octets to `corrupt/`, with a text that says why.
pub(super) fn set_aside(folder: &Path, name: SegmentName, octets: &[u8], offset: usize, reason: &'static str) -> CorruptReport {
    let copy = super::corrupt_folder(folder).join(format!("{}-{offset}", name.stem()));
    let text = format!("{reason}\n\n{} octets at offset {offset} of {}\n", octets.len(), name.file_name());
    let saved = save(&copy, octets).and_then(|()| save(&copy.with_extension("reason"), text.as_bytes()));
    CorruptReport::new(name, octets, offset, saved.is_ok().then_some(copy), reason)
}

fn save(path: &Path, octets: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(octets)
}
