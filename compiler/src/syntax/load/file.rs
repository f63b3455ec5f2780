//! Reading one file, with its limits.

use super::{LoadError, LoadOptions};
use std::io::Read;
use std::path::Path;

/// Largest source, in octets.
pub const SOURCE_MAX_OCTETS: u64 = 64 << 20;

/// The text of a file, or of the overlay that takes its place.
pub(super) fn read(path: &Path, options: &LoadOptions) -> Result<String, LoadError> {
    if let Some(text) = options.overlays.get(path) {
        return Ok(text.clone());
    }
    let unreadable = |error| LoadError::Unreadable { path: path.to_owned(), error };
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(LoadError::IsFolder { path: path.to_owned() });
    }
    // A pipe or device may never end, and would not be the same for the next reader.
    if !metadata.is_file() {
        return Err(LoadError::NotAFile { path: path.to_owned() });
    }
    let mut octets = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let read = file.take(SOURCE_MAX_OCTETS + 1).read_to_end(&mut octets).map_err(unreadable)?;
    if read as u64 > SOURCE_MAX_OCTETS {
        return Err(LoadError::TooLarge { path: path.to_owned(), octets: metadata.len().max(read as u64) });
    }
    String::from_utf8(octets)
        .map_err(|error| LoadError::NotUtf8 { path: path.to_owned(), offset: error.utf8_error().valid_up_to() })
}
