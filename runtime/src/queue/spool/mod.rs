//! The spool: queued messages on disk. What [`Spool::append`] and [`Spool::record`] acknowledge survives a loss of power
//! (RFC 5321 6.1), and [`Spool::open`] finds each acknowledged message exactly once.
//!
//! ```text
//! <folder>/version                      the format, in words
//! <folder>/lock                         held by the process that has the spool open; its id
//! <folder>/seg-<number>-<salt>.log      the log: messages and changes, in the order in which they became true
//! <folder>/blobs/<id>                   bodies over the inline limit
//! <folder>/corrupt/<segment>-<offset>   what could not be read, each with a file that says why
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | `record`, `codec` | the frames of the log, and what is in them |
//! | `segment`, `disk` | files, and the calls that make them durable |
//! | `inbox`, `writer`, `reclaim` | the thread that writes: group commit, and room given back |
//! | `replay`, `recovery` | from the files to the index, while new mail comes in |
//! | `index`, `fresh` | envelopes and states in memory; and texts that are about to be delivered |
//! | `blob` | bodies |
//!
//! Calls that read files or wait for a flush without `async` say so; an async caller makes them where it may block.

mod blob;
mod codec;
mod disk;
mod error;
mod fresh;
mod inbox;
mod index;
mod reclaim;
mod record;
mod recovery;
mod replay;
mod segment;
mod writer;

pub use blob::{BodyReader, BodyWriter, FileBody, SpilledBody};
pub use disk::{Disk, FileSystem};
pub use error::SpoolError;
pub use index::Counts;
pub use recovery::{Recovered, Recovery, Standing};
pub use replay::CorruptReport;

use super::envelope::{Change, Progress, QueueEntry};
use super::id::{FreshId, IdSource, QueueId};
use super::message::{Body, NewMessage};
use crate::metrics::Histogram;
use bytes::Bytes;
use inbox::{Effect, Inbox, Job};
use index::{Index, Message};
use record::Kind;
use replay::Access;
use rustix::fs::FlockOperation;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

/// How a spool is kept.
#[derive(Clone)]
pub struct SpoolOptions {
    /// Size of a segment file, at most 1 GiB; one that a larger record needs is larger.
    pub segment_octets: u32,
    /// Bodies over this go to files of their own.
    pub inline_limit_octets: usize,
    /// The number of this node, up to [`super::id::NODE_MAX`]: chosen at random once for a state folder.
    pub node: u16,
    /// New messages are refused while less than this is free; changes are not.
    pub min_free_octets: u64,
    /// New messages are refused while there are so many, or a few more: what is known of each takes memory.
    pub most_messages: u64,
    /// Told of every message that became durable, also when its client has gone meanwhile: the deliverer listens here.
    pub arrivals: Option<mpsc::UnboundedSender<QueueId>>,
    /// The file system.
    pub disk: Arc<dyn Disk>,
}

impl Default for SpoolOptions {
    fn default() -> SpoolOptions {
        SpoolOptions {
            segment_octets: 16 << 20,
            inline_limit_octets: 256 << 10,
            node: 0,
            min_free_octets: 64 << 20,
            most_messages: 4_000_000,
            arrivals: None,
            disk: Arc::new(FileSystem),
        }
    }
}

/// An open spool. Dropping it finishes what was begun and gives the folder free.
pub struct Spool {
    shared: Arc<Shared>,
    writer: Option<std::thread::JoinHandle<()>>,
    /// Locked for as long as it is open, unless it is only looked at.
    _lock: Option<File>,
}

/// Comes when the job is done.
type Answer<T> = Result<oneshot::Receiver<Result<T, SpoolError>>, SpoolError>;

/// What the writer thread and the callers share.
struct Shared {
    folder: PathBuf,
    options: SpoolOptions,
    ids: IdSource,
    inbox: Inbox,
    index: Mutex<Index>,
    /// What was set aside since the start: the newest, and how many there were in all.
    damage: Mutex<(Vec<CorruptReport>, u64)>,
    flush_times: FlushTimes,
}

