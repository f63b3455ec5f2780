//! One session, from the greeting to the last octet: I/O and time limits here, the protocol in [`crate::smtp::server`], the
//! answers in [`super::transaction`]. Who comes in at all is for [`super::entry`].

use super::login::Logins;
use super::pace::Pace;
use super::stream::Stream;
use super::transaction::{Peer, Spoken, Transaction, Visitor};
use crate::auth::ChannelBindings;
use crate::daemon::Daemon;
use crate::rehearsal::patience;
use crate::screen::{self, EARLY, ERROR, Listed};
use crate::site::Generation;
use crate::smtp::command::RecipientRequest;
use crate::smtp::server::{Question, Server, Step};
use bytes::BytesMut;
use postern_schema::reply::Reply;
use postern_schema::site::{Check, ListenerKind, Origin, Rate, Reaction, UserStore};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How long a session may go on that brings nothing, and how long a message may take before its rate counts.
const SESSION_FREE: Duration = Duration::from_secs(1800);
const MESSAGE_FREE: Duration = Duration::from_secs(120);
/// How long a handshake may take.
pub(super) const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(60);
/// How long a client may take to accept our replies.
const WRITE_PATIENCE: Duration = Duration::from_secs(60);
/// Errors in one session (`smtpd_hard_error_limit`).
pub(super) const ERROR_LIMIT: u32 = 20;
/// From so many on, each reply to a client that makes errors is late (`smtpd_soft_error_limit`), by this.
const SOFT_ERRORS: u32 = 10;
const ERROR_PAUSE: Duration = Duration::from_secs(1);
/// What is read at once of a message, and between messages, when a session may do nothing for minutes.
const READ_OCTETS: usize = 16 << 10;
const READ_IDLE_OCTETS: usize = 1 << 10;
/// Message text that is held before it goes to the spool.
const BODY_HELD_OCTETS: usize = 64 << 10;

/// See the module.
pub(super) struct Session {
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
    /// A session that begins now.
    pub(super) fn new(
        daemon: Arc<Daemon>, generation: Arc<Generation>, server: Server, peer: Peer, kind: ListenerKind,
    ) -> Session {
        Session {
            daemon,
            generation,
            server,
            peer,
            transaction: None,
            logins: Logins::default(),
            kind,
            errors: 0,
            strangers: None,
            listed: Listed::default(),
            blamed: 0,
        }
    }

    /// Asks what lists say of the client, beside all else.
    pub(super) fn look_up(&mut self) {
        self.listed.begin(&self.daemon, &self.generation, self.peer.address);
    }

    /// The listener that the client came in by.
    pub(super) fn listener(&self) -> &str {
        &self.peer.listener
    }

    /// Says this instead of a greeting.
    pub(super) fn refuse(&mut self, reply: &Reply) {
        self.server.refuse(reply);
    }

    /// Serves the client to the end.
    pub(super) async fn serve(&mut self, stream: Stream) {
        self.protected(&stream);
        if let Err(error) = self.run(stream).await {
            tracing::debug!(peer = %self.peer.address, %error, "connection lost");
        }
        if self.server.errors() >= ERROR_LIMIT {
            tracing::info!(peer = %self.peer.address, listener = &*self.peer.listener, "too many errors");
        }
    }

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
            let admission = &self.daemon.admission;
            let fits = |store: &UserStore| store.messages.is_none_or(|most| admission.user_message(&store.name, user, most, now));
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
pub(super) async fn in_time<T>(patience: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(patience, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Gives back what a message took: thousands of sessions may wait for their next command.
fn shrink(input: &mut BytesMut) {
    if input.is_empty() && input.capacity() > READ_IDLE_OCTETS {
        *input = BytesMut::new();
    }
    input.reserve(READ_IDLE_OCTETS);
}
