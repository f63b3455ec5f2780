//! What was seen in a day, counted, on disk.
//!
//! One file for each kind of report and day, `tls-2026-11-28.jsonl`: a line of JSON for each thing that was seen, whose counts add
//! up, and a line for each report that went out. So a day can be read again after a crash, whatever its last line looks like.
//! A line is in the file before [`Journal::record`] returns, and flushed by [`Journal::sync`].
//!
//! What strangers can make us keep is bounded: so many different rows in a day, so many of one domain, and so many octets on
//! disk, since a file that has grown by repetition is written anew with its counts added up.

use super::day::Day;
use postern_schema::site::ReportKind;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most rows that are kept of one day, all domains together.
const ROW_LIMIT: usize = 20_000;
/// The most rows of one domain.
const DOMAIN_ROW_LIMIT: usize = 2_000;
/// The least growth of a file before it is written anew.
const GROWTH_OCTETS: u64 = 4 << 20;
/// More than this is not read of a file: none that was written here is as large.
const READ_LIMIT_OCTETS: u64 = 256 << 20;

/// What a row must be.
pub trait Entry: Clone + Ord + Serialize + DeserializeOwned {}
impl<T: Clone + Ord + Serialize + DeserializeOwned> Entry for T {}

/// What was seen in one day.
#[derive(Clone, Debug)]
pub struct Book<T> {
    /// By domain: each different row and how often it was seen.
    pub domains: BTreeMap<Box<str>, BTreeMap<T, u64>>,
    /// The domains that need no report any more: it is in the queue, or nobody wants it.
    pub done: BTreeSet<Box<str>>,
    rows: usize,
}

impl<T> Default for Book<T> {
    fn default() -> Book<T> {
        Book { domains: BTreeMap::new(), done: BTreeSet::new(), rows: 0 }
    }
}

/// A line of a file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line<T> {
    Seen { domain: Box<str>, count: u64, row: T },
    Done { domain: Box<str> },
}

impl<T: Entry> Book<T> {
    /// Counts a row; `false` where there is no room for another one.
    fn add(&mut self, domain: &str, row: &T, count: u64) -> bool {
        if let Some(rows) = self.domains.get_mut(domain) {
            if let Some(known) = rows.get_mut(row) {
                *known = known.saturating_add(count);
                return true;
            }
            if rows.len() >= DOMAIN_ROW_LIMIT {
                return false;
            }
        }
        if self.rows >= ROW_LIMIT {
            return false;
        }
        self.rows += 1;
        self.domains.entry(domain.into()).or_default().insert(row.clone(), count);
        true
    }

    /// Reads lines; what is none of ours is passed over.
    fn read(octets: &[u8]) -> Book<T> {
        let mut book = Book::default();
        for line in octets.split(|octet| *octet == b'\n') {
            match serde_json::from_slice(line) {
                Ok(Line::Seen { domain, count, row }) => {
                    book.add(&domain, &row, count);
                }
                Ok(Line::Done { domain }) => {
                    book.done.insert(domain);
                }
                Err(_) => {}
            }
        }
        book
    }

    fn lines(&self) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        for (domain, rows) in &self.domains {
            for (row, count) in rows {
                line(&mut out, &Line::Seen { domain: domain.clone(), count: *count, row: row.clone() })?;
            }
        }
        for domain in &self.done {
            line(&mut out, &Line::<T>::Done { domain: domain.clone() })?;
        }
        Ok(out)
    }
}

fn line<T: Serialize>(out: &mut Vec<u8>, line: &Line<T>) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.push(b'\n');
    Ok(())
}

/// What is seen, day by day.
#[derive(Debug)]
pub struct Journal<T> {
    folder: PathBuf,
    kind: ReportKind,
    open: Mutex<Option<Open<T>>>,
}

#[derive(Debug)]
struct Open<T> {
    day: Day,
    book: Book<T>,
    file: File,
    octets: u64,
    rewrite_at: u64,
    is_dirty: bool,
    is_full: bool,
}

impl<T: Entry> Journal<T> {
    /// Keeps its files in a folder, which is made when there is something to keep.
    pub fn new(folder: &Path, kind: ReportKind) -> Journal<T> {
        Journal { folder: folder.to_owned(), kind, open: Mutex::default() }
    }

