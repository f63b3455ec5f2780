//! `explain --attempt`: how a message in the queue was decided. The daemon says what it knows of the message (`posternd queue show
//! ID --json`), and which snapshots decided it; here the same decisions are asked of the same snapshots, which `build` keeps.

use super::{json, text};
use crate::command::subject::read_input;
use crate::command::{Failure, spool};
use crate::explain::{Explanation, HopExplained, Question, explain, explain_hop};
use postern_schema::decide::{End, Lookup, SentAs, TlsWish};
use postern_schema::name::{ForwardPath, Mailbox, ReversePath};
use postern_schema::site::{Fingerprint, Site};
use postern_schema::snapshot::Snapshot;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// What `posternd queue show` says, as far as it matters here.
#[derive(Deserialize)]
struct Queued {
    id: String,
    from: String,
    generation: String,
    /// An older daemon does not say.
    #[serde(default)]
    requiretls: bool,
    #[serde(default, rename = "tls-optional")]
    tls_optional: bool,
    client: Option<QueuedClient>,
    recipients: Vec<QueuedRecipient>,
}

#[derive(Deserialize)]
struct QueuedClient {
    address: IpAddr,
    listener: String,
    user: Option<String>,
    /// An older daemon does not say.
    #[serde(default)]
    certificate: Vec<String>,
    helo: Option<String>,
}

#[derive(Deserialize)]
struct QueuedRecipient {
    address: String,
    original: String,
    state: String,
    reply: Option<String>,
    generation: Option<String>,
    owner: Option<String>,
    #[serde(rename = "forwarded-by")]
    forwarded_by: Option<String>,
    #[serde(default)]
    srs: bool,
}

impl QueuedRecipient {
    fn sent_as(&self) -> Result<SentAs, Failure> {
        let parse = |text: &String| Mailbox::parse(text).map_err(|error| odd(text, &error));
        Ok(match (&self.owner, &self.forwarded_by) {
            (Some(owner), _) => SentAs::Owner(parse(owner)?),
            (None, Some(by)) => SentAs::Forwarder { by: parse(by)?, srs: self.srs },
            (None, None) => SentAs::Sender,
        })
    }
}

/// A message, decided again.
#[derive(Serialize)]
struct Replay {
    /// The queue id.
    id: String,
    /// The digest of the snapshot that accepted it.
    accepted_by: String,
    /// The acceptance of each recipient that the client named; empty for a message that the daemon wrote itself.
    accepted: Vec<Explanation>,
    /// The last attempt for each address.
    attempts: Vec<Attempt>,
}

#[derive(Serialize)]
struct Attempt {
    /// `pending`, `delivered`, `failed`, `expired` or `returned`.
    state: String,
    /// What the receiver said.
    reply: Option<String>,
    /// The digest of the snapshot that routed it.
    routed_by: String,
    hop: HopExplained,
}

/// Where a queued message is described.
pub(super) enum Message<'a> {
    /// In a file, or on standard input.
    File(&'a Path),
    /// By the daemon, under this queue id.
    Daemon {
        id: &'a str,
        /// Its state folder.
        state: Option<&'a Path>,
    },
}

impl<'a> Message<'a> {
    /// What the command line means: a queue id is made of letters and digits, and no file unless somebody calls one so.
    pub(super) fn new(given: &'a str, state: Option<&'a Path>) -> Message<'a> {
        let file = Path::new(given);
        let is_id = given.bytes().all(|octet| octet.is_ascii_alphanumeric()) && !file.is_file();
        if state.is_some() || is_id { Message::Daemon { id: given, state } } else { Message::File(file) }
    }

    fn read(&self) -> Result<Queued, Failure> {
        let (text, origin) = match self {
            Message::File(file) => (read_input(file)?, file.display().to_string()),
            Message::Daemon { id, state } => (spool::ask(&["show", id], *state)?, "the daemon's answer".to_owned()),
        };
        serde_json::from_str(&text)
            .map_err(|error| Failure::usage(format!("{origin} is not what `posternd queue show ID --json` says: {error}")))
    }
}

/// The message, decided by the snapshots in `folder`.
pub(super) fn run(folder: &Path, message: &Message<'_>, for_programs: bool) -> Result<String, Failure> {
    let replay = replay(folder, &message.read()?)?;
    if for_programs { json(&replay) } else { Ok(describe(&replay)) }
}

