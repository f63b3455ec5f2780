//! `GET /metrics` over HTTP/1.1 (RFC 9112), one answer a connection: as much of HTTP as Prometheus speaks.

use super::counters::one;
use crate::daemon::Daemon;
use crate::screen;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

/// The longest question, in octets.
const QUESTION_LIMIT_OCTETS: u64 = 8 << 10;
/// How long somebody may take to ask and to read.
const PATIENCE: Duration = Duration::from_secs(10);

/// The socket where the numbers are served, if the site has one.
#[derive(Debug, Default)]
pub struct Endpoint(Option<(SocketAddr, AbortHandle)>);

/// The socket cannot be had.
#[derive(Debug)]
pub struct Unavailable(SocketAddr, io::Error);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "metrics cannot be served on {}: {}", self.0, self.1)
    }
}

impl std::error::Error for Unavailable {}

impl Endpoint {
    /// Serves where the site in force wants it, and nowhere else. What is served there already goes on.
    ///
    /// # Errors
    /// [`Unavailable`]: nothing is served then.
    pub fn follow(&mut self, daemon: &Arc<Daemon>) -> Result<(), Unavailable> {
        let wanted = daemon.current.generation().site().metrics.map(|metrics| metrics.listen);
        if self.0.as_ref().map(|(address, _)| *address) == wanted {
            return Ok(());
        }
        if let Some((_, task)) = self.0.take() {
            task.abort();
        }
        let Some(address) = wanted else { return Ok(()) };
        let socket = listen(address).map_err(|error| Unavailable(address, error))?;
        tracing::info!(address = %socket.local_addr().unwrap_or(address), "metrics are served");
        let daemon = daemon.clone();
        let task = tokio::spawn(async move {
            loop {
                match socket.accept().await {
                    Ok((stream, _)) => drop(tokio::spawn(tokio::time::timeout(PATIENCE, answer(stream, daemon.clone())))),
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        });
        self.0 = Some((address, task.abort_handle()));
        Ok(())
    }
}

fn listen(address: SocketAddr) -> io::Result<tokio::net::TcpListener> {
    let socket = TcpListener::bind(address)?;
    socket.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(socket)
}

async fn answer(mut stream: TcpStream, daemon: Arc<Daemon>) -> io::Result<()> {
    let mut question = Vec::new();
    let (reading, mut writing) = stream.split();
    let mut reading = reading.take(QUESTION_LIMIT_OCTETS);
    while !question.windows(4).any(|end| end == b"\r\n\r\n") {
        if reading.read_buf(&mut question).await? == 0 {
            return Ok(());
        }
    }
    let (status, text) = if question.starts_with(b"GET /metrics ") || question.starts_with(b"GET /metrics?") {
        // A large queue takes a while to go through.
        ("HTTP/1.1 200 OK", tokio::task::block_in_place(|| text(&daemon)))
    } else {
        ("HTTP/1.1 404 Not Found", "see /metrics\n".to_owned())
    };
    let head = format!(
        "{status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        text.len()
    );
    writing.write_all((head + &text).as_bytes()).await?;
    writing.shutdown().await
}

/// What the checks of strangers know. The zones are those of the site.
fn text_of_screen(daemon: &Daemon, out: &mut String) {
    let generation = daemon.current.generation();
    let lists = daemon.lists.status(&screen::zones(&generation));
    out.push_str("# HELP postern_list_answers_total Questions to lists of clients, by what came of them.\n# TYPE postern_list_answers_total counter\n");
    for list in &lists {
        for (outcome, count) in &list.answers {
            out.push_str(&format!("postern_list_answers_total{{zone=\"{}\",outcome=\"{outcome}\"}} {count}\n", list.zone));
        }
    }
    let stale = lists.iter().filter(|list| list.is_stale).count() as u64;
    one(out, "lists_stale", "gauge", "Lists that do not answer, or list everybody, and count nothing.", stale);
    let (waiting, known) = daemon.greylist.counts();
    one(out, "greylist_waiting", "gauge", "Clients, senders and recipients that have to come back.", waiting as u64);
    one(out, "greylist_known", "gauge", "Those that have come back, and clients that did.", known as u64);
    let blamed = daemon.reputations.known() as u64;
    one(out, "reputation_clients", "gauge", "Clients with points for what went wrong.", blamed);
}

/// Everything that there is to say.
fn text(daemon: &Daemon) -> String {
    let mut out = String::new();
    daemon.counters.render(&mut out);
    daemon.names.render(&mut out);
    let counts = daemon.spool.counts();
    let generation = daemon.current.generation();
    daemon.spool.flush_times().render(&mut out, "queue_flush_seconds", "How long it takes until what is queued is durable.");
    daemon.classes.render(daemon, &mut out);
    one(&mut out, "spool_damaged_total", "counter", "Pieces of the queue that were set aside.", daemon.spool.damage().1);
    out.push_str("# HELP postern_queue_messages Messages in the queue, by state.\n# TYPE postern_queue_messages gauge\n");
    for (state, count) in [("active", counts.active), ("deferred", counts.deferred), ("hold", counts.held)] {
        out.push_str(&format!("postern_queue_messages{{state=\"{state}\"}} {count}\n"));
    }
    out.push_str("# HELP postern_peers Peers that mail waits for, by the limit that binds.\n# TYPE postern_peers gauge\n");
    let peers = daemon.peers.status();
    for limit in ["dead", "rate", "concurrency"] {
        let count = peers.iter().filter(|peer| peer.binds == Some(limit)).count();
        out.push_str(&format!("postern_peers{{limit=\"{limit}\"}} {count}\n"));
    }
    text_of_screen(daemon, &mut out);
    for (name, help, value) in [
        ("queue_octets", "Octets of queued messages.", counts.live_octets),
        ("queue_recovering", "1 while what an earlier process left is still being read.", daemon.spool.is_recovering().into()),
        ("spool_free_octets", "What may still be written where the queue lies.", daemon.spool.free_octets().unwrap_or_default()),
        ("spool_octets", "Octets of the files of the queue.", counts.log_octets),
        ("sessions", "Sessions of clients.", daemon.sessions() as u64),
        ("generation", "How many snapshots were in force since the start.", generation.number),
        ("uptime_seconds", "How long the daemon has run.", daemon.started.elapsed().as_secs()),
    ] {
        one(&mut out, name, "gauge", help, value);
    }
    out.push_str(&format!(
        "# HELP postern_snapshot_info The snapshot in force.\n# TYPE postern_snapshot_info gauge\npostern_snapshot_info{{digest=\"{}\"}} 1\n",
        generation.snapshot.digest()
    ));
    out
}
