//! The HTTPS listener of a site: MTA-STS policies (RFC 8461 3.3) and settings for mail programs, below `/.well-known/` and for
//! the domains of the snapshot in force. No files, no state, nothing that a client sends is kept.
//!
//! The authority of [`crate::acme`] is answered here too: by TLS (RFC 8737), or over HTTP at a port of its own (RFC 8555 8.3).
//!
//! [`request`] reads one request, [`response`] says what becomes of it: both pure. A connection carries one of them, and is over
//! after a few seconds whatever the client does.

mod request;
mod response;

use crate::daemon::Daemon;
use crate::queue::date;
use rustls::ServerConfig;
use rustls::server::Acceptor;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::LazyConfigAcceptor;

/// All that one connection may take, from the handshake to the farewell.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections at once. Files of a few hundred octets are served in less than a round trip.
const CONNECTION_LIMIT: usize = 128;
/// The longest request line and fields.
const HEAD_MAX_OCTETS: usize = 8 << 10;

/// What all connections share.
#[derive(Debug)]
pub struct Places(Arc<Semaphore>);

impl Default for Places {
    fn default() -> Places {
        Places(Arc::new(Semaphore::new(CONNECTION_LIMIT)))
    }
}

/// Serves one connection. Beyond the limit, it is closed at once.
pub async fn serve(socket: TcpStream, peer: IpAddr, daemon: Arc<Daemon>) {
    let Ok(_place) = daemon.web.0.clone().try_acquire_owned() else {
        return tracing::info!(peer = %peer, reason = "web-connection-limit", "refused");
    };
    match tokio::time::timeout(PATIENCE, converse(socket, &daemon)).await {
        Ok(Ok(log)) => tracing::debug!(peer = %peer, request = log, "web request"),
        Ok(Err(error)) => tracing::debug!(peer = %peer, %error, "web connection lost"),
        Err(_) => tracing::debug!(peer = %peer, "web client too slow"),
    }
}

/// Serves one connection of the port where an authority asks by http-01: the file that it asks for, and nothing else.
pub async fn serve_challenge(mut socket: TcpStream, peer: IpAddr, daemon: Arc<Daemon>) {
    let Ok(_place) = daemon.web.0.clone().try_acquire_owned() else {
        return tracing::info!(peer = %peer, reason = "web-connection-limit", "refused");
    };
    let answered = async {
        let request = read_head(&mut socket).await?;
        let answer = response::to_authority(&request, &daemon.renewal.challenges);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        socket.write_all(&answer.to_octets(&date::http(now), request.as_ref().is_ok_and(|request| request.is_head))).await?;
        farewell(&mut socket).await?;
        io::Result::Ok(answer.status)
    };
    match tokio::time::timeout(PATIENCE, answered).await {
        Ok(Ok(status)) => tracing::debug!(peer = %peer, status, "http-01 request"),
        Ok(Err(error)) => tracing::debug!(peer = %peer, %error, "http-01 connection lost"),
        Err(_) => tracing::debug!(peer = %peer, "http-01 client too slow"),
    }
}

/// Returns the line of the log.
async fn converse(socket: TcpStream, daemon: &Daemon) -> io::Result<String> {
    let greeted = LazyConfigAcceptor::new(Acceptor::default(), socket).await?;
    if let Some(config) = daemon.renewal.challenges.config(&greeted.client_hello()) {
        // RFC 8737 3: the handshake is all that the authority wants.
        greeted.into_stream(config).await?.shutdown().await?;
        return Ok("acme-tls/1".to_owned());
    }
    let generation = daemon.current.generation();
    let Some(config) = generation.tls.as_ref().map(|served| &served.silent) else {
        return Err(io::Error::other("the site has no certificate"));
    };
    // What speaks another protocol is told so in the handshake (RFC 9325 3.8).
    let mut config = ServerConfig::clone(config);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let mut stream = greeted.into_stream(Arc::new(config)).await?;
    let request = read_head(&mut stream).await?;
    // The snapshot is a mapped file, and its reader may wait for the disk.
    let answer = tokio::task::block_in_place(|| response::to(&request, &*generation.snapshot));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    stream.write_all(&answer.to_octets(&date::http(now), request.as_ref().is_ok_and(|request| request.is_head))).await?;
    farewell(&mut stream).await?;
    Ok(answer.status.to_owned())
}

/// Says that this was all, and takes what the client still sends, so that the answer is not lost to a reset.
async fn farewell(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<()> {
    stream.shutdown().await?;
    let mut rest = [0; 1 << 10];
    while stream.read(&mut rest).await.is_ok_and(|octets| octets > 0) {}
    Ok(())
}

/// Reads up to the end of the fields, or to where they are too long or no HTTP.
async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Result<request::Request, request::Malformed>> {
    let mut head = Vec::with_capacity(1 << 10);
    loop {
        match request::parse(&head) {
            Ok(None) if head.len() >= HEAD_MAX_OCTETS => return Ok(Err(request::Malformed::TooLong)),
            Ok(None) => {}
            Ok(Some(request)) => return Ok(Ok(request)),
            Err(malformed) => return Ok(Err(malformed)),
        }
        let room = (HEAD_MAX_OCTETS - head.len()) as u64;
        if (&mut *stream).take(room).read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}
