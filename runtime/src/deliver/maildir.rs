//! Delivery into a Maildir: write to `tmp`, flush, move to `new`, flush the folder. Blocking; called on a thread of its own.
//! What a batch flushes is flushed together: a disk does a few hundred flushes a second, and one for each message would be the
//! speed of the whole daemon.
//!
//! Files hold text with LF line ends, as every Maildir reader on Unix expects, and begin with `Return-Path` and `Delivered-To`
//! (RFC 5321 4.4). The file name follows from queue id and recipient, so a delivery that is repeated because the daemon died
//! before it could note the first one finds the file there and adds none.

use super::flush::{Dirty, flush, flush_folders};
use super::lane::Job;
use crate::fault::{Point, reach};
use crate::queue::spool::BodyReader;
use postern_schema::name::Mailbox;
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// How much text is copied at once.
const BUFFER_OCTETS: usize = 32 << 10;

/// One message for one mailbox.
#[derive(Debug)]
pub struct Delivery {
    /// The Maildir, the folder that holds `new`.
    pub folder: PathBuf,
    /// The file name, the same at every attempt.
    pub file_name: String,
    /// `Return-Path` and `Delivered-To`, with CRLF line ends.
    pub fields: Vec<u8>,
    /// The message, with CRLF line ends.
    pub message: BodyReader,
}

/// Why a mailbox did not take a message. The message stays queued.
#[derive(Debug)]
pub struct MaildirError {
    path: PathBuf,
    error: io::Error,
}

impl MaildirError {
    fn new(path: &Path, error: impl Into<io::Error>) -> MaildirError {
        MaildirError { path: path.to_path_buf(), error: error.into() }
    }
}

impl fmt::Display for MaildirError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot deliver to {}: {}", self.path.display(), self.error)
    }
}

impl std::error::Error for MaildirError {}

/// The folder of a mailbox: the template's `{domain}` and `{user}` filled in, under `state` unless it is absolute.
pub fn folder(template: &str, state: &Path, domain: &str, user: &str) -> PathBuf {
    let path = template.replace("{domain}", &path_part(domain)).replace("{user}", &path_part(user));
    state.join(path)
}

/// A name as one part of a path: it cannot climb, hide or divide.
fn path_part(name: &str) -> String {
    let mut part = String::with_capacity(name.len());
    for (at, c) in name.char_indices() {
        match c {
            '/' | '%' | '{' | '}' => part.push_str(&format!("%{:02X}", u32::from(c))),
            '.' if at == 0 => part.push_str("%2E"),
            c => part.push(c),
        }
    }
    part
}

/// What stands above a message that has arrived (RFC 5321 4.4), with CRLF line ends.
pub(super) fn delivery_fields(job: &Job, place: u32, mailbox: &Mailbox) -> Vec<u8> {
    let recipient = job.envelope.recipients.get(place as usize).map_or(mailbox, |recipient| &recipient.address);
    format!("Return-Path: <{}>\r\nDelivered-To: {recipient}\r\n", job.reverse_path).into_bytes()
}

/// Delivers a batch; the results stand in the order of the deliveries. Everything of one result is on disk when it is `Ok`.
///
/// First every file is written, then all are flushed together, then each is moved and the folders are flushed together: two
/// points of durability, however many messages there are. Only one message is in memory at a time.
pub fn deliver(batch: impl IntoIterator<Item = Delivery>) -> Vec<Result<(), MaildirError>> {
    let mut maildirs: HashMap<PathBuf, Maildir> = HashMap::new();
    let written: Vec<Result<Written, MaildirError>> = batch.into_iter().map(|one| one.write(&mut maildirs)).collect();
    reach(Point::MailboxWritten);
    let mut files = Vec::with_capacity(written.len());
    for one in written.iter().flatten() {
        let maildir = &maildirs[&one.folder];
        files.push(Dirty { file: one.file.as_fd(), file_system: (maildir.file_system, maildir.tmp.as_fd()) });
    }
    let mut flushed = flush(&files).into_iter();
    reach(Point::MailboxFlushed);
    let finish = |one: &Result<Written, MaildirError>| match one {
        // There is one result for each file that was written.
        Ok(one) => one.finish(flushed.next().unwrap_or(Ok(())), &maildirs),
        Err(_) => Ok(()),
    };
    let finished: Vec<Result<(), MaildirError>> = written.iter().map(finish).collect();
    reach(Point::MailboxMoved);
    let (folders, news): (Vec<&PathBuf>, Vec<&OwnedFd>) = maildirs.iter().map(|(folder, maildir)| (folder, &maildir.new)).unzip();
    let lost: HashMap<&PathBuf, Errno> =
        folders.into_iter().zip(flush_folders(&news)).filter_map(|(folder, result)| Some((folder, result.err()?))).collect();
    reach(Point::MailboxDone);
    let whole = |(one, finished): (Result<Written, MaildirError>, Result<(), MaildirError>)| {
        let one = one?;
        finished.and_then(|()| lost.get(&one.folder).map_or(Ok(()), |error| Err(MaildirError::new(&one.folder, *error))))
    };
    written.into_iter().zip(finished).map(whole).collect()
}

