//! A new text in the place of a file that a person has written: `fmt` and `key` change site files.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Puts the text in the place of the file at once, so that nobody ever reads half of it. The file keeps its mode; a symbolic
/// link stays one.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(fs::metadata(&path)?.permissions())?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    fs::File::open(folder)?.sync_all()
}
