//! Delivery into a Maildir: write to `tmp`, flush, move to `new`, flush the folder. Blocking; called on a thread of its own.
//!
//! Files hold text with LF line ends, as every Maildir reader on Unix expects, and begin with `Return-Path` and `Delivered-To`
//! (RFC 5321 4.4). The file name follows from queue id and recipient, so a delivery that is repeated because the daemon died
//! before it could note the first one finds the file there and adds none.

use crate::queue::Envelope;
use crate::queue::spool::BodyReader;
use postern_schema::name::Mailbox;
use rustix::fs::{Advice, AtFlags, Mode, OFlags, RenameFlags};
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
pub(super) fn delivery_fields(envelope: &Envelope, place: u32, mailbox: &Mailbox) -> Vec<u8> {
    let recipient = envelope.recipients.get(place as usize).map_or(mailbox, |recipient| &recipient.address);
    format!("Return-Path: <{}>\r\nDelivered-To: {recipient}\r\n", envelope.reverse_path).into_bytes()
}

/// Delivers a batch; the results stand in the order of the deliveries. Everything of one result is on disk when it is `Ok`.
///
/// First every file is written, then every one flushed: the file system makes one commit of what is on its way together. Last
/// come the folders, each only once: one flush makes every file durable that was moved into it.
pub fn deliver(mut batch: Vec<Delivery>) -> Vec<Result<(), MaildirError>> {
    let mut maildirs: HashMap<PathBuf, Maildir> = HashMap::new();
    let written: Vec<Result<File, MaildirError>> = batch.iter_mut().map(|one| one.write(&mut maildirs)).collect();
    let finish = |(one, file): (&Delivery, Result<File, MaildirError>)| one.finish(&file?, &maildirs);
    let mut results: Vec<Result<(), MaildirError>> = batch.iter().zip(written).map(finish).collect();
    for (folder, maildir) in &maildirs {
        if let Err(error) = rustix::fs::fsync(&maildir.new) {
            for (_, result) in batch.iter().zip(&mut results).filter(|(one, _)| one.folder == *folder) {
                *result = Err(MaildirError::new(folder, error));
            }
        }
    }
    results
}

/// The open folders of one Maildir.
struct Maildir {
    tmp: OwnedFd,
    new: OwnedFd,
}

impl Maildir {
    /// Opens the folders and makes those that are missing. Neither the Maildir nor what is in it may be a symbolic link: its
    /// owner could lead us anywhere with one.
    fn open(folder: &Path) -> Result<Maildir, MaildirError> {
        let failed = |error: Errno| MaildirError::new(folder, error);
        if let Some(parent) = folder.parent() {
            std::fs::create_dir_all(parent).map_err(|error| MaildirError::new(parent, error))?;
        }
        let base = open_or_make(rustix::fs::CWD, folder).map_err(failed)?;
        open_or_make(&base, Path::new("cur")).map_err(failed)?;
        let tmp = open_or_make(&base, Path::new("tmp")).map_err(failed)?;
        let new = open_or_make(&base, Path::new("new")).map_err(failed)?;
        Ok(Maildir { tmp, new })
    }
}

fn open_or_make(parent: impl AsFd, path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
    let open = || rustix::fs::openat(&parent, path, flags, Mode::empty());
    match open() {
        Err(Errno::NOENT) => match rustix::fs::mkdirat(&parent, path, Mode::RWXU) {
            // Another delivery may have made it in between.
            Ok(()) | Err(Errno::EXIST) => open(),
            Err(error) => Err(error),
        },
        result => result,
    }
}

impl Delivery {
    /// Writes the file in `tmp`, and has the system begin to store it.
    fn write(&mut self, maildirs: &mut HashMap<PathBuf, Maildir>) -> Result<File, MaildirError> {
        if !maildirs.contains_key(&self.folder) {
            maildirs.insert(self.folder.clone(), Maildir::open(&self.folder)?);
        }
        let tmp = &maildirs[&self.folder].tmp;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // What an attempt that died left behind; nobody else writes a file of this name.
        let _ = rustix::fs::unlinkat(tmp, &self.file_name, AtFlags::empty());
        let file = rustix::fs::openat(tmp, &self.file_name, flags, Mode::RUSR | Mode::WUSR);
        let file = file.map_err(|error| MaildirError::new(&self.folder, error))?;
        self.write_content(file.into()).map_err(|error| {
            let _ = rustix::fs::unlinkat(tmp, &self.file_name, AtFlags::empty());
            MaildirError::new(&self.folder, error)
        })
    }

    /// Flushes the file and moves it to `new`.
    fn finish(&self, file: &File, maildirs: &HashMap<PathBuf, Maildir>) -> Result<(), MaildirError> {
        let maildir = &maildirs[&self.folder];
        file.sync_data().and_then(|()| self.move_to_new(maildir)).map_err(|error| {
            let _ = rustix::fs::unlinkat(&maildir.tmp, &self.file_name, AtFlags::empty());
            MaildirError::new(&self.folder, error)
        })
    }

    fn move_to_new(&self, maildir: &Maildir) -> io::Result<()> {
        let name = &self.file_name;
        match rustix::fs::renameat_with(&maildir.tmp, name, &maildir.new, name, RenameFlags::NOREPLACE) {
            // Delivered by an attempt whose end was never noted.
            Err(Errno::EXIST) => Ok(rustix::fs::unlinkat(&maildir.tmp, name, AtFlags::empty())?),
            result => Ok(result?),
        }
    }

    fn write_content(&mut self, file: File) -> io::Result<File> {
        let mut out = BufWriter::with_capacity(BUFFER_OCTETS, file);
        copy_with_lf(&mut self.fields.as_slice(), &mut out)?;
        copy_with_lf(&mut self.message, &mut out)?;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        // "Not needed any more" makes the system write it out now, and does not wait. A hint: without it, it only takes longer.
        let _ = rustix::fs::fadvise(&file, 0, None, Advice::DontNeed);
        Ok(file)
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