/// The open folders of one Maildir.
struct Maildir {
    tmp: OwnedFd,
    new: OwnedFd,
    /// The number of the file system that they are on.
    file_system: u64,
}

impl Maildir {
    /// Opens the folders and makes those that are missing. Neither the Maildir nor what is in it may be a symbolic link: its
    /// owner could lead us anywhere with one.
    fn open(folder: &Path) -> Result<Maildir, MaildirError> {
        let failed = |error: Errno| MaildirError::new(folder, error);
        let missing = folder.ancestors().skip(1).take_while(|above| !above.exists()).count();
        if let Some(parent) = folder.parent() {
            std::fs::create_dir_all(parent).map_err(|error| MaildirError::new(parent, error))?;
        }
        let mut fresh = false;
        let base = open_or_make(rustix::fs::CWD, folder, &mut fresh).map_err(failed)?;
        open_or_make(&base, Path::new("cur"), &mut fresh).map_err(failed)?;
        let tmp = open_or_make(&base, Path::new("tmp"), &mut fresh).map_err(failed)?;
        let new = open_or_make(&base, Path::new("new"), &mut fresh).map_err(failed)?;
        if fresh {
            // The names of new folders must last as well.
            rustix::fs::fsync(&base).map_err(failed)?;
            for above in folder.ancestors().skip(1).take(1 + missing) {
                File::open(above).and_then(|above| above.sync_all()).map_err(|error| MaildirError::new(above, error))?;
            }
        }
        let file_system = rustix::fs::fstat(&tmp).map_err(failed)?.st_dev;
        Ok(Maildir { tmp, new, file_system })
    }
}

fn open_or_make(parent: impl AsFd, path: &Path, made: &mut bool) -> Result<OwnedFd, Errno> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
    let open = || rustix::fs::openat(&parent, path, flags, Mode::empty());
    match open() {
        Err(Errno::NOENT) => match rustix::fs::mkdirat(&parent, path, Mode::RWXU) {
            // Another delivery may have made it in between.
            Ok(()) | Err(Errno::EXIST) => {
                *made = true;
                open()
            }
            Err(error) => Err(error),
        },
        result => result,
    }
}

/// A file in `tmp`.
struct Written {
    folder: PathBuf,
    file_name: String,
    file: File,
}

impl Delivery {
    /// Writes the file in `tmp`.
    fn write(mut self, maildirs: &mut HashMap<PathBuf, Maildir>) -> Result<Written, MaildirError> {
        if !maildirs.contains_key(&self.folder) {
            maildirs.insert(self.folder.clone(), Maildir::open(&self.folder)?);
        }
        let tmp = &maildirs[&self.folder].tmp;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = || rustix::fs::openat(tmp, &self.file_name, flags, Mode::RUSR | Mode::WUSR);
        let file = match open() {
            // What an attempt that died left behind; nobody else writes a file of this name.
            Err(Errno::EXIST) => rustix::fs::unlinkat(tmp, &self.file_name, AtFlags::empty()).and_then(|()| open()),
            result => result,
        };
        let file = file.map_err(|error| MaildirError::new(&self.folder, error))?;
        match self.write_content(file.into()) {
            Ok(file) => Ok(Written { folder: self.folder, file_name: self.file_name, file }),
            Err(error) => {
                let _ = rustix::fs::unlinkat(tmp, &self.file_name, AtFlags::empty());
                Err(MaildirError::new(&self.folder, error))
            }
        }
    }

    fn write_content(&mut self, file: File) -> io::Result<File> {
        let mut out = BufWriter::with_capacity(BUFFER_OCTETS, file);
        copy_with_lf(&mut self.fields.as_slice(), &mut out)?;
        copy_with_lf(&mut self.message, &mut out)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)
    }
}

impl Written {
    /// Moves the file to `new`, if it could be flushed.
    fn finish(&self, flushed: Result<(), Errno>, maildirs: &HashMap<PathBuf, Maildir>) -> Result<(), MaildirError> {
        let maildir = &maildirs[&self.folder];
        flushed.and_then(|()| self.move_to_new(maildir)).map_err(|error| {
            let _ = rustix::fs::unlinkat(&maildir.tmp, &self.file_name, AtFlags::empty());
            MaildirError::new(&self.folder, error)
        })
    }

