//! The daemon's side of the drop folder: what was handed in comes into the queue by the decisions that every message passes, or its
//! sender is told why not.
//!
//! Whatever lies there was written by somebody on this host, and nobody in particular is trusted: a file is opened without
//! following a link, it has to be a plain file with one name, its owner is who handed it in, and all of it is read within the
//! limits of the site. What may work later stays, for as long as mail may stay in the queue.

use super::slip::{self, Slip};
use crate::daemon::{Daemon, now_ms};
use crate::deliver::notice;
use crate::net::{Peer, Spoken, Transaction, Visitor};
use crate::queue::{QueueEntry, Unreturned};
use crate::screen::Listed;
use crate::site::Generation;
use crate::smtp::command::{BodyKind, MailRequest, Notify, RecipientRequest, Return, Xtext};
use crate::smtp::data::{Decoder, Framing};
use postern_schema::decide::LOCAL_LISTENER;
use postern_schema::name::{ForwardPath, Mailbox, ReversePath};
use postern_schema::reply::Reply;
use rustix::fs::{Mode, OFlags};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How long a message rests that could not be taken now.
const REST: Duration = Duration::from_secs(60);
/// The longest first line.
const SLIP_LIMIT_OCTETS: u64 = 1 << 20;
/// Messages of one look, so that others get their turn.
const BATCH: usize = 100;
/// How long a program may take to write a message.
const UNFINISHED_PATIENCE: Duration = Duration::from_secs(86_400);
/// What is read at once.
const PIECE_OCTETS: usize = 64 << 10;
/// How much of a refused message goes back with the notice.
const RETURNED_OCTETS: u64 = 64 << 10;

/// Looks until the daemon ends.
pub async fn run(daemon: Arc<Daemon>) {
    let folder = slip::folder(daemon.state.folder());
    let mut resting: HashMap<PathBuf, Instant> = HashMap::new();
    let mut look = tokio::time::interval(LOOK);
    let mut stopping = daemon.stopping();
    loop {
        tokio::select! {
            _ = look.tick() => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
        let found = tokio::task::block_in_place(|| list(&folder));
        resting.retain(|path, until| *until > Instant::now() && found.contains(path));
        let due: Vec<&PathBuf> = found.iter().filter(|path| !resting.contains_key(*path)).take(BATCH).collect();
        for path in due {
            if !take(&daemon, path).await {
                resting.insert(path.clone(), Instant::now() + REST);
            }
        }
    }
}

/// What is whole, the oldest first; what nobody finished is cleared away.
fn list(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let Some(changed) = entry.metadata().ok().and_then(|meta| meta.modified().ok()) else { continue };
        match name.to_str() {
            Some(name) if name.starts_with(slip::WHOLE) => found.push((changed, path)),
            Some(name) if name.starts_with(slip::UNFINISHED) && changed.elapsed().is_ok_and(|age| age > UNFINISHED_PATIENCE) => {
                let _ = fs::remove_file(path);
            }
            _ => {}
        }
    }
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}

/// Takes one message; `false`: not now.
async fn take(daemon: &Arc<Daemon>, path: &Path) -> bool {
    let opened = tokio::task::block_in_place(|| open(path));
    let result = match opened {
        Ok(dropped) => dropped.submit(daemon).await,
        Err(why) => Err(Trouble::Damaged(why)),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match result {
        // Whoever cannot remove it would hand it in again and again.
        Ok(()) => fs::remove_file(path).is_ok(),
        Err(Trouble::Later(reply)) => {
            tracing::warn!(file = %name, %reply, "a message of this host waits in the drop folder");
            false
        }
        Err(Trouble::Damaged(why)) => {
            tracing::error!(file = %name, why, "what was put into the drop folder is no message; it is set aside");
            let aside = path.with_file_name(name.replacen(slip::WHOLE, slip::DAMAGED, 1));
            fs::rename(path, aside).is_ok()
        }
    }
}

/// Why a message did not come in.
enum Trouble {
    /// It may later.
    Later(Reply),
    /// It is none.
    Damaged(&'static str),
}

/// A message that was found.
struct Dropped {
    slip: Slip,
    text: BufReader<File>,
    uid: u32,
    age: Duration,
}

fn open(path: &Path) -> Result<Dropped, &'static str> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).map_err(|_| "it cannot be opened")?);
    let meta = file.metadata().map_err(|_| "it cannot be looked at")?;
    // A second name would be somebody else's file, which its owner never put here.
    if !meta.is_file() || meta.nlink() != 1 {
        return Err("it is no plain file of its own");
    }
    let age = meta.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok()).unwrap_or_default();
    let mut text = BufReader::new(file);
    let mut line = Vec::new();
    (&mut text).take(SLIP_LIMIT_OCTETS).read_until(b'\n', &mut line).map_err(|_| "it cannot be read")?;
    let slip = serde_json::from_slice(&line).map_err(|_| "its first line does not say who and whom")?;
    Ok(Dropped { slip, text, uid: meta.uid(), age })
}