/// How long it takes until a batch is durable.
pub type FlushTimes = Histogram<{ FLUSH_ENDS_MS.len() + 1 }>;

const FLUSH_ENDS_MS: [u64; 8] = [1, 2, 5, 10, 50, 100, 500, 2000];

/// Reports of damage that are kept for the operator.
const REPORTS_MAX: usize = 100;

impl Spool {
    /// Opens the spool in a folder, which is made if it is not there, and reads all that it holds. Blocks.
    ///
    /// # Errors
    /// [`SpoolError::InUse`], [`SpoolError::Version`], or [`SpoolError::Io`] for a folder or file that cannot be used. Damage
    /// within a file is no error: it is in [`Recovered::corrupt`].
    pub fn open(folder: &Path, options: SpoolOptions) -> Result<(Spool, Recovered), SpoolError> {
        let (spool, recovery) = Spool::begin(folder, options)?;
        Ok((spool, recovery.finish()))
    }

    /// Opens the spool in a folder so far that it takes mail. Until [`Recovery::finish`] is through, it holds what came since.
    ///
    /// # Errors
    /// As for [`Spool::open`].
    pub fn begin(folder: &Path, options: SpoolOptions) -> Result<(Spool, Recovery), SpoolError> {
        let begun = Instant::now();
        let blobs = folder.join("blobs");
        for folder in [folder, &blobs, &corrupt_folder(folder)] {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(|error| SpoolError::io("make", folder, error))?;
        }
        let lock_file = take_lock(folder)?;
        check_version(folder, options.disk.as_ref())?;
        let found = replay::look(folder, &blobs, Access::Owner, options.disk.as_ref())?;
        let ids = IdSource::new(options.node);
        if let Some(last) = found.last_id {
            ids.skip(last);
        }
        let shared = Arc::new(Shared::new(folder, options, ids));
        let writer = writer::Writer::new(shared.clone(), found.newest);
        let writer = std::thread::Builder::new().name("queue-writer".into()).spawn(move || writer.run());
        let writer = writer.map_err(|error| SpoolError::io("start the thread that writes", &shared.folder, error))?;
        let recovery = Recovery { shared: shared.clone(), found, begun };
        Ok((Spool { shared, writer: Some(writer), _lock: Some(lock_file) }, recovery))
    }

    /// Opens a spool that no process has, to look at it: nothing is changed, and nothing can be put in. It is not locked, so that
    /// no start fails for it; whoever has the spool meanwhile makes what is seen here old. Blocks.
    ///
    /// # Errors
    /// [`SpoolError::Version`]; [`SpoolError::Io`] for a folder without a spool, and for what cannot be read.
    pub fn look(folder: &Path) -> Result<(Spool, Recovered), SpoolError> {
        let begun = Instant::now();
        let options = SpoolOptions::default();
        let found = replay::look(folder, &folder.join("blobs"), Access::Reader, options.disk.as_ref())?;
        let ids = IdSource::new(options.node);
        let shared = Arc::new(Shared::new(folder, options, ids));
        shared.inbox.close();
        let recovery = Recovery { shared: shared.clone(), found, begun };
        Ok((Spool { shared, writer: None, _lock: None }, recovery.finish()))
    }

    /// Whether what an earlier process left is still being read.
    pub fn is_recovering(&self) -> bool {
        lock(&self.shared.index).is_recovering
    }

    /// How long it takes until what is queued is durable.
    pub fn flush_times(&self) -> &FlushTimes {
        &self.shared.flush_times
    }

    /// What may still be written where the spool lies; `None` where the system does not say.
    pub fn free_octets(&self) -> Option<u64> {
        self.shared.disk().free_octets(&self.shared.folder).ok()
    }

