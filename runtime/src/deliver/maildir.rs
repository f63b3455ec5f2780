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
    /// The Maildir.
    pub folder: MailboxFolder,
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

/// Where a mailbox is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MailboxFolder {
    /// The part of the way that the site names, the same for every mailbox.
    pub fixed: PathBuf,
    /// All of it: the Maildir, the folder that holds `new`.
    pub path: PathBuf,
}

/// The folder of a mailbox: the template's `{domain}` and `{user}` filled in, under `state` unless it is absolute.
pub fn folder(template: &str, state: &Path, domain: &str, user: &str) -> MailboxFolder {
    let path = template.replace("{domain}", &path_part(domain)).replace("{user}", &path_part(user));
    let before = template.split('{').next().unwrap_or_default();
    // Without a name in it, the last part may still be somebody's.
    let fixed = before.rsplit_once('/').map_or("", |(fixed, _)| if fixed.is_empty() { "/" } else { fixed });
    MailboxFolder { fixed: state.join(fixed), path: state.join(path) }
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
    let mut maildirs: HashMap<MailboxFolder, Maildir> = HashMap::new();
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
    let (folders, news): (Vec<&MailboxFolder>, Vec<&OwnedFd>) =
        maildirs.iter().map(|(folder, maildir)| (folder, &maildir.new)).unzip();
    let lost: HashMap<&MailboxFolder, Errno> =
        folders.into_iter().zip(flush_folders(&news)).filter_map(|(folder, result)| Some((folder, result.err()?))).collect();
    reach(Point::MailboxDone);
    let whole = |(one, finished): (Result<Written, MaildirError>, Result<(), MaildirError>)| {
        let one = one?;
        finished.and_then(|()| lost.get(&one.folder).map_or(Ok(()), |error| Err(MaildirError::new(&one.folder.path, *error))))
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
    /// Opens the folders and makes those that are missing. Below what the site itself has named, nothing may be a symbolic link: whoever
    /// owns a part of the way could lead us anywhere with one.
    fn open(place: &MailboxFolder) -> Result<Maildir, MaildirError> {
        let MailboxFolder { fixed, path } = place;
        let failed = |error: Errno| MaildirError::new(path, error);
        let missing = fixed.ancestors().take_while(|above| !above.exists()).count();
        std::fs::create_dir_all(fixed).map_err(|error| MaildirError::new(fixed, error))?;
        for above in fixed.ancestors().take(if missing > 0 { 1 + missing } else { 0 }) {
            File::open(above).and_then(|above| above.sync_all()).map_err(|error| MaildirError::new(above, error))?;
        }
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
        let mut base = rustix::fs::open(fixed, flags, Mode::empty()).map_err(failed)?;
        for part in path.strip_prefix(fixed).unwrap_or(path).components() {
            base = open_or_make(&base, part.as_os_str().as_ref()).map_err(failed)?;
        }
        open_or_make(&base, Path::new("cur")).map_err(failed)?;
        let tmp = open_or_make(&base, Path::new("tmp")).map_err(failed)?;
        let new = open_or_make(&base, Path::new("new")).map_err(failed)?;
        let file_system = rustix::fs::fstat(&tmp).map_err(failed)?.st_dev;
        Ok(Maildir { tmp, new, file_system })
    }
}

/// Opens a folder, which is made if it is not there; its name is durable then.
fn open_or_make(parent: impl AsFd, name: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
    let open = || rustix::fs::openat(&parent, name, flags, Mode::empty());
    match open() {
        Err(Errno::NOENT) => match rustix::fs::mkdirat(&parent, name, Mode::RWXU) {
            // Another delivery may have made it in between.
            Ok(()) | Err(Errno::EXIST) => {
                rustix::fs::fsync(&parent)?;
                open()
            }
            Err(error) => Err(error),
        },
        result => result,
    }
}

/// A file in `tmp`.
struct Written {
    folder: MailboxFolder,
    file_name: String,
    file: File,
}

impl Delivery {
    /// Writes the file in `tmp`.
    fn write(mut self, maildirs: &mut HashMap<MailboxFolder, Maildir>) -> Result<Written, MaildirError> {
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
        let file = file.map_err(|error| MaildirError::new(&self.folder.path, error))?;
        match self.write_content(file.into()) {
            Ok(file) => Ok(Written { folder: self.folder, file_name: self.file_name, file }),
            Err(error) => {
                let _ = rustix::fs::unlinkat(tmp, &self.file_name, AtFlags::empty());
                Err(MaildirError::new(&self.folder.path, error))
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
    fn finish(&self, flushed: Result<(), Errno>, maildirs: &HashMap<MailboxFolder, Maildir>) -> Result<(), MaildirError> {
        let maildir = &maildirs[&self.folder];
        flushed.and_then(|()| self.move_to_new(maildir)).map_err(|error| {
            let _ = rustix::fs::unlinkat(&maildir.tmp, &self.file_name, AtFlags::empty());
            MaildirError::new(&self.folder.path, error)
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
            folder: MailboxFolder { fixed: folder.parent().unwrap().to_path_buf(), path: folder.to_path_buf() },
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
    fn no_symbolic_link_below_what_the_site_names_is_followed() {
        let root = tempfile::tempdir().unwrap();
        let outside = root.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        let inside = |way: &str| {
            let path = root.path().join("home").join(way);
            Delivery { folder: MailboxFolder { fixed: root.path().join("home"), path }, ..delivery(&root.path().join("x"), "1") }
        };
        let link = |way: &str| {
            let path = root.path().join("home").join(way);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink(&outside, path).unwrap();
        };
        for (linked, way) in [
            ("a", "a/Maildir"),
            ("b/mail", "b/mail/Maildir"),
            ("c/Maildir", "c/Maildir"),
            ("d/Maildir/tmp", "d/Maildir"),
            ("e/Maildir/new", "e/Maildir"),
            ("f/Maildir/cur", "f/Maildir"),
        ] {
            link(linked);
            assert!(deliver(vec![inside(way)])[0].is_err(), "{linked}");
        }
        // A file of the name that the message will have.
        std::fs::create_dir_all(root.path().join("home/g/Maildir/tmp")).unwrap();
        link("g/Maildir/tmp/1");
        assert!(deliver(vec![inside("g/Maildir")])[0].is_ok());
        assert!(root.path().join("home/g/Maildir/new/1").symlink_metadata().unwrap().is_file());
        assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
        // The operator may put the mail elsewhere by a link.
        std::fs::create_dir(root.path().join("disk")).unwrap();
        std::os::unix::fs::symlink(root.path().join("disk"), root.path().join("mail")).unwrap();
        assert!(deliver(vec![delivery(&root.path().join("mail/h"), "1")])[0].is_ok());
        assert!(root.path().join("disk/h/new/1").is_file());
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
        let of = |template, domain, user| {
            let MailboxFolder { fixed, path } = folder(template, Path::new("/state"), domain, user);
            (fixed.display().to_string(), path.display().to_string())
        };
        let text = |fixed: &str, path: &str| (fixed.to_owned(), path.to_owned());
        let climbing = text("/state/mail", "/state/mail/example.com/%2E.%2F..%2Fetc");
        assert_eq!(of("mail/{domain}/{user}", "example.com", "../../etc"), climbing);
        assert_eq!(of("/m/{user}", "x", "{user}"), text("/m", "/m/%7Buser%7D"));
        assert_eq!(of("/srv/{user}/mail/Maildir", "x", "a"), text("/srv", "/srv/a/mail/Maildir"));
        assert_eq!(of("/srv/x-{user}", "x", "a"), text("/srv", "/srv/x-a"));
        assert_eq!(of("/{user}", "x", "a"), text("/", "/a"));
        assert_eq!(of("all", "x", "a"), text("/state/", "/state/all"));
    }
}
