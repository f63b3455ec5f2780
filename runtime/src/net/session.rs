//! One connection from its first octet to its last: I/O and time limits here, the protocol in [`crate::smtp::server`], the
//! answers in [`super::transaction`].

use super::login::Logins;
use super::stream::Stream;
use super::transaction::{Peer, Transaction};
use crate::auth;
use crate::daemon::Daemon;
use crate::site::Generation;
use crate::smtp::server::{Question, Server, ServerConfig, Step};
use bytes::BytesMut;
use postern_schema::reply::Reply;
use postern_schema::site::Listener;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a client may be silent (RFC 5321 4.5.3.2.7 wants five minutes at least).
const COMMAND_PATIENCE: Duration = Duration::from_secs(300);
/// How long a handshake may take.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(60);
/// How long a client may take to accept our replies.
const WRITE_PATIENCE: Duration = Duration::from_secs(60);
/// Errors in one session (`smtpd_hard_error_limit`).
const ERROR_LIMIT: u32 = 20;
/// What is read at once.
const READ_OCTETS: usize = 16 << 10;
/// Message text that is held before it goes to the spool.
const BODY_HELD_OCTETS: usize = 64 << 10;

/// Serves one connection.
pub async fn serve(socket: TcpStream, peer: SocketAddr, listener: Listener, daemon: Arc<Daemon>) {
    // Replies are small and waited for; a socket that does not know the option is served all the same.
    let _ = socket.set_nodelay(true);
    let generation = daemon.current.generation();
    let guard = daemon.admit(generation.site().limits.sessions);
    let mut stream = Stream::Plain(socket);
    if listener.kind.is_implicit_tls() {
        let Some(config) = generation.tls.clone() else { return };
        match tokio::time::timeout(HANDSHAKE_PATIENCE, stream.accept_tls(config)).await {
            Ok(Ok(encrypted)) => stream = encrypted,
            Ok(Err(error)) => return tracing::info!(peer = %peer.ip(), listener = &*listener.name, %error, "handshake failed"),
            Err(_) => return,
        }
    }
    let server = Server::new(Arc::new(server_config(&listener, &generation, &daemon)), listener.kind.is_implicit_tls());
    let peer = Peer { address: peer.ip().to_canonical(), listener: listener.name, user: None };
    let mut session = Session { daemon, generation, server, peer, transaction: None, logins: Logins::default() };
    session.bind_channel(&stream);
    if guard.is_none() {
        session.server.refuse(&Reply::TOO_MANY_CONNECTIONS);
    } else {
        session.server.greet();
    }
    if let Err(error) = session.run(stream).await {
        tracing::debug!(peer = %session.peer.address, %error, "connection lost");
    }
}

fn server_config(listener: &Listener, generation: &Generation, daemon: &Daemon) -> ServerConfig {
    let site = generation.site();
    let stores = if listener.kind.requires_login() { &site.users[..] } else { &[] };
    ServerConfig {
        hostname: site.hostname.as_str().into(),
        kind: listener.kind,
        starttls: generation.tls.is_some(),
        mechanisms: auth::mechanisms(stores, &daemon.credentials),
        message_octets: site.limits.message_octets,
        recipients: site.limits.recipients,
        hops: site.limits.hops,
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
}

impl Session {
    async fn run(&mut self, mut stream: Stream) -> io::Result<()> {
        let mut input = BytesMut::new();
        let mut stopping = self.daemon.stopping();
        loop {
            match self.server.advance(&mut input) {
                Step::Flush => self.flush(&mut stream).await?,
                Step::Question(question) => {
                    let reply = self.reply(question, &stream).await;
                    self.server.answer(&reply);
                }
                Step::StartTls => {
                    self.flush(&mut stream).await?;
                    let Some(config) = self.generation.tls.clone() else { return Ok(()) };
                    stream = tokio::time::timeout(HANDSHAKE_PATIENCE, stream.accept_tls(config)).await??;
                    self.transaction = None;
                    self.server.tls_started();
                    self.bind_channel(&stream);
                }
                Step::Close => {
                    self.flush(&mut stream).await?;
                    return tokio::time::timeout(WRITE_PATIENCE, stream.shutdown()).await?;
                }
                Step::NeedInput => {
                    self.flush(&mut stream).await?;
                    self.spill();
                    input.reserve(READ_OCTETS);
                    tokio::select! {
                        read = tokio::time::timeout(COMMAND_PATIENCE, stream.read_buf(&mut input)) => match read {
                            Ok(Ok(0)) => return Ok(()),
                            Ok(Ok(_)) => {}
                            Ok(Err(error)) => return Err(error),
                            Err(_) => self.server.refuse(&Reply::TIMEOUT),
                        },
                        _ = stopping.wait_for(|stopping| *stopping) => self.server.refuse(&Reply::SERVICE_CLOSING),
                    }
                }
            }
        }
    }

    /// What a login may be bound to, as soon as there is TLS.
    fn bind_channel(&mut self, stream: &Stream) {
        self.logins.binding = stream.channel_binding();
        if self.logins.binding.is_some() {
            self.server.bind_channel();
        }
    }

    async fn flush(&mut self, stream: &mut Stream) -> io::Result<()> {
        let output = self.server.output();
        if !output.is_empty() {
            tokio::time::timeout(WRITE_PATIENCE, stream.write_all(output)).await??;
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
            tokio::task::block_in_place(|| transaction.take(&self.daemon, &self.peer, &self.server, &piece));
        }
    }

    async fn reply(&mut self, question: Question, stream: &Stream) -> Reply {
        match question {
            Question::Mail(request) => {
                // The previous one goes first, with what it had spilled.
                self.transaction = None;
                let protection = stream.protection();
                match Transaction::begin(&self.daemon, &self.peer, request, protection).await {
                    Ok((transaction, reply)) => {
                        self.transaction = Some(transaction);
                        reply
                    }
                    Err(reply) => reply,
                }
            }
            Question::Recipient(request) => match &mut self.transaction {
                Some(transaction) => transaction.recipient(&self.peer, request),
                None => Reply::BAD_SEQUENCE,
            },
            Question::Message(message) => match self.transaction.take() {
                Some(transaction) => transaction.finish(&self.daemon, &self.peer, &self.server, message).await,
                None => Reply::BAD_SEQUENCE,
            },
            Question::Authenticate(credentials) => {
                self.logins.password(&self.daemon, &self.generation, &mut self.peer, &credentials).await
            }
            Question::Sasl(step) => self.logins.step(&self.daemon, &self.generation, &mut self.peer, step).await,
        }
    }
}