    /// What was set aside since the start because it could not be read: the last of it, and how often that was.
    pub fn damage(&self) -> (Vec<CorruptReport>, u64) {
        lock(&self.shared.damage).clone()
    }

    /// An id for a message that is coming in.
    pub fn fresh_id(&self, now_ms: u64) -> FreshId {
        self.shared.ids.next(now_ms)
    }

    /// Whether a message of so many octets would be taken now, so that a client need not send it in vain. Another answer may be right
    /// a moment later.
    ///
    /// # Errors
    /// [`SpoolError::Full`] or [`SpoolError::Crowded`].
    pub fn check_room(&self, octets: u64) -> Result<(), SpoolError> {
        self.shared.check_room(octets)
    }

    /// Takes the body of the message that will have this id.
    pub fn begin_body(&self, id: &FreshId) -> BodyWriter {
        BodyWriter::new(self.shared.clone(), id)
    }

    /// Puts a message into the queue. Once this has answered, the message is ours. If the future is dropped, the message may
    /// be in the queue or not, like one whose client did not wait for the reply.
    ///
    /// # Errors
    /// [`SpoolError::Full`], [`SpoolError::Io`], [`SpoolError::TooLarge`], [`SpoolError::NoRecipients`] or
    /// [`SpoolError::Closed`]: it was not taken.
    pub async fn append(&self, message: impl Into<NewMessage>) -> Result<QueueId, SpoolError> {
        self.submit(message.into())?.await.unwrap_or(Err(SpoolError::Closed))
    }

    /// [`Spool::append`] for a thread that may block.
    ///
    /// # Errors
    /// The same.
    pub fn append_blocking(&self, message: impl Into<NewMessage>) -> Result<QueueId, SpoolError> {
        self.submit(message.into())?.blocking_recv().unwrap_or(Err(SpoolError::Closed))
    }

    /// Makes changes true, all of them or none. One about a message that is not in the queue changes nothing.
    ///
    /// # Errors
    /// [`SpoolError::Full`], [`SpoolError::Io`], [`SpoolError::TooLarge`] or [`SpoolError::Closed`]: none is true.
    pub async fn record(&self, changes: Vec<Change>) -> Result<(), SpoolError> {
        self.submit_changes(changes)?.await.unwrap_or(Err(SpoolError::Closed))
    }

    /// [`Spool::record`] for a thread that may block.
    ///
    /// # Errors
    /// The same.
    pub fn record_blocking(&self, changes: Vec<Change>) -> Result<(), SpoolError> {
        self.submit_changes(changes)?.blocking_recv().unwrap_or(Err(SpoolError::Closed))
    }

    /// The octets of a message, as they were queued. Reads from disk: blocks.
    ///
    /// # Errors
    /// [`SpoolError::Unknown`]; [`SpoolError::Corrupt`] where what is stored is not what was written: the message should be
    /// held for the operator. [`SpoolError::Io`].
    pub fn read_body(&self, id: QueueId) -> Result<BodyReader, SpoolError> {
        let found = {
            let index = lock(&self.shared.index);
            if let Some(kept) = index.kept(id).filter(|kept| kept.envelope.body_file.is_none()) {
                return Ok(BodyReader::Inline(kept.body.clone()));
            }
            let slot = index.slot(id).cloned();
            slot.and_then(|slot| index.segment(slot.location.segment).map(|at| (slot, at.name, at.file.clone())))
        };
        let Some((slot, name, segment)) = found else { return Err(SpoolError::Unknown(id)) };
        let path = name.path(&self.shared.folder);
        let mut octets = vec![0; slot.location.octets as usize];
        let read = self.shared.disk().read_exact_at(&segment, &mut octets, slot.location.offset.into());
        read.map_err(|error| SpoolError::io("read", &path, error))?;
        let octets = Bytes::from(octets);
        match record::read(&octets, name.salt) {
            Ok(record) if record.id == id.number() => self.reader(&slot.message, octets.slice_ref(record.body)),
            Ok(_) => Err(SpoolError::Corrupt { id, path, reason: "another message stands in its place" }),
            Err(reason) => Err(SpoolError::Corrupt { id, path, reason }),
        }
    }

