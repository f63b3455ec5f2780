//! The life of messages, kept for `posternd trace`: every event that names a queue id, one JSON object a line, in files of the
//! state folder. They are written by a thread beside the mail and not flushed: after a loss of power, the last lines may be
//! missing, and the queue itself knows where each message stands. The oldest file goes when there are too many.

use serde_json::Value;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Size at which the next file begins.
const FILE_OCTETS: u64 = 64 << 20;
/// Files that are kept: half a gigabyte, some two million messages.
const FILES: usize = 8;

/// The files, open at the newest.
pub(super) struct History {
    folder: PathBuf,
    file: Option<File>,
    octets: u64,
}

impl History {
    /// Goes on behind what the folder holds.
    pub(super) fn open(folder: &Path) -> History {
        let newest = numbers(folder).last().copied().unwrap_or(1);
        let mut history = History { folder: folder.to_owned(), file: None, octets: 0 };
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        // Without it, mail goes on and `trace` finds less.
        if let Err(error) = made.and_then(|()| history.begin(newest)) {
            let _ = writeln!(io::stderr(), "{}: the history of messages cannot be kept: {error}", folder.display());
        }
        history
    }

    fn begin(&mut self, number: u64) -> io::Result<()> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path(&self.folder, number))?;
        self.octets = file.metadata()?.len();
        self.file = Some(file);
        Ok(())
    }

    fn roll(&mut self) -> io::Result<()> {
        let numbers = numbers(&self.folder);
        self.begin(numbers.last().map_or(1, |last| last + 1))?;
        for old in numbers.iter().rev().skip(FILES - 1) {
            fs::remove_file(path(&self.folder, *old))?;
        }
        Ok(())
    }
}

impl Write for History {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        if self.octets >= FILE_OCTETS {
            self.roll()?;
        }
        let Some(file) = &mut self.file else { return Ok(lines.len()) };
        file.write_all(lines)?;
        self.octets += lines.len() as u64;
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.jsonl"))
}

/// The numbers of the files that are there, in their order.
fn numbers(folder: &Path) -> Vec<u64> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let number = |name: std::ffi::OsString| name.to_str()?.strip_suffix(".jsonl")?.parse().ok();
    let mut numbers: Vec<u64> = entries.filter_map(|entry| number(entry.file_name())).collect();
    numbers.sort_unstable();
    numbers
}

/// Everything that is known of a message, oldest first: also how the notice about it fared, which has an id of its own.
///
/// # Errors
/// A file cannot be read.
pub fn trace(folder: &Path, id: &str) -> io::Result<Vec<Value>> {
    let mut ids = vec![id.to_owned()];
    let mut found = Vec::new();
    for number in numbers(folder) {
        for line in BufReader::new(File::open(path(folder, number))?).split(b'\n') {
            let line = line?;
            if !ids.iter().any(|id| memchr::memmem::find(&line, id.as_bytes()).is_some()) {
                continue;
            }
            // The last line of a process that died may be half a one.
            let Ok(event) = serde_json::from_slice::<Value>(&line) else { continue };
            if !ids.iter().any(|id| event["id"].as_str().is_some_and(|found| found.eq_ignore_ascii_case(id))) {
                continue;
            }
            ids.extend(event["notice"].as_str().map(str::to_owned));
            found.push(event);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_follows_a_message_to_its_notice() {
        let root = tempfile::tempdir().unwrap();
        let mut history = History::open(root.path());
        history.write_all(b"{\"id\":\"A1\",\"message\":\"queued\"}\n{\"id\":\"B2\",\"message\":\"queued\"}\n").unwrap();
        history.roll().unwrap();
        history.write_all(b"{\"id\":\"A1\",\"message\":\"sender notified\",\"notice\":\"C3\"}\n").unwrap();
        history.write_all(b"{\"id\":\"C3\",\"message\":\"attempt\"}\n{\"id\":\"A1\",\"mess").unwrap();
        let messages: Vec<_> = trace(root.path(), "A1").unwrap().into_iter().map(|event| event["message"].clone()).collect();
        assert_eq!(messages, ["queued", "sender notified", "attempt"]);
        assert!(trace(root.path(), "D4").unwrap().is_empty());
    }

    #[test]
    fn only_the_newest_files_are_kept() {
        let root = tempfile::tempdir().unwrap();
        let mut history = History::open(root.path());
        (0..2 * FILES).for_each(|_| history.roll().unwrap());
        let kept = numbers(root.path());
        assert_eq!(kept.len(), FILES);
        assert_eq!(kept.last(), Some(&(2 * FILES as u64 + 1)));
        assert_eq!(History::open(root.path()).folder, root.path());
        assert_eq!(numbers(root.path()), kept, "another process goes on in the newest");
    }
}