    /// Counts one row. What cannot be kept is said in the log once, and mail goes on.
    pub fn record(&self, domain: &str, row: T, now_ms: u64) {
        let day = Day::of_ms(now_ms);
        let mut open = self.open();
        let counted = self.at(&mut open, day).and_then(|open| open.count(domain, row, &self.path(day)));
        if let Err(error) = counted {
            tracing::error!(%error, kind = self.kind.as_str(), "what reports are made of cannot be kept");
        }
    }

    /// Notes that the report of a domain for a day is no longer due, durably.
    ///
    /// # Errors
    /// It is not noted.
    pub fn finish(&self, day: Day, domain: &str) -> io::Result<()> {
        let mut out = Vec::new();
        line(&mut out, &Line::<T>::Done { domain: domain.into() })?;
        let mut open = self.open();
        if let Some(open) = open.as_mut().filter(|open| open.day == day) {
            open.book.done.insert(domain.into());
            open.file.write_all(&out)?;
            return open.file.sync_data();
        }
        let mut file = append(&self.path(day))?;
        file.write_all(&out)?;
        file.sync_data()
    }

    /// What was seen in a day.
    ///
    /// # Errors
    /// Its file cannot be read.
    pub fn book(&self, day: Day) -> io::Result<Book<T>> {
        if let Some(open) = self.open().as_ref().filter(|open| open.day == day) {
            return Ok(open.book.clone());
        }
        match File::open(self.path(day)) {
            Ok(file) => read(file).map(|octets| Book::read(&octets)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Book::default()),
            Err(error) => Err(error),
        }
    }

    /// The days of which something is kept, oldest first.
    pub fn days(&self) -> Vec<Day> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut days: Vec<Day> = entries.filter_map(|entry| self.day_of(entry.file_name().to_str()?)).collect();
        days.sort_unstable();
        days
    }

    fn day_of(&self, name: &str) -> Option<Day> {
        Day::parse(name.strip_prefix(self.kind.as_str())?.strip_prefix('-')?.strip_suffix(".jsonl")?)
    }

    /// Forgets a day.
    ///
    /// # Errors
    /// Its file cannot be removed.
    pub fn forget(&self, day: Day) -> io::Result<()> {
        let mut open = self.open();
        if open.as_ref().is_some_and(|open| open.day == day) {
            *open = None;
        }
        fs::remove_file(self.path(day))
    }

    /// Makes durable what was counted.
    pub fn sync(&self) {
        let mut open = self.open();
        let Some(dirty) = open.as_mut().filter(|open| open.is_dirty) else { return };
        dirty.is_dirty = false;
        // By a second descriptor, so that nobody waits for the disk.
        let file = dirty.file.try_clone();
        drop(open);
        if let Err(error) = file.and_then(|file| file.sync_data()) {
            tracing::error!(%error, kind = self.kind.as_str(), "what reports are made of is not durable");
        }
    }

    fn open(&self) -> MutexGuard<'_, Option<Open<T>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, day: Day) -> PathBuf {
        self.folder.join(format!("{}-{day}.jsonl", self.kind.as_str()))
    }

    /// The file of that day, open.
    fn at<'a>(&self, open: &'a mut Option<Open<T>>, day: Day) -> io::Result<&'a mut Open<T>> {
        // A clock that is set back writes into the day that it shows.
        if open.as_ref().is_some_and(|open| open.day != day) {
            *open = None;
        }
        match open {
            Some(open) => Ok(open),
            None => {
                DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
                Ok(open.insert(Open::at(&self.path(day), day)?))
            }
        }
    }
}

impl<T: Entry> Open<T> {
    fn at(path: &Path, day: Day) -> io::Result<Open<T>> {
        let mut file = append(path)?;
        let octets = read(&file)?;
        // The last line of a process that died may be half a one.
        if octets.last().is_some_and(|last| *last != b'\n') {
            file.write_all(b"\n")?;
        }
        let octets_now = octets.len() as u64 + 1;
        let rewrite_at = octets_now + GROWTH_OCTETS;
        Ok(Open { day, book: Book::read(&octets), file, octets: octets_now, rewrite_at, is_dirty: false, is_full: false })
    }

