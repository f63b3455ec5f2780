//! Bodies on their way in and out. A body is gathered in memory up to the inline limit and then goes to a file of its own,
//! `blobs/<id>`, which is durable before the record that names it. The fields that we put in front of a message, which depend
//! on all of it (signatures, results), are its head: they stand in the record, before what the file holds. A file that no record came to name is removed: when the
//! writer of it is dropped, or when the spool is opened next.

use super::Shared;
use super::disk::{Disk, write_all_at};
use super::error::SpoolError;
use crate::fault::{Point, reach};
use crate::queue::id::{FreshId, QueueId};
use crate::queue::message::Body;
use bytes::Bytes;
use std::fmt;
use std::fs::File;
use std::io::{self, IoSlice, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Takes the octets of one message as they arrive.
///
/// Its calls write to files without async; [`BodyWriter::finish`] flushes one and may take long for a large body.
pub struct BodyWriter {
    shared: Arc<Shared>,
    id: QueueId,
    gathered: Vec<u8>,
    spill: Option<Spill>,
}

impl BodyWriter {
    pub(super) fn new(shared: Arc<Shared>, id: &FreshId) -> BodyWriter {
        BodyWriter { shared, id: id.id(), gathered: Vec::new(), spill: None }
    }

    /// What was written so far.
    pub fn octets(&self) -> u64 {
        self.gathered.len() as u64 + self.spill.as_ref().map_or(0, |spill| spill.octets)
    }

    /// Appends to the body.
    ///
    /// # Errors
    /// [`SpoolError::Full`] or [`SpoolError::Io`]: the body is lost, drop the writer.
    pub fn write(&mut self, octets: &[u8]) -> Result<(), SpoolError> {
        if let Some(spill) = &mut self.spill {
            return spill.write(octets);
        }
        if self.gathered.len() + octets.len() <= self.shared.options.inline_limit_octets {
            self.gathered.extend_from_slice(octets);
            return Ok(());
        }
        let mut spill = Spill::create(&self.shared, self.id)?;
        spill.write(&std::mem::take(&mut self.gathered))?;
        spill.write(octets)?;
        self.spill = Some(spill);
        Ok(())
    }

    /// The body behind its head, durable if it has a file.
    ///
    /// # Errors
    /// As for [`BodyWriter::write`].
    pub fn finish(self, head: Vec<u8>) -> Result<Body, SpoolError> {
        let head = Bytes::from(head);
        match self.spill {
            None => Ok(Body::Inline(vec![head, Bytes::from(self.gathered)])),
            Some(spill) => spill.finish(head).map(Body::File),
        }
    }
}

impl fmt::Debug for BodyWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyWriter").field("id", &self.id).field("octets", &self.octets()).finish_non_exhaustive()
    }
}

/// A body file that is being written.
struct Spill {
    shared: Arc<Shared>,
    file: File,
    name: Unclaimed,
    octets: u64,
    checksum: crc32fast::Hasher,
}

impl Spill {
    fn create(shared: &Arc<Shared>, id: QueueId) -> Result<Spill, SpoolError> {
        shared.check_room(0)?;
        let path = shared.blob_path(id);
        let file = shared.disk().create(&path).map_err(|error| SpoolError::io("make", &path, error))?;
        let name = Unclaimed { disk: shared.options.disk.clone(), path };
        Ok(Spill { shared: shared.clone(), file, name, octets: 0, checksum: crc32fast::Hasher::new() })
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), SpoolError> {
        write_all_at(self.shared.disk(), &self.file, &mut [IoSlice::new(octets)], self.octets)
            .map_err(|error| SpoolError::io("write", &self.name.path, error))?;
        self.checksum.update(octets);
        self.octets += octets.len() as u64;
        Ok(())
    }

    fn finish(self, head: Bytes) -> Result<SpilledBody, SpoolError> {
        let disk = self.shared.disk();
        reach(Point::BodyFileWritten);
        disk.sync(&self.file)
            .and_then(|()| disk.sync_folder(&self.shared.blobs()))
            .map_err(|error| SpoolError::io("flush", &self.name.path, error))?;
        reach(Point::BodyFileFlushed);
        Ok(SpilledBody { head, name: self.name, octets: self.octets, checksum: self.checksum.finalize() })
    }
}

/// A body in a file of its own, durable. The file is removed if no message takes it.
#[derive(Debug)]
pub struct SpilledBody {
    head: Bytes,
    name: Unclaimed,
    octets: u64,
    checksum: u32,
}

