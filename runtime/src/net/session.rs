//! One connection from its first octet to its last: I/O and time limits here, the protocol in [`crate::smtp::server`], the
//! answers in [`super::transaction`].

use super::admission::ConnectionGuard;
use super::login::Logins;
use super::pace::Pace;
use super::proxy;
use super::stream::Stream;
use super::transaction::{Peer, Spoken, Transaction, Visitor};
use crate::auth::{self, ChannelBindings};
use crate::daemon::{Daemon, SessionGuard};
use crate::rehearsal::patience;
use crate::screen::{self, EARLY, ERROR, Listed};
use crate::site::Generation;
use crate::smtp::command::RecipientRequest;
use crate::smtp::server::{Question, Server, ServerConfig, Step};
use bytes::BytesMut;
use ipnet::IpNet;
use postern_schema::decide::{Client, Reason};
use postern_schema::reply::Reply;
use postern_schema::site::{Check, Limited, Listener, ListenerKind, Origin, Rate, Reaction, UserStore};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How long a session may go on that brings nothing, and how long a message may take before its rate counts.
const SESSION_FREE: Duration = Duration::from_secs(1800);
const MESSAGE_FREE: Duration = Duration::from_secs(120);
/// How long a handshake may take; and that of a client who is let in only to hear why it is not served.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(60);
const REFUSED_PATIENCE: Duration = Duration::from_secs(5);
/// How long a load balancer may take to say who is there.
const PROXY_PATIENCE: Duration = Duration::from_secs(5);
/// How long a client may take to accept our replies.
const WRITE_PATIENCE: Duration = Duration::from_secs(60);
/// Errors in one session (`smtpd_hard_error_limit`).
const ERROR_LIMIT: u32 = 20;
/// From so many on, each reply to a client that makes errors is late (`smtpd_soft_error_limit`), by this.
const SOFT_ERRORS: u32 = 10;
const ERROR_PAUSE: Duration = Duration::from_secs(1);
/// What is read at once of a message, and between messages, when a session may do nothing for minutes.
const READ_OCTETS: usize = 16 << 10;
const READ_IDLE_OCTETS: usize = 1 << 10;
/// Message text that is held before it goes to the spool.
const BODY_HELD_OCTETS: usize = 64 << 10;

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
    let kind = listener.kind;
    let peer =
        Peer { address, listener: listener.name, user: None, store: None, certificate: None, speaks_for: None, author: None };
    let mut listed = Listed::default();
    if kind == ListenerKind::Mx && guards.is_some() {
        listed.begin(&daemon, &generation, address);
    }
    let mut session = Session {
        daemon,
        generation,
        server,
        peer,
        transaction: None,
        logins: Logins::default(),
        kind,
        errors: 0,
        strangers: None,
        listed,
        blamed: 0,
    };
    session.protected(&stream);
    if !is_admitted {
        let (peer, reason) = (session.peer.address, Reason::PeerNotListed);
        tracing::info!(%peer, listener = &*session.peer.listener, reason = reason.as_str(), "refused");
        session.server.refuse(&reason.reply());
    } else if guards.is_none() {
        session.server.refuse(&Reply::TOO_MANY_CONNECTIONS);
    }
    if let Err(error) = session.run(stream).await {
        tracing::debug!(peer = %session.peer.address, %error, "connection lost");
    }
    if session.server.errors() >= ERROR_LIMIT {
        tracing::info!(peer = %session.peer.address, listener = &*session.peer.listener, "too many errors");
    }
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
        mechanisms: auth::mechanisms(stores, &daemon.credentials, &daemon.dovecot).await,
        message_octets: site.limits.message_octets,
        recipients: site.limits.recipients,
        hops: site.limits.hops,
        vrfy: site.limits.vrfy,
        xclient: false,
        mends_line_ends: false,
        errors: ERROR_LIMIT,
    }
}