    /// The body that begins with what the record holds.
    fn reader(&self, message: &Message, head: Bytes) -> Result<BodyReader, SpoolError> {
        let Some(octets) = message.file_octets else { return Ok(BodyReader::Inline(head)) };
        let path = self.shared.blob_path(message.id);
        let file = File::open(&path).map_err(|error| SpoolError::io("open", &path, error))?;
        let Some(QueueEntry { envelope, .. }) = message.clone().entry(None) else { return Err(SpoolError::Unknown(message.id)) };
        Ok(BodyReader::File(FileBody::new(head, file, octets, envelope.body_file.unwrap_or_default())))
    }

    /// The message of that id.
    pub fn find(&self, id: QueueId) -> Option<QueueEntry> {
        let (message, envelope) = {
            let index = lock(&self.shared.index);
            (index.slot(id)?.message.clone(), index.kept(id).map(|kept| kept.envelope.clone()))
        };
        message.entry(envelope)
    }

    /// Whether the message of that id is in the queue.
    pub fn has(&self, id: QueueId) -> bool {
        lock(&self.shared.index).slot(id).is_some()
    }

    /// Up to `limit` messages, in the order of their ids, from behind `after` on. Whoever wants all of them asks for one page
    /// after the other, so that nobody waits long for the index.
    pub fn page(&self, after: Option<QueueId>, limit: usize) -> Vec<QueueEntry> {
        let messages = lock(&self.shared.index).page(after, limit);
        messages.into_iter().filter_map(|message| message.entry(None)).collect()
    }

    /// How many messages there are, and what they take.
    pub fn counts(&self) -> Counts {
        lock(&self.shared.index).counts()
    }

    fn submit(&self, message: NewMessage) -> Answer<QueueId> {
        let NewMessage { envelope, body, hold, changes } = message;
        if envelope.recipients.is_empty() {
            return Err(SpoolError::NoRecipients);
        }
        let (inline, file) = match body {
            Body::Inline(pieces) => (pieces, None),
            Body::File(mut file) => (vec![file.take_head()], Some(file)),
        };
        check_size(inline.iter().map(|piece| piece.len() as u64).sum())?;
        let mut envelope_octets = Vec::with_capacity(256);
        codec::put_envelope(&mut envelope_octets, &envelope);
        let progress = match hold {
            None => Progress::new(envelope.recipients.len()),
            Some(reason) => Progress::held(envelope.recipients.len(), reason, envelope.arrival_ms, envelope.generation),
        };
        let put = |meta: &mut Vec<u8>| codec::put_message(meta, &envelope_octets, &progress, &changes);
        let record = record::seal(Kind::Message, envelope.id.number(), &inline, put);
        check_size(record.len() as u64)?;
        let (done, answer) = oneshot::channel();
        let file_octets = file.as_ref().map(SpilledBody::octets);
        let message = Message { id: envelope.id, envelope: envelope_octets.into(), progress, file_octets };
        let envelope = Arc::new(envelope);
        self.shared.inbox.put(Job { record, effect: Effect::Append { message, envelope, file, changes, done } });
        Ok(answer)
    }

    fn submit_changes(&self, changes: Vec<Change>) -> Answer<()> {
        let record = record::seal(Kind::Changes, 0, &[], |meta| codec::put_changes(meta, &changes));
        check_size(record.len() as u64)?;
        let (done, answer) = oneshot::channel();
        self.shared.inbox.put(Job { record, effect: Effect::Record { changes, done } });
        Ok(answer)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.shared.inbox.close();
        if let Some(writer) = self.writer.take() {
            // Its callers were told if it did not end well.
            let _ = writer.join();
        }
    }
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spool").field("folder", &self.shared.folder).field("counts", &self.counts()).finish_non_exhaustive()
    }
}