/// The digest by which a network of the site knows the client: that of its certificate, or that of its key.
fn known(shown: &[String], site: &Site) -> Option<Fingerprint> {
    let shown: Vec<Fingerprint> = shown.iter().filter_map(|text| Fingerprint::parse(text)).collect();
    let is_known = |one: &&Fingerprint| site.networks.iter().any(|network| network.certificates.contains(*one));
    shown.iter().find(is_known).or(shown.first()).copied()
}

fn replay(folder: &Path, queued: &Queued) -> Result<Replay, Failure> {
    let from = ReversePath::parse(&queued.from).map_err(|error| odd(&queued.from, &error))?;
    let mut snapshots = Snapshots::new(folder);
    let acceptance = snapshots.generation(&queued.generation)?;
    let mut accepted = Vec::new();
    let wish = match (queued.requiretls, queued.tls_optional) {
        (true, _) => TlsWish::Required,
        (false, true) => TlsWish::Optional,
        (false, false) => TlsWish::Default,
    };
    if let Some(client) = &queued.client {
        let originals: BTreeSet<&str> = queued.recipients.iter().map(|recipient| &*recipient.original).collect();
        for original in originals {
            let question = Question {
                client: Some(client.address),
                user: client.user.clone(),
                certificate: known(&client.certificate, acceptance.site()),
                listener: Some(client.listener.clone()),
                tls_wish: wish,
                helo: client.helo.clone(),
                ..Question::new(from.clone(), ForwardPath::parse(original).map_err(|error| odd(original, &error))?)
            };
            // It was accepted, so nothing that was asked spoke against it.
            accepted.push(explain(&question.or_good(), &*acceptance).map_err(|error| Failure::usage(error.to_string()))?);
        }
    }
    let mut attempts = Vec::new();
    for recipient in &queued.recipients {
        let address = Mailbox::parse(&recipient.address).map_err(|error| odd(&recipient.address, &error))?;
        let routing = snapshots.generation(recipient.generation.as_ref().unwrap_or(&queued.generation))?;
        attempts.push(Attempt {
            state: recipient.state.clone(),
            reply: recipient.reply.clone(),
            routed_by: routing.digest().to_owned(),
            hop: explain_hop(&from, &End { mailbox: address, sent_as: recipient.sent_as()? }, wish, &*routing),
        });
    }
    Ok(Replay { id: queued.id.clone(), accepted_by: acceptance.digest().to_owned(), accepted, attempts })
}

fn odd(address: &str, error: &impl std::fmt::Display) -> Failure {
    Failure::usage(format!("{address:?} in the message is no address: {error}"))
}

/// The snapshots of a folder; LMDB opens a file once in a process.
struct Snapshots<'a> {
    folder: &'a Path,
    open: Vec<Rc<Snapshot>>,
}

impl Snapshots<'_> {
    /// Of a folder, or of the one that a `.mdb` file lies in.
    fn new(path: &Path) -> Snapshots<'_> {
        let folder =
            if path.is_dir() { path } else { path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new(".")) };
        Snapshots { folder, open: Vec::new() }
    }

    /// The snapshot whose digest begins so.
    fn generation(&mut self, mark: &str) -> Result<Rc<Snapshot>, Failure> {
        if let Some(found) = self.open.iter().find(|snapshot| snapshot.digest().starts_with(mark)) {
            return Ok(found.clone());
        }
        let entries = std::fs::read_dir(self.folder);
        let entries = entries.map_err(|error| Failure::missing(format!("{}: {error}", self.folder.display())))?;
        let is_wanted = |path: &PathBuf| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            name.starts_with(mark) && name.ends_with(".mdb")
        };
        let found = entries.filter_map(|entry| Some(entry.ok()?.path())).find(is_wanted).ok_or_else(|| {
            Failure::missing(format!("{} holds no snapshot {mark}…, which decided this", self.folder.display()))
        })?;
        let snapshot = Rc::new(Snapshot::open(&found)?);
        self.open.push(snapshot.clone());
        Ok(snapshot)
    }
}

fn describe(replay: &Replay) -> String {
    let mut out = format!("message {}, accepted by snapshot {}\n", replay.id, replay.accepted_by);
    // Writing to a string does not fail.
    for explanation in &replay.accepted {
        let _ = write!(out, "\n{}", text::describe(explanation, &[]));
    }
    for attempt in &replay.attempts {
        let _ = writeln!(
            out,
            "\nlast attempt for {}: {}, routed by snapshot {}",
            attempt.hop.recipient, attempt.state, attempt.routed_by
        );
        if let Some(reply) = &attempt.reply {
            let _ = writeln!(out, "  the receiver said: {reply}");
        }
        text::hop(&mut out, &attempt.hop);
    }
    out
}
