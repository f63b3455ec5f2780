//! The life of messages, kept for `posternd trace`: every event that names a queue id, one JSON object a line, in files of the
//! state folder. They are written by a thread beside the mail and not flushed: after a loss of power, the last lines may be
//! missing, and the queue itself knows where each message stands. The oldest file goes when there are too many.

use postern_schema::dns::Recording;
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

/// Everything that is known of a message, oldest first: also how the notice about it fared, which has an id of its own, and what DNS
/// had said when a connection was made that the message went over later.
///
/// # Errors
/// A file cannot be read.
pub fn trace(folder: &Path, id: &str) -> io::Result<Vec<Value>> {
    let mut ids = vec![id.to_owned()];
    let mut found = Vec::new();
    for_each_event(folder, |line| {
        let may_be = |id: &String| memchr::memmem::find(line, id.as_bytes()).is_some();
        let Some(event) = ids.iter().any(may_be).then(|| read(line)).flatten() else { return };
        if ids.iter().any(|id| event["id"].as_str().is_some_and(|found| found.eq_ignore_ascii_case(id))) {
            ids.extend(event["notice"].as_str().map(str::to_owned));
            found.push(event);
        }
    })?;
    borrow_ways(folder, &mut found)?;
    Ok(found)
}

/// Calls for each line, oldest first.
fn for_each_event(folder: &Path, mut visit: impl FnMut(&[u8])) -> io::Result<()> {
    for number in numbers(folder) {
        for line in BufReader::new(File::open(path(folder, number))?).split(b'\n') {
            visit(&line?);
        }
    }
    Ok(())
}

/// An event; the last line of a process that died may be half a one.
fn read(line: &[u8]) -> Option<Value> {
    serde_json::from_slice(line).ok()
}

/// Puts before the first attempt over a connection of another message what DNS had said on the way there. Of that message, nothing
/// is shown but this.
fn borrow_ways(folder: &Path, found: &mut Vec<Value>) -> io::Result<()> {
    let text = |event: &Value, name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let mut wanted: Vec<(usize, String, String, Option<Value>)> = Vec::new();
    for (place, event) in found.iter().enumerate().filter(|(_, event)| event["message"] == "attempt") {
        let way = text(event, "way");
        let is_known = way.is_empty() || found.iter().any(|event| event["message"] == "known" && event["way"] == *way);
        if !is_known && wanted.iter().all(|(_, known, ..)| *known != way) {
            wanted.push((place, way, text(event, "timestamp"), None));
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    for_each_event(folder, |line| {
        for (_, way, until, last) in &mut wanted {
            let event = memchr::memmem::find(line, way.as_bytes()).and_then(|_| read(line));
            let is_it = |event: &Value| event["message"] == "known" && event["way"] == *way && text(event, "timestamp") <= *until;
            // A message that was tried again may have had a connection each time: the last one is meant.
            *last = event.filter(is_it).or(last.take());
        }
    })?;
    for (place, _, _, event) in wanted.into_iter().rev() {
        let Some(mut event) = event else { continue };
        let Ok(mut recording) = Recording::parse(&text(&event, "recording")) else { continue };
        let id = &found[place]["id"];
        let queued = found.iter().find(|event| event["message"] == "queued" && event["id"] == *id);
        recording.facts.retain(|(name, _)| &**name == "way");
        let said = [("from", queued.map(|event| &event["from"])), ("to", Some(&found[place]["to"]))];
        said.into_iter()
            .filter_map(|(name, value)| Some((name, value?.as_str()?)))
            .for_each(|(name, value)| recording.note(name, value));
        event["recording"] = recording.to_string().into();
        event["id"] = found[place]["id"].clone();
        found.insert(place, event);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
    fn a_message_that_went_over_a_connection_of_another_has_its_answers_and_nothing_else_of_it() {
        let root = tempfile::tempdir().unwrap();
        let known = |way: &str, minute: u32, address: &str| {
            let recording = format!("@way a.test\n@from x@secret.test\n@to y@secret.test\na.test A \"{address}\"\n");
            json!({ "timestamp": format!("00:0{minute}"), "id": "B2", "way": way, "recording": recording, "message": "known" })
        };
        let attempt = |id: &str, way: &str, minute: u32| json!({ "timestamp": format!("00:0{minute}"), "id": id, "to": "c@a.test", "way": way, "message": "attempt" });
        let lines = [
            known("B2.0", 1, "192.0.2.1"),
            known("B2.1", 2, "192.0.2.2"),
            known("B2.0", 3, "192.0.2.3"),
            attempt("B2", "B2.0", 3),
            json!({ "timestamp": "00:03", "id": "A1", "from": "d@e.test", "message": "queued" }),
            attempt("A1", "B2.0", 4),
            attempt("A1", "B2.0", 5),
            known("B2.0", 6, "192.0.2.4"),
        ];
        let mut history = History::open(root.path());
        lines.iter().for_each(|line| history.write_all(format!("{line}\n").as_bytes()).unwrap());
        let life = trace(root.path(), "A1").unwrap();
        let messages: Vec<_> = life.iter().map(|event| event["message"].as_str().unwrap()).collect();
        assert_eq!(messages, ["queued", "known", "attempt", "attempt"]);
        let recording = life[1]["recording"].as_str().unwrap();
        assert_eq!(recording, "@way a.test\n@from d@e.test\n@to c@a.test\na.test A \"192.0.2.3\"\n");
        assert!(life.iter().all(|event| event["id"] == "A1"));
        let own = trace(root.path(), "B2").unwrap();
        assert_eq!(own.iter().filter(|event| event["message"] == "known").count(), 4, "it has what is its own");
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