    fn count(&mut self, domain: &str, row: T, path: &Path) -> io::Result<()> {
        if !self.book.add(domain, &row, 1) {
            if !std::mem::replace(&mut self.is_full, true) {
                tracing::warn!(domain, "more is seen today than reports have room for");
            }
            return Ok(());
        }
        let mut out = Vec::with_capacity(512);
        line(&mut out, &Line::Seen { domain: domain.into(), count: 1, row })?;
        self.file.write_all(&out)?;
        self.octets += out.len() as u64;
        self.is_dirty = true;
        if self.octets > self.rewrite_at { self.rewrite(path) } else { Ok(()) }
    }

    /// The same day in fewer lines.
    fn rewrite(&mut self, path: &Path) -> io::Result<()> {
        let lines = self.book.lines()?;
        let beside = path.with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(&lines)?;
        file.sync_data()?;
        fs::rename(&beside, path)?;
        self.file = append(path)?;
        self.octets = lines.len() as u64;
        self.rewrite_at = 2 * self.octets + GROWTH_OCTETS;
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)
}

fn read(mut file: impl Read + Seek) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(READ_LIMIT_OCTETS).read_to_end(&mut octets)?;
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 1_795_867_200_000;

    fn journal(folder: &Path) -> Journal<u32> {
        Journal::new(folder, ReportKind::Tls)
    }

    #[test]
    fn counts_survive_whoever_counts() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("reports");
        let day = Day::of_ms(NOON);
        let first = journal(&folder);
        [1, 2, 1].into_iter().for_each(|row| first.record("a.example", row, NOON));
        first.record("b.example", 7, NOON);
        first.finish(day, "b.example").unwrap();
        let path = folder.join("tls-2026-11-28.jsonl");
        // What a power cut may leave.
        append(&path).unwrap().write_all(b"{\"seen\":{\"dom").unwrap();
        let second = journal(&folder);
        second.record("a.example", 2, NOON);
        for book in [second.book(day).unwrap(), journal(&folder).book(day).unwrap()] {
            assert_eq!(book.domains["a.example"], BTreeMap::from([(1, 2), (2, 2)]));
            assert_eq!(book.done.iter().collect::<Vec<_>>(), [&Box::from("b.example")]);
        }
        assert_eq!(second.days(), [day]);
        second.forget(day).unwrap();
        assert!(second.days().is_empty());
    }

    #[test]
    fn each_day_has_its_file() {
        let root = tempfile::tempdir().unwrap();
        let journal = journal(root.path());
        let tomorrow = NOON + 86_400_000;
        journal.record("a.example", 1, NOON);
        journal.record("a.example", 1, tomorrow);
        journal.record("a.example", 1, tomorrow);
        let days = journal.days();
        assert_eq!(days, [Day::of_ms(NOON), Day::of_ms(tomorrow)]);
        let counts: Vec<u64> = days.iter().map(|day| journal.book(*day).unwrap().domains["a.example"][&1]).collect();
        assert_eq!(counts, [1, 2]);
        journal.finish(days[0], "a.example").unwrap();
        assert_eq!(journal.book(days[0]).unwrap().done.len(), 1);
    }

    #[test]
    fn what_is_kept_is_bounded_in_rows_and_on_disk() {
        let root = tempfile::tempdir().unwrap();
        let journal = journal(root.path());
        (0..DOMAIN_ROW_LIMIT as u32 + 10).for_each(|row| journal.record("a.example", row, NOON));
        let day = Day::of_ms(NOON);
        assert_eq!(journal.book(day).unwrap().domains["a.example"].len(), DOMAIN_ROW_LIMIT);
        // Rows that are known go on counting, and the file is written anew.
        (0..150_000).for_each(|_| journal.record("a.example", 0, NOON));
        let octets = fs::metadata(root.path().join("tls-2026-11-28.jsonl")).unwrap().len();
        assert!(octets < GROWTH_OCTETS * 2, "{octets}");
        assert_eq!(Journal::<u32>::new(root.path(), ReportKind::Tls).book(day).unwrap().domains["a.example"][&0], 150_001);
    }

    #[test]
    fn a_disk_that_refuses_stops_nothing() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("reports"), "").unwrap();
        journal(&root.path().join("reports")).record("a.example", 1, NOON);
    }
}