struct Session {
    daemon: Arc<Daemon>,
    /// What the session began with: its certificates and limits. Each transaction has its own.
    generation: Arc<Generation>,
    server: Server,
    peer: Peer,
    transaction: Option<Transaction>,
    logins: Logins,
    /// What its listener is for.
    kind: ListenerKind,
    /// Errors that were answered late already.
    errors: u32,
    /// How many people its user may write to for the first time, and where that is said.
    strangers: Option<(Rate, Origin)>,
    /// What lists say of the client.
    listed: Listed,
    /// Errors that were counted against the client already.
    blamed: u32,
}

impl Session {
    async fn run(&mut self, mut stream: Stream) -> io::Result<()> {
        let mut input = BytesMut::new();
        let mut stopping = self.daemon.stopping();
        self.greet(&mut stream, &mut input).await?;
        let mut session_pace = Pace::begin(Instant::now(), patience(SESSION_FREE));
        let mut message_pace = None;
        loop {
            match self.server.advance(&mut input) {
                Step::Flush => self.flush(&mut stream).await?,
                Step::Question(question) => {
                    let reply = self.reply(question, &stream).await;
                    self.server.answer(&reply);
                }
                Step::StartTls => {
                    self.flush(&mut stream).await?;
                    let Some(config) = self.generation.tls_for(self.kind) else { return Ok(()) };
                    stream = match in_time(HANDSHAKE_PATIENCE, stream.accept_tls(config)).await {
                        Ok(encrypted) => encrypted,
                        Err(error) => {
                            let (peer, listener) = (self.peer.address, &*self.peer.listener);
                            tracing::info!(%peer, listener, %error, "handshake failed");
                            return Ok(());
                        }
                    };
                    self.transaction = None;
                    self.server.tls_started();
                    self.protected(&stream);
                }
                Step::Close => {
                    self.flush(&mut stream).await?;
                    return in_time(WRITE_PATIENCE, stream.shutdown()).await;
                }
                Step::NeedInput => {
                    self.flush(&mut stream).await?;
                    self.spill();
                    let now = Instant::now();
                    let pace = if self.server.is_receiving() {
                        input.reserve(READ_OCTETS);
                        message_pace.get_or_insert_with(|| Pace::begin(now, patience(MESSAGE_FREE)))
                    } else {
                        shrink(&mut input);
                        message_pace = None;
                        &mut session_pace
                    };
                    let until = pace.patience(now).into();
                    tokio::select! {
                        read = tokio::time::timeout_at(until, stream.read_buf(&mut input)) => match read {
                            Ok(Ok(0)) => return Ok(()),
                            Ok(Ok(octets)) => {
                                pace.took(octets);
                                if message_pace.is_some() {
                                    session_pace.took(octets);
                                }
                            }
                            Ok(Err(error)) => return Err(error),
                            Err(_) => self.server.refuse(&Reply::TIMEOUT),
                        },
                        _ = stopping.wait_for(|stopping| *stopping) => self.server.refuse(&Reply::SERVICE_CLOSING),
                    }
                }
            }
        }
    }

    /// Greets, unless the session was refused before it began. A stranger who talks before that shows what it is.
    async fn greet(&mut self, stream: &mut Stream, input: &mut BytesMut) -> io::Result<()> {
        let site = self.generation.site();
        let screened = self.server.is_fresh()
            && self.kind == ListenerKind::Mx
            && !screen::is_spared(self.peer.address, Check::GreetWait, site);
        if let Some((wait, origin)) = site.screen.greet_wait.filter(|_| screened) {
            let read = tokio::time::timeout(wait, stream.read_buf(input)).await;
            if matches!(read, Ok(Ok(0))) {
                self.server.refuse(&Reply::SERVICE_CLOSING);
            }
            if self.server.spoke_early(input) {
                let action = site.screen.early_talker;
                let (peer, listener, source) = (self.peer.address, &*self.peer.listener, site.sources.describe(origin));
                tracing::info!(%peer, listener, reason = "early-talker", action = action.as_str(), source, "spoke before the greeting");
                self.daemon.reputations.blame(peer, EARLY, site, Instant::now());
                if action == Reaction::Reject {
                    self.server.refuse(&Reply::SPOKE_EARLY);
                }
            }
        }
        if self.server.is_fresh() {
            self.server.greet();
        }
        Ok(())
    }

