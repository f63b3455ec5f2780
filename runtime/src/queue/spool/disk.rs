//! What the spool asks of a file system, so that tests can put one in its place that is full, that lies about a flush, or that
//! dies at a given call. [`FileSystem`] is the real one.

use rustix::fs::FallocateFlags;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// The calls that change a file system, read the log, or ask for free space.
pub trait Disk: Send + Sync + 'static {
    /// Makes a new file that only its owner reads; an error where there is one already.
    ///
    /// # Errors
    /// The system's.
    fn create(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
    }

    /// Sets room aside, so that later writes within it need none: the file has this size then, all zeros.
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::StorageFull`] where there is no room.
    fn allocate(&self, file: &File, octets: u64) -> io::Result<()> {
        match rustix::fs::fallocate(file, FallocateFlags::empty(), 0, octets) {
            // A file system that cannot set room aside finds out at the write.
            Err(rustix::io::Errno::OPNOTSUPP) => file.set_len(octets),
            result => Ok(result?),
        }
    }

    /// Writes some of the slices at the offset, and says how many octets.
    ///
    /// # Errors
    /// The system's.
    fn write_at(&self, file: &File, slices: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        Ok(rustix::io::pwritev(file, slices, offset)?)
    }

    /// Fills the buffer from the offset on.
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::UnexpectedEof`] where the file ends before.
    fn read_exact_at(&self, file: &File, octets: &mut [u8], offset: u64) -> io::Result<()> {
        file.read_exact_at(octets, offset)
    }

    /// Makes the file shorter.
    ///
    /// # Errors
    /// The system's.
    fn cut(&self, file: &File, octets: u64) -> io::Result<()> {
        file.set_len(octets)
    }

    /// Returns once the content of the file would survive a loss of power.
    ///
    /// # Errors
    /// The system's. What was written since the last success is then in doubt, and stays so.
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    /// The same for the names in a folder.
    ///
    /// # Errors
    /// The system's.
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    /// Removes a file.
    ///
    /// # Errors
    /// The system's.
    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    /// What an ordinary user may still write.
    ///
    /// # Errors
    /// The system's.
    fn free_octets(&self, folder: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(folder)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

/// The file system of the host.
#[derive(Clone, Copy, Debug)]
pub struct FileSystem;

impl Disk for FileSystem {}

/// The most slices of one call (`IOV_MAX`).
const SLICES_MAX: usize = 1024;

/// Writes all of the slices.
pub(super) fn write_all_at(disk: &dyn Disk, file: &File, mut slices: &mut [IoSlice<'_>], mut offset: u64) -> io::Result<()> {
    // Empty slices at the front would be taken for a call that wrote nothing.
    IoSlice::advance_slices(&mut slices, 0);
    while !slices.is_empty() {
        let count = slices.len().min(SLICES_MAX);
        match disk.write_at(file, &slices[..count], offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                offset += written as u64;
                IoSlice::advance_slices(&mut slices, written);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