impl SpilledBody {
    /// The size of the whole.
    pub fn octets(&self) -> u64 {
        self.head.len() as u64 + self.octets
    }

    /// The head, for the record; what remains is the file.
    pub(super) fn take_head(&mut self) -> Bytes {
        std::mem::take(&mut self.head)
    }

    pub(in crate::queue) fn checksum(&self) -> u32 {
        self.checksum
    }

    /// A durable record names the file: from now on it lives as long as the message.
    pub(super) fn claim(mut self) {
        self.name.path = PathBuf::new();
    }
}

/// Removes the file when it is dropped, unless its path was emptied before.
struct Unclaimed {
    disk: Arc<dyn Disk>,
    path: PathBuf,
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        if self.path != Path::new("") {
            // What stays behind is removed when the spool is opened next.
            let _ = self.disk.remove(&self.path);
        }
    }
}

impl fmt::Debug for Unclaimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}

/// The octets of a queued message.
///
/// An inline body was verified before it is given out. The checksum of a body in a file is known at its end: the last read
/// is then an error of kind [`io::ErrorKind::InvalidData`]. Whoever passes it on must not say that it is complete before a
/// read has answered 0.
#[derive(Debug)]
pub enum BodyReader {
    /// In memory.
    Inline(Bytes),
    /// In a file.
    File(FileBody),
    /// Another beginning, then the rest of what is stored.
    Changed {
        /// What is left of the beginning.
        front: Bytes,
        /// How much of the rest it stands for.
        skip_octets: u64,
        /// What is stored.
        rest: Box<BodyReader>,
    },
}

/// The part of a body with a file that is still to be read.
#[derive(Debug)]
pub struct FileBody {
    head: Bytes,
    file: File,
    left_octets: u64,
    checksum: crc32fast::Hasher,
    expected: u32,
}

impl FileBody {
    pub(super) fn new(head: Bytes, file: File, octets: u64, expected: u32) -> FileBody {
        FileBody { head, file, left_octets: octets, checksum: crc32fast::Hasher::new(), expected }
    }
}

impl BodyReader {
    /// What is still to be read.
    pub fn left_octets(&self) -> u64 {
        match self {
            BodyReader::Inline(octets) => octets.len() as u64,
            BodyReader::File(body) => body.head.len() as u64 + body.left_octets,
            BodyReader::Changed { front, skip_octets, rest } => {
                front.len() as u64 + rest.left_octets().saturating_sub(*skip_octets)
            }
        }
    }

    /// With this in the place of so many first octets.
    pub fn changed(self, front: Vec<u8>, skip_octets: u64) -> BodyReader {
        BodyReader::Changed { front: front.into(), skip_octets, rest: Box::new(self) }
    }
}

impl Read for BodyReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            BodyReader::Inline(octets) => Ok(read_from(octets, out)),
            BodyReader::File(body) => body.read(out),
            BodyReader::Changed { front, .. } if !front.is_empty() => Ok(read_from(front, out)),
            BodyReader::Changed { skip_octets, rest, .. } => {
                while *skip_octets > 0 {
                    let most = usize::try_from(*skip_octets).unwrap_or(usize::MAX).min(out.len());
                    match rest.read(&mut out[..most])? {
                        0 => break,
                        read => *skip_octets -= read as u64,
                    }
                }
                rest.read(out)
            }
        }
    }
}

fn read_from(octets: &mut Bytes, out: &mut [u8]) -> usize {
    let taken = octets.split_to(out.len().min(octets.len()));
    out[..taken.len()].copy_from_slice(&taken);
    taken.len()
}

impl Read for FileBody {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if !self.head.is_empty() {
            return Ok(read_from(&mut self.head, out));
        }
        let damaged = |what| Err(io::Error::new(io::ErrorKind::InvalidData, what));
        let most = usize::try_from(self.left_octets).unwrap_or(usize::MAX).min(out.len());
        let read = self.file.read(&mut out[..most])?;
        self.checksum.update(&out[..read]);
        self.left_octets -= read as u64;
        if read == 0 && most > 0 {
            return damaged("the body file ends too early");
        }
        if self.left_octets == 0 && self.checksum.clone().finalize() != self.expected {
            return damaged("the checksum of the body file does not hold");
        }
        Ok(read)
    }
}