impl Shared {
    fn new(folder: &Path, options: SpoolOptions, ids: IdSource) -> Shared {
        Shared {
            folder: folder.to_owned(),
            options,
            ids,
            inbox: Inbox::default(),
            index: Mutex::new(Index::recovering()),
            damage: Mutex::default(),
            flush_times: FlushTimes::new(&FLUSH_ENDS_MS),
        }
    }

    fn disk(&self) -> &dyn Disk {
        self.options.disk.as_ref()
    }

    /// Keeps a report for the operator.
    fn damaged(&self, report: CorruptReport) {
        let mut damage = lock(&self.damage);
        damage.1 += 1;
        damage.0.push(report);
        let surplus = damage.0.len().saturating_sub(REPORTS_MAX);
        damage.0.drain(..surplus);
    }

    fn blobs(&self) -> PathBuf {
        self.folder.join("blobs")
    }

    fn blob_path(&self, id: QueueId) -> PathBuf {
        self.blobs().join(id.to_string())
    }

    /// Whether there is room for a new message, of so many octets beyond what has to be free anyhow. Where the system does not say, the
    /// write will.
    fn check_room(&self, octets: u64) -> Result<(), SpoolError> {
        let most = self.options.most_messages;
        if lock(&self.index).counts().messages() >= most {
            return Err(SpoolError::Crowded { most });
        }
        match self.disk().free_octets(&self.folder) {
            Ok(free) if free < self.options.min_free_octets.saturating_add(octets) => {
                Err(SpoolError::Full { folder: self.folder.clone() })
            }
            _ => Ok(()),
        }
    }
}

fn corrupt_folder(folder: &Path) -> PathBuf {
    folder.join("corrupt")
}

fn check_size(octets: u64) -> Result<(), SpoolError> {
    let limit_octets = record::RECORD_MAX_OCTETS;
    if octets > limit_octets { Err(SpoolError::TooLarge { octets, limit_octets }) } else { Ok(()) }
}

/// The value, also when a thread panicked while it had it: what is guarded here is never left half-changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take_lock(folder: &Path) -> Result<File, SpoolError> {
    let path = folder.join("lock");
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    let mut file = file.map_err(|error| SpoolError::io("open", &path, error))?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut text = String::new();
            let pid = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            return Err(SpoolError::InUse { folder: folder.to_owned(), pid });
        }
        Err(error) => return Err(SpoolError::io("lock", &path, error.into())),
    }
    // The number is for people: without it, the lock holds all the same.
    let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(file)
}

/// The `version` file, written first of all and durable before any segment is.
fn check_version(folder: &Path, disk: &dyn Disk) -> Result<(), SpoolError> {
    let path = folder.join("version");
    let ours = format!("postern queue format {}\n", segment::FORMAT_VERSION);
    match fs::read(&path) {
        Ok(text) if text == ours.as_bytes() => Ok(()),
        Ok(text) if !text.is_empty() => {
            let text = String::from_utf8_lossy(&text);
            let found = text.trim().trim_start_matches("postern queue format ").chars().take(40).collect::<String>();
            Err(SpoolError::Version { path, found: found.into(), known: segment::FORMAT_VERSION })
        }
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(SpoolError::io("read", &path, error)),
        // Not there, or empty after a crash: no segment was written before it was durable.
        _ => {
            let written = fs::write(&path, ours).and_then(|()| disk.sync(&File::open(&path)?));
            let written = written.and_then(|()| disk.sync_folder(folder));
            let folder = written.and_then(|()| folder.canonicalize()).map_err(|error| SpoolError::io("write", &path, error))?;
            // The folder's own name must last too. One above it that we may not open was there before us.
            folder.ancestors().skip(1).for_each(|above| drop(disk.sync_folder(above)));
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
