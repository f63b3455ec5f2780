//! A connection before its session: who is there, whether there is a place for it, TLS where it begins with the first octet, and what the
//! server is like that it meets.

use super::admission::ConnectionGuard;
use super::proxy;
use super::session::{ERROR_LIMIT, HANDSHAKE_PATIENCE, Session, in_time};
use super::stream::Stream;
use super::transaction::Peer;
use crate::auth;
use crate::daemon::{Daemon, SessionGuard};
use crate::site::Generation;
use crate::smtp::server::{Server, ServerConfig};
use ipnet::IpNet;
use postern_schema::decide::{Client, Reason};
use postern_schema::reply::Reply;
use postern_schema::site::{Limited, Listener, ListenerKind};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a load balancer may take to say who is there.
const PROXY_PATIENCE: Duration = Duration::from_secs(5);
/// How long the handshake may take of a client who is let in only to hear why it is not served.
const REFUSED_PATIENCE: Duration = Duration::from_secs(5);

/// Serves one connection.
pub async fn serve(mut stream: Stream, peer: IpAddr, listener: Listener, daemon: Arc<Daemon>) {
    if let Stream::Plain(socket) = &stream {
        // Replies are small and waited for; a socket that does not know the option is served all the same.
        let _ = socket.set_nodelay(true);
    }
    let generation = daemon.current.generation();
    let mut address = peer.to_canonical();
    let is_among = |range: Option<IpNet>, address: IpAddr| range.is_some_and(|range| range.contains(&address));
    if is_among(listener.proxy_from, address) {
        match in_time(PROXY_PATIENCE, proxy::read(&mut stream)).await {
            Ok(client) => address = client.map_or(address, |client| client.to_canonical()),
            Err(error) => return tracing::info!(peer = %address, listener = &*listener.name, %error, "no PROXY header"),
        }
    }
    let mends_line_ends = generation.site().network(address).is_some_and(|network| network.mends_line_ends);
    let xclient = is_among(listener.xclient_from, address);
    let client = Client { listener: &listener.name, address, user: None, certificate: &[] };
    let is_admitted = client.is_admitted(generation.site());
    let guards = admit(&daemon, &generation, address, &listener);
    if listener.kind.is_implicit_tls() {
        let Some(config) = generation.tls_for(listener.kind) else { return };
        let patience = if guards.is_some() { HANDSHAKE_PATIENCE } else { REFUSED_PATIENCE };
        match in_time(patience, stream.accept_tls(config)).await {
            Ok(encrypted) => stream = encrypted,
            Err(error) => return tracing::info!(peer = %address, listener = &*listener.name, %error, "handshake failed"),
        }
    }
    let server = Server::new(
        Arc::new(ServerConfig { xclient, mends_line_ends, ..server_config(&listener, &generation, &daemon).await }),
        listener.kind.is_implicit_tls(),
    );
    let (kind, name) = (listener.kind, listener.name);
    let peer = Peer { address, listener: name, user: None, store: None, certificate: None, speaks_for: None, author: None };
    let mut session = Session::new(daemon, generation, server, peer, kind);
    if !is_admitted {
        let reason = Reason::PeerNotListed;
        tracing::info!(peer = %address, listener = session.listener(), reason = reason.as_str(), "refused");
        session.refuse(&reason.reply());
    } else if guards.is_none() {
        session.refuse(&Reply::TOO_MANY_CONNECTIONS);
    } else if kind == ListenerKind::Mx {
        session.look_up();
    }
    session.serve(stream).await;
}

/// Counts the client in; `None` if there are too many.
fn admit(
    daemon: &Arc<Daemon>, generation: &Generation, address: IpAddr, listener: &Listener,
) -> Option<(ConnectionGuard, SessionGuard)> {
    let site = generation.site();
    let name = &*listener.name;
    // One filter has as many connections as there are clients behind it.
    let spared = listener.kind.is_for_peers();
    match daemon.admission.connect(address, site, spared, Instant::now()) {
        Ok(connection) => {
            let session = daemon.admit(site.limits.sessions);
            if session.is_none() {
                tracing::warn!(peer = %address, listener = name, reason = "session-limit", source = site.sources.describe(site.limits.origin), "refused");
            }
            Some((connection, session?))
        }
        Err(limit) => {
            let reason = match limit.what {
                Limited::NewConnections(_) => "connection-rate-limit",
                Limited::Connections(_) | Limited::Messages(_) => "connection-limit",
            };
            tracing::info!(peer = %address, listener = name, reason, source = site.sources.describe(limit.origin), "refused");
            None
        }
    }
}

async fn server_config(listener: &Listener, generation: &Generation, daemon: &Daemon) -> ServerConfig {
    let site = generation.site();
    let stores = if listener.kind.requires_login() { &site.users[..] } else { &[] };
    ServerConfig {
        hostname: site.hostname.as_str().into(),
        kind: listener.kind,
        // A socket in the file system needs none.
        starttls: generation.tls.is_some() && listener.socket.is_none(),
        mechanisms: auth::mechanisms(stores, &daemon.credentials, &daemon.dovecot, &daemon.scram_files).await,
        message_octets: site.limits.message_octets,
        recipients: site.limits.recipients,
        hops: site.limits.hops,
        vrfy: site.limits.vrfy,
        xclient: false,
        mends_line_ends: false,
        errors: ERROR_LIMIT,
    }
}
