//! The answering side of the control socket.

use super::{Answer, Request, socket_path};
use crate::daemon::Daemon;
use crate::queue::{QueueEntry, QueueId, RecipientState};
use serde_json::{Value, json};
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

/// The longest question, in octets.
const QUESTION_LIMIT_OCTETS: u64 = 1 << 20;
/// The most messages that one list shows.
const LIST_LIMIT: usize = 100_000;
/// How long somebody may take to ask.
const QUESTION_PATIENCE: Duration = Duration::from_secs(10);

/// Opens the socket and answers until the daemon ends. The lock on the state folder is ours, so a socket that is there
/// already belongs to nobody.
///
/// # Errors
/// The socket cannot be made.
pub fn serve(daemon: &Arc<Daemon>, state: &Path) -> io::Result<()> {
    let (folder, path) = socket_path(state)?;
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    let daemon = daemon.clone();
    tokio::spawn(async move {
        let _folder = folder;
        loop {
            match socket.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(converse(stream, daemon.clone()))),
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    });
    Ok(())
}

async fn converse(mut stream: UnixStream, daemon: Arc<Daemon>) {
    let (reading, mut writing) = stream.split();
    let mut line = String::new();
    let mut reading = BufReader::new(reading.take(QUESTION_LIMIT_OCTETS));
    let Ok(Ok(1..)) = tokio::time::timeout(QUESTION_PATIENCE, reading.read_line(&mut line)).await else { return };
    let answer = match serde_json::from_str::<Request>(&line) {
        Ok(request) => answer(request, &daemon).await,
        Err(error) => Answer::Refused(format!("the question is not understood: {error}")),
    };
    if let Ok(text) = serde_json::to_string(&answer) {
        // Whoever hung up does not want to know.
        let _ = writing.write_all(format!("{text}\n").as_bytes()).await;
    }
}

async fn answer(request: Request, daemon: &Arc<Daemon>) -> Answer {
    match request {
        Request::Status => Answer::Ok(status(daemon).await),
        Request::Reload => match daemon.reload().await {
            Ok(generation) => Answer::Ok(json!({
                "digest": generation.snapshot.digest(),
                "generation": generation.number,
            })),
            Err(error) => Answer::Refused(error.to_string()),
        },
        Request::QueueList => Answer::Ok(daemon.spool.page(None, LIST_LIMIT).iter().map(|entry| summary(entry)).collect()),
        Request::QueueShow { id } => {
            match QueueId::parse(&id).and_then(|id| daemon.spool.find(id)) {
                Some(entry) => Answer::Ok(detail(&entry)),
                None => Answer::Refused(format!("no message {id} in the queue")),
            }
        }
        Request::QueueFlush => match daemon.flush().await {
            Ok(messages) => Answer::Ok(json!({ "messages": messages })),
            Err(error) => Answer::Refused(error.to_string()),
        },
    }
}

async fn status(daemon: &Daemon) -> Value {
    let generation = daemon.current.generation();
    let counts = daemon.spool.counts();
    json!({
        "digest": generation.snapshot.digest(),
        "generation": generation.number,
        "pid": std::process::id(),
        "uptime-seconds": daemon.started.elapsed().as_secs(),
        "sessions": daemon.sessions(),
        "listeners": daemon.bound().await.iter().map(listener).collect::<Value>(),
        "queue": {
            "active": counts.active,
            "deferred": counts.deferred,
            "hold": counts.held,
            "octets": counts.live_octets,
        },
    })
}

/// A listener as `status` and the line of readiness show it.
pub fn listener(bound: &crate::net::Bound) -> Value {
    json!({ "name": bound.name, "kind": bound.kind.as_str(), "address": bound.address.to_string() })
}

fn summary(entry: &QueueEntry) -> Value {
    let envelope = &entry.envelope;
    let recipients = envelope.recipients.iter().zip(&entry.states).filter(|(_, state)| is_open(state));
    json!({
        "id": envelope.id.to_string(),
        "state": entry.state().as_str(),
        "arrival-ms": envelope.arrival_ms,
        "octets": envelope.body_octets,
        "from": envelope.reverse_path.to_string(),
        "to": recipients.map(|(recipient, state)| json!({
            "address": recipient.address.to_string(),
            "reason": last_reply(state),
        })).collect::<Value>(),
        "next-attempt-ms": entry.next_attempt_ms(),
    })
}

fn detail(entry: &QueueEntry) -> Value {
    let envelope = &entry.envelope;
    let mut shown = summary(entry);
    shown["generation"] = envelope.generation.to_string().into();
    shown["client"] = envelope.client.as_ref().map_or(Value::Null, |client| {
        json!({ "address": client.address, "helo": client.helo, "listener": client.listener, "user": client.user })
    });
    shown["recipients"] = envelope
        .recipients
        .iter()
        .zip(&entry.states)
        .map(|(recipient, state)| {
            json!({
                "address": recipient.address.to_string(),
                "original": recipient.original().to_string(),
                "state": state_name(state),
                "reply": last_reply(state),
            })
        })
        .collect();
    shown
}

fn is_open(state: &RecipientState) -> bool {
    !matches!(state, RecipientState::Delivered | RecipientState::Returned)
}

fn state_name(state: &RecipientState) -> &'static str {
    match state {
        RecipientState::Pending { .. } => "pending",
        RecipientState::Delivered => "delivered",
        RecipientState::Failed(_) => "failed",
        RecipientState::Expired(_) => "expired",
        RecipientState::Returned => "returned",
    }
}

fn last_reply(state: &RecipientState) -> Option<String> {
    match state {
        RecipientState::Pending { last, .. } => last.as_ref().map(|attempt| attempt.reply.to_string()),
        RecipientState::Failed(attempt) | RecipientState::Expired(attempt) => Some(attempt.reply.to_string()),
        RecipientState::Delivered | RecipientState::Returned => None,
    }
}
