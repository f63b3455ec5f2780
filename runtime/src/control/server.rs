//! The answering side of the control socket.

use super::{Answer, Request, queue, report, shape, socket_path};
use crate::acme::store::Store;
use crate::daemon::Daemon;
use crate::deliver::peers::PeerStatus;
use crate::dns::secure::Ability;
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
/// Peers that `status` shows: those with most sessions.
const PEERS_SHOWN: usize = 50;
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
        Request::Reload { plan } => match daemon.reload(plan.as_deref()).await {
            Ok(generation) => Answer::Ok(json!({
                "digest": generation.snapshot.digest(),
                "generation": generation.number,
            })),
            Err(error) => Answer::Refused(error.to_string()),
        },
        Request::QueueList { select } => queue::list(daemon, &select),
        Request::QueueShow { id, body } => tokio::task::block_in_place(|| queue::show(&daemon.spool, &id, body)),
        Request::ReportList { kind } => report::list(daemon, kind.as_deref()),
        Request::ReportShow { kind, domain, day } => report::show(daemon, &kind, &domain, day.as_deref()).await,
        Request::QueueChange { action, select, dry_run } => queue::change(daemon, action, &select, dry_run).await,
    }
}

async fn status(daemon: &Daemon) -> Value {
    let generation = daemon.current.generation();
    let counts = daemon.spool.counts();
    let (damage, damaged) = daemon.spool.damage();
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
            "recipients": counts.recipients,
            "octets": counts.live_octets,
            "recovering": daemon.spool.is_recovering(),
        },
        "damaged": {
            "pieces": damaged,
            "last": damage.last().map(|report| json!({
                "segment": report.segment,
                "offset": report.offset,
                "octets": report.octets,
                "reason": report.reason,
                "saved-as": report.saved_as,
            })),
        },
        "rates": daemon.rates.per_minute(),
        "dnssec": match daemon.validator.ability_now() {
            Ability::Unknown => json!({ "state": "unknown" }),
            Ability::Proven => json!({ "state": "validated" }),
            Ability::Missing(why) => json!({ "state": "missing", "why": &*why }),
        },
        "mta-sts-policies": daemon.sts.count(),
        "since-start": daemon.counters.totals().map(|(name, count)| (name.to_owned(), count.into())).collect::<serde_json::Map<_, _>>(),
        "certificates": generation.site().tls.acme.as_ref().map(|acme| {
            tokio::task::block_in_place(|| daemon.renewal.status(acme, &Store::of(daemon.state.folder())))
        }),
        "peers": daemon.peers.status().into_iter().take(PEERS_SHOWN).map(peer).collect::<Value>(),
        // A large queue takes a while to go through, and sessions go on meanwhile.
        "shape": tokio::task::block_in_place(|| shape::shape(daemon)),
    })
}

fn peer(status: PeerStatus) -> Value {
    let PeerStatus { peer, sessions, limit, binds, last_failure } = status;
    json!({ "peer": peer, "sessions": sessions, "session-limit": limit, "binds": binds, "last-failure": last_failure })
}

/// A listener as `status` and the line of readiness show it.
pub fn listener(bound: &crate::net::Bound) -> Value {
    json!({ "name": bound.name, "kind": bound.kind, "address": bound.address.to_string() })
}