    /// What follows from TLS, as soon as it is there: what a login may be bound to, and who the client has shown to be.
    fn protected(&mut self, stream: &Stream) {
        if self.kind.requires_login() && stream.is_tls() {
            let end_point = || self.generation.tls.as_ref()?.end_point(stream.asked_for());
            self.logins.bindings = ChannelBindings { exporter: stream.exporter(), end_point: end_point() };
            if !self.logins.bindings.is_empty() {
                self.server.bind_channel();
            }
        }
        self.peer.certificate = stream.peer_certificates().and_then(|chain| self.generation.client_certificate(chain));
        if let Some(certificate) = &self.peer.certificate {
            let (peer, listener, fingerprint) = (self.peer.address, &*self.peer.listener, certificate.fingerprints[0]);
            tracing::info!(%peer, listener, %fingerprint, user = certificate.user.as_ref().map(|who| &*who.user), "client certificate");
            if certificate.user.is_some() && self.kind.requires_login() {
                self.server.identify();
            }
        }
    }

    /// Counts errors against a client that has not logged in.
    fn blame(&mut self) {
        let errors = self.server.errors();
        let new = errors.saturating_sub(std::mem::replace(&mut self.blamed, errors));
        if new > 0 && self.peer.user.is_none() {
            let points = ERROR * f64::from(new);
            self.daemon.reputations.blame(self.peer.address, points, self.generation.site(), Instant::now());
        }
    }

    async fn flush(&mut self, stream: &mut Stream) -> io::Result<()> {
        self.blame();
        if self.server.errors() >= SOFT_ERRORS && self.server.errors() > self.errors {
            self.errors = self.server.errors();
            tokio::time::sleep(ERROR_PAUSE).await;
        }
        let output = self.server.output();
        if !output.is_empty() {
            in_time(WRITE_PATIENCE, stream.write_all(output)).await?;
            output.clear();
            stream.flush().await?;
        }
        Ok(())
    }

    /// Hands the text of a large message on before it fills our memory.
    fn spill(&mut self) {
        if self.server.body_octets() > BODY_HELD_OCTETS
            && let Some(transaction) = &mut self.transaction
        {
            let piece = self.server.take_body();
            // The disk may make us wait, and other sessions must not wait with us.
            tokio::task::block_in_place(|| transaction.take(&piece));
        }
    }

    /// Counts a message, by the limits that are in force now.
    fn count_message(&mut self) -> Result<(), Reply> {
        let generation = self.daemon.current.generation();
        let site = generation.site();
        let now = Instant::now();
        if let Some(user) = &self.peer.user {
            let known = self.peer.store.as_ref().and_then(|name| site.users.iter().find(|store| store.name == *name));
            // For whom a gateway speaks, and whose store is gone since, the first one counts.
            let store = known.or(site.users.first());
            let fits = |store: &UserStore| store.messages.is_none_or(|most| self.daemon.admission.user_message(user, most, now));
            if let Some(store) = store.filter(|store| !fits(store)) {
                let (peer, listener, source) = (self.peer.address, &*self.peer.listener, site.sources.describe(store.origin));
                tracing::info!(%peer, listener, user = &**user, reason = "user-message-limit", source, "refused");
                return Err(Reply::TOO_MANY_MESSAGES);
            }
            self.strangers = store.and_then(|store| Some((store.new_recipients?, store.origin)));
            return Ok(());
        }
        if self.kind.is_for_peers() {
            return Ok(());
        }
        self.daemon.admission.message(self.peer.address, site, now).map_err(|limit| {
            let (peer, listener, source) = (self.peer.address, &*self.peer.listener, site.sources.describe(limit.origin));
            tracing::info!(%peer, listener, reason = "message-limit", source, "refused");
            Reply::TOO_MANY_MESSAGES
        })
    }