impl Dropped {
    async fn submit(mut self, daemon: &Arc<Daemon>) -> Result<(), Trouble> {
        let generation = daemon.current.generation();
        let origin = generation.site().origin_domain.as_str().to_owned();
        let user = user_name(self.uid);
        let whole = |address: &str| if address.contains('@') { address.to_owned() } else { format!("{address}@{origin}") };
        let own = whole(&user);
        let sender = match self.slip.from.as_deref().map(bare) {
            None => own.clone(),
            Some("") => String::new(),
            Some(given) => whole(given),
        };
        let reverse_path = ReversePath::parse(&sender).map_err(|_| Trouble::Damaged("its sender is no address"))?;
        let author = match &self.slip.full_name {
            Some(name) => format!("\"{}\" <{own}>", printable(name)),
            None => own,
        };
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let mut peer = Peer {
            address,
            listener: LOCAL_LISTENER.into(),
            user: Some(user.into()),
            store: None,
            certificate: None,
            speaks_for: None,
            author: Some(author.into()),
        };
        let request = MailRequest {
            reverse_path,
            size_octets: None,
            body: BodyKind::EightBit,
            smtputf8: !sender.is_ascii() || self.slip.to.iter().any(|to| !to.is_ascii()),
            require_tls: false,
            ret: self.slip.whole.then_some(Return::Full),
            envelope_id: self.slip.envelope_id.as_deref().and_then(Xtext::parse_envelope_id),
        };
        let reverse_path = request.reverse_path.clone();
        let begun = Transaction::begin(daemon, &peer, "localhost", request, None).await;
        let (mut transaction, _) = begun.map_err(Trouble::Later)?;
        let mut refused = Vec::new();
        let is_old = self.age > generation.site().queue.lifetime;
        for to in std::mem::take(&mut self.slip.to) {
            let to = whole(bare(&to));
            let Ok(forward_path) = ForwardPath::parse(&to) else {
                refused.push((to, Reply::BAD_ADDRESS));
                continue;
            };
            let request = RecipientRequest { forward_path, notify: self.notify(), original_recipient: None };
            let visitor = Visitor { helo: "localhost", listed: &mut Listed::default() };
            let reply = transaction.recipient(daemon, &peer, visitor, request).await;
            match reply {
                reply if reply.code.is_positive() => {}
                reply if reply.code.is_transient() && !is_old => return Err(Trouble::Later(reply)),
                reply => refused.push((to, reply)),
            }
        }
        self.finish(daemon, &mut peer, transaction, reverse_path, refused).await
    }

    /// The text, and what becomes of it.
    async fn finish(
        mut self, daemon: &Arc<Daemon>, peer: &mut Peer, mut transaction: Transaction, reverse_path: ReversePath,
        mut refused: Vec<(String, Reply)>,
    ) -> Result<(), Trouble> {
        let generation = transaction.generation().clone();
        let limits = &generation.site().limits;
        let mut decoder = Decoder::new(Framing::Counted, limits.message_octets, limits.hops, 0);
        let (mut piece, mut start) = (vec![0; PIECE_OCTETS], Vec::new());
        loop {
            let read = tokio::task::block_in_place(|| self.text.read(&mut piece));
            match read.map_err(|_| Trouble::Damaged("it cannot be read"))? {
                0 => break,
                octets => {
                    start.extend_from_slice(
                        &piece[..octets.min(RETURNED_OCTETS as usize - start.len().min(RETURNED_OCTETS as usize))],
                    );
                    decoder.feed(&piece[..octets]);
                    let text = decoder.take_body();
                    tokio::task::block_in_place(|| transaction.take(&text));
                }
            }
        }
        let accepted = transaction.recipients().iter().map(|mailbox| mailbox.to_string()).collect::<Vec<_>>();
        let reply = match decoder.finish() {
            Err(reply) => reply,
            Ok(_) if accepted.is_empty() => Reply::OK,
            Ok(message) => {
                let spoken = Spoken { helo: "localhost", protocol: "local" };
                transaction.finish(daemon, peer, spoken, message).await
            }
        };
        match reply {
            reply if reply.code.is_positive() => {}
            reply if reply.code.is_transient() => return Err(Trouble::Later(reply)),
            reply => refused.extend(accepted.into_iter().map(|to| (to, reply.clone()))),
        }
        for (to, reply) in &refused {
            tracing::warn!(from = %reverse_path, to, %reply, "a recipient of a local message was refused");
        }
        if refused.is_empty() || self.notify().is_some_and(|notify| !notify.failure) {
            return Ok(());
        }
        notify(daemon, &generation, reverse_path, refused, &start).await
    }

    /// What the sender wants to hear of; `None`: it has not said (RFC 3461 4.1).
    fn notify(&self) -> Option<Notify> {
        self.slip.notify.as_deref().and_then(Notify::parse)
    }
}

/// Tells the sender who was refused. A message that nobody can be told about is lost, as the log says.
async fn notify(
    daemon: &Daemon, generation: &Generation, reverse_path: ReversePath, refused: Vec<(String, Reply)>, start: &[u8],
) -> Result<(), Trouble> {
    let about = refused.into_iter().filter_map(|(to, reply)| Some((Mailbox::parse(&to).ok()?, reply))).collect();
    let now = now_ms();
    let id = daemon.spool.fresh_id(now);
    let entry = QueueEntry::refused(id.id(), now, reverse_path, about, generation.mark());
    let about: Vec<Unreturned<'_>> = entry.unreturned().collect();
    let generated = notice::write(generation, (id, now), &entry, &about, start, Vec::new()).map_err(|error| {
        tracing::error!(%error, "a notice about a local message cannot be signed, so the message waits");
        Trouble::Later(Reply::LOCAL_ERROR)
    })?;
    let Some(generated) = generated else { return Ok(()) };
    daemon.spool.append(generated).await.map(drop).map_err(|_| Trouble::Later(Reply::LOCAL_ERROR))
}

/// The name of a user of this host; where it has none that could be in an address, its number.
fn user_name(uid: u32) -> String {
    let is_plain =
        |name: &str| !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"._-".contains(&octet));
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    });
    named.filter(|name| is_plain(name)).map_or_else(|| format!("uid-{uid}"), str::to_owned)
}

fn bare(address: &str) -> &str {
    address.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(address)
}

/// Text that can stand between quotes in a header.
fn printable(name: &str) -> String {
    name.chars().filter(|character| (' '..='~').contains(character) && !matches!(character, '"' | '\\')).take(100).collect()
}