    fn move_to_new(&self, maildir: &Maildir) -> Result<(), Errno> {
        let name = &self.file_name;
        match rustix::fs::renameat_with(&maildir.tmp, name, &maildir.new, name, RenameFlags::NOREPLACE) {
            // Delivered by an attempt whose end was never noted.
            Err(Errno::EXIST) => rustix::fs::unlinkat(&maildir.tmp, name, AtFlags::empty()),
            result => result,
        }
    }
}

/// Copies text with every CRLF turned into LF. Queued text holds no other line ends.
pub(super) fn copy_with_lf(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_OCTETS];
    // A CR at the end of what was read: whether it belongs to a line end shows with the next octet.
    let mut pending_cr = false;
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let text = &buffer[..read];
        if pending_cr && text[0] != b'\n' {
            to.write_all(b"\r")?;
        }
        pending_cr = false;
        let mut start = 0;
        for cr in memchr::memchr_iter(b'\r', text) {
            match text.get(cr + 1) {
                Some(b'\n') => {
                    to.write_all(&text[start..cr])?;
                    start = cr + 1;
                }
                Some(_) => {}
                None => {
                    to.write_all(&text[start..cr])?;
                    start = cr + 1;
                    pending_cr = true;
                }
            }
        }
        to.write_all(&text[start..])?;
    }
    if pending_cr { to.write_all(b"\r") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(folder: &Path, name: &str) -> Delivery {
        Delivery {
            folder: folder.to_path_buf(),
            file_name: name.to_owned(),
            fields: b"Return-Path: <>\r\n".to_vec(),
            message: BodyReader::Inline(bytes::Bytes::from_static(b"Subject: x\r\n\r\ntext\r\n")),
        }
    }

    #[test]
    fn a_batch_lands_in_new_with_lf() {
        let root = tempfile::tempdir().unwrap();
        let (a, b) = (root.path().join("example.com/a"), root.path().join("example.com/b"));
        let results = deliver(vec![delivery(&a, "1"), delivery(&b, "2"), delivery(&a, "3")]);
        assert!(results.iter().all(Result::is_ok));
        for path in [a.join("new/1"), b.join("new/2"), a.join("new/3")] {
            assert_eq!(std::fs::read(path).unwrap(), b"Return-Path: <>\nSubject: x\n\ntext\n");
        }
        assert_eq!(std::fs::read_dir(a.join("tmp")).unwrap().count(), 0);
    }

    #[test]
    fn a_repeated_delivery_adds_nothing() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a");
        assert!(deliver(vec![delivery(&folder, "1")])[0].is_ok());
        assert!(deliver(vec![delivery(&folder, "1")])[0].is_ok());
        assert_eq!(std::fs::read_dir(folder.join("new")).unwrap().count(), 1);
    }

    #[test]
    fn a_symbolic_link_is_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let (folder, outside) = (root.path().join("a"), root.path().join("outside"));
        std::fs::create_dir(&outside).unwrap();
        std::os::unix::fs::symlink(&outside, &folder).unwrap();
        assert!(deliver(vec![delivery(&folder, "1")])[0].is_err());
        assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
    }

    #[test]
    fn one_failure_leaves_the_others_alone() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("file"), "").unwrap();
        let results = deliver(vec![delivery(&root.path().join("file"), "1"), delivery(&root.path().join("b"), "2")]);
        assert!(results[0].is_err() && results[1].is_ok());
    }

    #[test]
    fn line_ends_are_found_wherever_a_read_ends() {
        struct Piecemeal<'a>(&'a [u8], usize);
        impl Read for Piecemeal<'_> {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                let taken = self.1.min(self.0.len()).min(out.len());
                out[..taken].copy_from_slice(&self.0[..taken]);
                self.0 = &self.0[taken..];
                Ok(taken)
            }
        }
        for size in 1..12 {
            let mut out = Vec::new();
            copy_with_lf(&mut Piecemeal(b"a\r\n\r\nb\rc\r\r\nd\r", size), &mut out).unwrap();
            assert_eq!(out, b"a\n\nb\rc\r\nd\r", "{size}");
        }
    }

    #[test]
    fn a_name_cannot_leave_its_folder() {
        let path = folder("mail/{domain}/{user}", Path::new("/state"), "example.com", "../../etc");
        assert_eq!(path, Path::new("/state/mail/example.com/%2E.%2F..%2Fetc"));
        assert_eq!(folder("/m/{user}", Path::new("/state"), "x", "{user}"), Path::new("/m/%7Buser%7D"));
    }
}