    /// Decides RCPT, and counts whom a user has not written to before.
    async fn recipient(&mut self, request: RecipientRequest) -> Reply {
        let Some(transaction) = &mut self.transaction else { return Reply::BAD_SEQUENCE };
        let visitor = Visitor { helo: self.server.helo().unwrap_or_default(), listed: &mut self.listed };
        let (Some(user), Some((most, origin))) = (self.peer.user.as_deref(), self.strangers) else {
            return transaction.recipient(&self.daemon, &self.peer, visitor, request).await;
        };
        let (known, now) = (&self.daemon.acquaintances, Instant::now());
        if !known.may_write(user, &request.forward_path, most, now) {
            let (peer, listener) = (self.peer.address, &*self.peer.listener);
            let generation = self.daemon.current.generation();
            let source = generation.site().sources.describe(origin);
            tracing::info!(%peer, listener, user, reason = "new-recipient-limit", source, "refused");
            return Reply::TOO_MANY_NEW_RECIPIENTS;
        }
        let forward_path = request.forward_path.clone();
        let reply = transaction.recipient(&self.daemon, &self.peer, visitor, request).await;
        if reply.code.is_positive() {
            tokio::task::block_in_place(|| known.wrote(user, &forward_path, most, now));
        }
        reply
    }

    async fn reply(&mut self, question: Question, stream: &Stream) -> Reply {
        match question {
            Question::Mail(request) => {
                // The previous one goes first, with what it had spilled.
                self.transaction = None;
                if let Err(reply) = self.count_message() {
                    return reply;
                }
                let protection = stream.protection();
                let helo = self.server.helo().unwrap_or_default();
                match Transaction::begin(&self.daemon, &self.peer, helo, request, protection).await {
                    Ok((transaction, reply)) => {
                        self.transaction = Some(transaction);
                        reply
                    }
                    Err(reply) => reply,
                }
            }
            Question::Client(said) => {
                let (peer, listener) = (self.peer.address, &*self.peer.listener);
                tracing::info!(%peer, listener, client = said.address.map(tracing::field::display), user = said.login.as_deref(), "XCLIENT");
                self.transaction = None;
                self.peer.address = said.address.unwrap_or(self.peer.address);
                (self.peer.user, self.peer.store) = (said.login, None);
                Reply::greeting(self.generation.site().hostname.as_str())
            }
            Question::Forwarded(said) => {
                let known = self.peer.speaks_for.get_or_insert_default();
                known.address = said.address.or(known.address);
                known.helo = said.helo.or(known.helo.take());
                Reply::OK
            }
            Question::Recipient(request) => self.recipient(request).await,
            Question::Message(message) => match self.transaction.take() {
                Some(transaction) => {
                    let spoken = Spoken { helo: self.server.helo().unwrap_or_default(), protocol: self.server.protocol() };
                    let reply = transaction.finish(&self.daemon, &self.peer, spoken, message).await;
                    // It was said of this message.
                    self.peer.speaks_for = None;
                    reply
                }
                None => Reply::BAD_SEQUENCE,
            },
            Question::Authenticate(credentials) => {
                self.logins.password(&self.daemon, &self.generation, &mut self.peer, &credentials).await
            }
            Question::Sasl(step) => self.logins.step(&self.daemon, &self.generation, &mut self.peer, step).await,
        }
    }
}

/// What comes in time; too late is an error too.
async fn in_time<T>(patience: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(patience, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Gives back what a message took: thousands of sessions may wait for their next command.
fn shrink(input: &mut BytesMut) {
    if input.is_empty() && input.capacity() > READ_IDLE_OCTETS {
        *input = BytesMut::new();
    }
    input.reserve(READ_IDLE_OCTETS);
}
