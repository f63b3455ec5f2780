//! From the files back to the index. Segments are read oldest first, and what a later record says of a message holds. A record
//! that is damaged does not end the reading: it is copied to `corrupt/` with the reason, and the reading goes on at the next
//! whole record. Only at the end of the last segment is damage taken for a write that a crash cut short, and dropped, since
//! nothing behind it was ever acknowledged. Called by [`super::Spool::open`], before anything is written.

use super::codec::{self, Malformed, Message};
use super::error::SpoolError;
use super::index::{self, Index, Location};
use super::record::{self, Kind, Record};
use super::segment::{self, FORMAT_VERSION, SegmentName, SegmentStart};
use crate::queue::id::QueueId;
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
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

/// What the files say.
#[derive(Default)]
pub(super) struct Replayed {
    pub(super) index: Index,
    pub(super) corrupt: Vec<CorruptReport>,
    pub(super) torn_tail_octets: u64,
    /// The largest id that any record speaks of.
    pub(super) last_id: Option<QueueId>,
    /// The newest segment and its end.
    pub(super) newest: Option<(u32, u32)>,
}

/// Reads the whole log.
///
/// # Errors
/// [`SpoolError::Version`] before anything is touched; [`SpoolError::Io`] for a file that cannot be read at all.
pub(super) fn replay(folder: &Path, segment_octets: u32) -> Result<Replayed, SpoolError> {
    let mut replayed = Replayed::default();
    let mut segments = Vec::new();
    let mut ends = HashMap::new();
    for name in segment::list(folder)? {
        let path = name.path(folder);
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(|error| SpoolError::io("open", &path, error))?;
        if let Some(start) = read_start(&file, name).map_err(|error| SpoolError::io("read", &path, error))? {
            check_version(&path, start.version)?;
            ends.extend(start.previous);
        }
        segments.push((name, file));
    }
    let mut octets = Vec::new();
    let count = segments.len();
    for (place, (name, file)) in segments.into_iter().enumerate() {
        let file = Arc::new(file);
        let end = ends.get(&name.number).map(|end| *end as usize);
        let path = name.path(folder);
        read_to(&file, end, &mut octets).map_err(|error| SpoolError::io("read", &path, error))?;
        replayed.index.add_segment(name, file.clone(), octets.len().max(segment_octets as usize) as u64);
        let is_open_ended = place + 1 == count;
        let end = replayed.segment(folder, name, &octets, is_open_ended);
        if is_open_ended {
            // Gives back the room that was set aside for more; if it fails, the room comes back with the segment.
            let _ = file.set_len(end as u64);
        }
        replayed.newest = Some((name.number, end as u32));
    }
    Ok(replayed)
}

fn check_version(path: &Path, found: u32) -> Result<(), SpoolError> {
    if found == FORMAT_VERSION {
        return Ok(());
    }
    Err(SpoolError::Version { path: path.to_owned(), found: found.to_string().into(), known: FORMAT_VERSION })
}

fn read_start(file: &File, name: SegmentName) -> io::Result<Option<SegmentStart>> {
    let mut octets = [0; segment::FIRST_OFFSET as usize];
    match file.read_exact_at(&mut octets, 0) {
        Ok(()) => Ok(SegmentStart::read(&octets, name.salt)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// Fills the buffer with the file, up to the end that it is known to have.
fn read_to(file: &File, end: Option<usize>, octets: &mut Vec<u8>) -> io::Result<()> {
    let size = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX).min(u32::MAX as usize);
    octets.clear();
    octets.resize(end.map_or(size, |end| end.min(size)), 0);
    file.read_exact_at(octets, 0)
}

impl Replayed {
    /// Reads one segment; answers with the offset behind its last whole record.
    fn segment(&mut self, folder: &Path, name: SegmentName, octets: &[u8], is_open_ended: bool) -> usize {
        let mut offset = 0;
        while offset < octets.len() {
            match record::read(&octets[offset..], name.salt) {
                Ok(record) => {
                    let end = (offset + record.octets()).min(octets.len());
                    if let Err(Malformed(reason)) = self.record(name, offset, &record) {
                        self.set_aside(folder, name, octets, offset..end, reason);
                    }
                    offset = end;
                }
                Err(reason) => match record::find(octets, offset + 1, name.salt) {
                    Some(next) => {
                        self.set_aside(folder, name, octets, offset..next, reason);
                        offset = next;
                    }
                    None => {
                        self.tail(folder, name, octets, offset, is_open_ended, reason);
                        break;
                    }
                },
            }
        }
        offset
    }

    /// What stands behind the last whole record: nothing, or octets that make no record.
    fn tail(
        &mut self, folder: &Path, name: SegmentName, octets: &[u8], offset: usize, is_open_ended: bool, reason: &'static str,
    ) {
        let Some(last) = octets[offset..].iter().rposition(|octet| *octet != 0) else { return };
        if is_open_ended {
            self.torn_tail_octets += last as u64 + 1;
        } else {
            self.set_aside(folder, name, octets, offset..offset + last + 1, reason);
        }
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
                self.last_id = self.last_id.max(Some(envelope.id));
                // Files are read up to 32 bits.
                let location = Location { segment: name.number, offset: offset as u32, octets: record.octets() as u32 };
                let message = index::Message { id: envelope.id, envelope: envelope_octets.into(), progress, file_octets };
                self.index.insert(message, location);
                changes
            }
        };
        for change in &changes {
            self.last_id = self.last_id.max(Some(change.id()));
            self.index.apply(change);
        }
        Ok(())
    }

    fn set_aside(&mut self, folder: &Path, name: SegmentName, octets: &[u8], range: Range<usize>, reason: &'static str) {
        self.corrupt.push(set_aside(folder, name, &octets[range.clone()], range.start, reason));
    }

    /// Messages whose body file is not there any more, or has another size, leave the index; body files that no message
    /// names are removed.
    ///
    /// # Errors
    /// [`SpoolError::Io`] where the folder cannot be read.
    pub(super) fn match_blobs(&mut self, folder: &Path, blobs: &Path) -> Result<(), SpoolError> {
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
                let _ = file.read_exact_at(&mut octets, location.offset.into());
                let reason = "the body file of a message is gone or has another size";
                self.corrupt.push(set_aside(folder, name, &octets, location.offset as usize, reason));
            }
            self.index.remove(id);
        }
        for file in blobs.read_dir().map_err(|error| SpoolError::io("read", blobs, error))?.flatten() {
            let id = file.file_name().to_str().and_then(QueueId::parse);
            let slot = id.and_then(|id| self.index.slot(id));
            if slot.is_none_or(|slot| slot.message.file_octets.is_none()) {
                // One that stays is tried again when the spool is opened next.
                let _ = fs::remove_file(file.path());
            }
        }
        Ok(())
    }
}

/// Copies damaged octets to `corrupt/`, with a text that says why.
pub(super) fn set_aside(folder: &Path, name: SegmentName, octets: &[u8], offset: usize, reason: &'static str) -> CorruptReport {
    let copy = super::corrupt_folder(folder).join(format!("{}-{offset}", name.stem()));
    let text = format!("{reason}\n\n{} octets at offset {offset} of {}\n", octets.len(), name.file_name());
    let saved = save(&copy, octets).and_then(|()| save(&copy.with_extension("reason"), text.as_bytes()));
    CorruptReport {
        segment: name.file_name(),
        offset: offset as u64,
        octets: octets.len() as u64,
        saved_as: saved.is_ok().then_some(copy),
        reason,
    }
}

fn save(path: &Path, octets: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(octets)
}
