//! One connection to a peer: I/O and time limits here, the protocol in [`crate::smtp::client`].

use super::lane::Job;
use super::settle::Handover;
use super::target::{Address, Candidate, Target};
use crate::daemon::Daemon;
use crate::net::Stream;
use crate::queue::spool::BodyReader;
use crate::smtp::client::{Client, ClientConfig, ClientStep, Outcome, Phase, Recipient, Transaction};
use crate::smtp::sasl::Credentials;
use bytes::BytesMut;
use postern_schema::name::{Domain, HostName, Mailbox};
use postern_schema::reply::Reply;
use postern_schema::site::{Login, TlsLevel};
use rustls::ClientConfig as TlsConfig;
use rustls::pki_types::ServerName;
use std::future::Future;
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UnixStream};

/// How long a connection may take to come about (`smtp_connect_timeout`).
const CONNECT_PATIENCE: Duration = Duration::from_secs(30);
/// How long a handshake may take.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(60);
/// How long the peer may take to read what we write (RFC 5321 4.5.3.2.5: three minutes a block).
const WRITE_PATIENCE: Duration = Duration::from_secs(180);
/// What is read from the peer at once: replies are short.
const READ_OCTETS: usize = 4 << 10;
/// Submission with TLS from the first octet (RFC 8314 3.3).
const SUBMISSIONS_PORT: u16 = 465;
/// Pieces in which a message is sent.
const BODY_OCTETS: usize = 64 << 10;

/// A connection that has said hello, and may have carried messages.
pub struct Session {
    stream: Stream,
    client: Client,
    input: BytesMut,
    peer: Arc<str>,
    lmtp: bool,
    transactions: u32,
    usable: bool,
}

/// Why a session did not come about.
struct OpenError {
    reply: Reply,
    /// It was the handshake that failed.
    in_handshake: bool,
}

impl From<Reply> for OpenError {
    fn from(reply: Reply) -> OpenError {
        OpenError { reply, in_handshake: false }
    }
}

impl Session {
    /// Connects to the first candidate that answers, and says hello at the level that the target demands.
    ///
    /// # Errors
    /// What the last candidate said, or what stands for it.
    pub async fn connect(daemon: &Daemon, target: &Target, helo: &Domain) -> Result<Session, Reply> {
        let login = target.login.as_ref().map(|login| credentials(daemon, login)).transpose()?;
        let mut last = Reply::unreachable("No address to connect to".to_owned());
        for candidate in &target.candidates {
            let host = &candidate.host;
            let config = |tls| ClientConfig { helo: helo.as_str().into(), tls, login: login.clone(), lmtp: target.lmtp };
            let mut opened = open(daemon, candidate, target.from_address, config(target.tls)).await;
            // RFC 7435 3: where protection is welcome but not demanded, mail goes without it rather than not at all.
            if target.tls == TlsLevel::May && opened.as_ref().is_err_and(|error| error.in_handshake) {
                opened = open(daemon, candidate, target.from_address, config(TlsLevel::None)).await;
            }
            match opened {
                Ok(session) => {
                    let reached = session.stream.protection();
                    let wanted = target.tls.as_str();
                    tracing::info!(
                        peer = &*session.peer,
                        tls_wanted = wanted,
                        tls = reached.as_deref().unwrap_or("none"),
                        "connected"
                    );
                    return Ok(session);
                }
                // RFC 5321 5.1: the next address is for those that cannot be reached or are out of service, and a refusal of
                // one host says nothing of the next.
                Err(OpenError { reply, .. }) => {
                    let reply_text = reply.to_string();
                    tracing::info!(peer = %candidate, reply = reply_text, "session failed");
                    // A refused login or greeting is about us or the host, not about the message: it must not bounce for it.
                    last = if reply.code.is_permanent() {
                        Reply::unreachable(format!("{host} refused the session: {reply}"))
                    } else {
                        reply
                    };
                }
            }
        }
        Err(last)
    }

    /// The peer, for logs: `host[address]:port`.
    pub fn peer(&self) -> Arc<str> {
        self.peer.clone()
    }

    /// How many messages it has carried.
    pub fn transactions(&self) -> u32 {
        self.transactions
    }

    /// Whether another message may follow.
    pub fn is_usable(&self) -> bool {
        self.usable
    }

    /// What it means that the peer takes a message: LMTP is the last step, and a host with DSN tells the sender itself.
    pub fn handover(&self) -> Handover {
        match () {
            () if self.lmtp => Handover::Final,
            () if self.client.capabilities().dsn => Handover::PassedOn,
            () => Handover::Relayed,
        }
    }

    /// Sends one message. The results stand by place in the envelope.
    ///
    /// # Errors
    /// The connection broke before the peer had said anything about this message.
    pub async fn send(&mut self, job: &Job, mut body: BodyReader) -> Result<Vec<(u32, Reply)>, Reply> {
        if self.transactions > 0 && self.has_spoken() {
            // Between messages a peer speaks only to say that it is going, or it is gone already.
            return Err(Reply::lost(format!("{} ended the session between messages", self.peer)));
        }
        self.client.begin(transaction(job, body.left_octets()));
        self.transactions += 1;
        let mut heard = false;
        let outcome = loop {
            match self.step(&mut heard).await {
                ClientStep::Done(outcome) => break outcome,
                ClientStep::SendBody => {
                    if let Err(reply) = self.send_body(&mut body).await
                        && let ClientStep::Done(outcome) = self.client.abort(reply)
                    {
                        break outcome;
                    }
                }
                ClientStep::Failed(failure) => {
                    break Outcome { replies: vec![failure.reply; job.recipients.len()], reusable: false };
                }
                ClientStep::NeedInput | ClientStep::StartTls | ClientStep::Ready | ClientStep::Closed => {
                    let reply = Reply::lost("The session ended out of turn".to_owned());
                    break Outcome { replies: vec![reply; job.recipients.len()], reusable: false };
                }
            }
        };
        self.usable = outcome.reusable;
        let lost = outcome.replies.first().filter(|_| !outcome.reusable && !heard).cloned();
        if let Some(reply) = lost {
            return Err(reply);
        }
        Ok(job.recipients.iter().map(|(place, _)| *place).zip(outcome.replies).collect())
    }

    /// Whether something has come that nobody asked for, the end of the connection among it. Does not wait.
    fn has_spoken(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        let read = std::pin::pin!(self.stream.read_buf(&mut self.input)).poll(&mut context);
        !self.input.is_empty() || read.is_ready()
    }

    /// Says goodbye, and does not wait for the answer.
    pub async fn quit(mut self) {
        self.client.quit();
        // The messages are delivered; a peer that does not listen any more is no trouble.
        let _ = self.flush().await;
        let _ = tokio::time::timeout(Duration::from_secs(5), self.stream.shutdown()).await;
    }

    /// Goes on until the protocol wants something that is not I/O.
    async fn step(&mut self, heard: &mut bool) -> ClientStep {
        loop {
            let step = self.client.receive(&mut self.input);
            if !matches!(step, ClientStep::NeedInput) {
                return step;
            }
            let patience = patience(self.client.phase());
            if let Err(error) = self.exchange(patience, heard).await {
                return self.client.abort(Reply::lost(format!("{} {}: {error}", self.peer, during(self.client.phase()))));
            }
        }
    }

    async fn exchange(&mut self, patience: Duration, heard: &mut bool) -> io::Result<()> {
        self.flush().await?;
        self.input.reserve(READ_OCTETS);
        match tokio::time::timeout(patience, self.stream.read_buf(&mut self.input)).await {
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, format!("no reply within {} s", patience.as_secs()))),
            Ok(Ok(0)) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the peer closed the connection")),
            Ok(Ok(_)) => {
                *heard = true;
                Ok(())
            }
            Ok(Err(error)) => Err(error),
        }
    }

    async fn flush(&mut self) -> io::Result<()> {
        let output = self.client.output();
        if !output.is_empty() {
            tokio::time::timeout(WRITE_PATIENCE, self.stream.write_all(output)).await??;
            output.clear();
            self.stream.flush().await?;
        }
        Ok(())
    }

    /// Sends the message text. One that cannot be read to its end is not ended: the connection breaks instead.
    async fn send_body(&mut self, body: &mut BodyReader) -> Result<(), Reply> {
        let unreadable = |error: io::Error| Reply::local_trouble(format!("the queued message cannot be read: {error}"));
        if let BodyReader::Inline(octets) = body {
            self.client.write_body(octets);
        } else {
            let mut piece = vec![0; BODY_OCTETS];
            loop {
                let read = tokio::task::block_in_place(|| body.read(&mut piece)).map_err(unreadable)?;
                if read == 0 {
                    break;
                }
                self.client.write_body(&piece[..read]);
                self.flush().await.map_err(|error| Reply::lost(format!("{} while the message was sent: {error}", self.peer)))?;
            }
        }
        self.client.end_body();
        Ok(())
    }
}

fn transaction(job: &Job, size_octets: u64) -> Transaction {
    let envelope = &job.envelope;
    let recipient = |(place, mailbox): &(u32, Mailbox)| {
        let given = envelope.recipients.get(*place as usize);
        Recipient {
            mailbox: mailbox.clone(),
            notify: given.and_then(|given| given.notify),
            original_recipient: given.and_then(|given| given.orcpt.clone()),
        }
    };
    Transaction {
        reverse_path: job.reverse_path.clone(),
        recipients: job.recipients.iter().map(recipient).collect(),
        size_octets,
        smtputf8: envelope.smtp_utf8,
        eight_bit: envelope.eight_bit,
        ret: envelope.ret,
        envelope_id: envelope.envid.clone(),
    }
}

/// A connection without TLS.
async fn dial(address: &Address, from_address: Option<IpAddr>) -> io::Result<Stream> {
    let address = match address {
        Address::Unix(path) => return UnixStream::connect(&**path).await.map(Stream::Local),
        Address::Inet(address) => *address,
    };
    let stream = match from_address {
        None => TcpStream::connect(address).await?,
        Some(from) => {
            let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
            socket.bind(SocketAddr::new(from, 0))?;
            socket.connect(address).await?
        }
    };
    // A peer that is slow for want of it is served all the same.
    let _ = stream.set_nodelay(true);
    Ok(Stream::Plain(stream))
}

async fn open(
    daemon: &Daemon, candidate: &Candidate, from_address: Option<IpAddr>, config: ClientConfig,
) -> Result<Session, OpenError> {
    let level = config.tls;
    let tls = daemon.client_tls.config(level).map_err(|why| Reply::tls_failed(why.to_string()))?;
    let peer: Arc<str> = candidate.to_string().into();
    let mut stream = match tokio::time::timeout(CONNECT_PATIENCE, dial(&candidate.address, from_address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(Reply::unreachable(format!("{peer}: {error}")).into()),
        Err(_) => return Err(Reply::unreachable(format!("{peer}: no answer")).into()),
    };
    let mut active = TlsLevel::None;
    // RFC 8314 3.3: on this port, TLS begins with the first octet.
    let begins_with_tls = matches!(&candidate.address, Address::Inet(address) if address.port() == SUBMISSIONS_PORT);
    if begins_with_tls && level > TlsLevel::None {
        stream = handshake(stream, candidate, tls.clone()).await?;
        active = reached(level);
    }
    let lmtp = config.lmtp;
    let client = Client::new(config, active);
    let mut session = Session { stream, client, input: BytesMut::new(), peer, lmtp, transactions: 0, usable: true };
    loop {
        let mut heard = false;
        match session.step(&mut heard).await {
            ClientStep::Ready => return Ok(session),
            ClientStep::StartTls => {
                session.flush().await.map_err(|error| Reply::lost(format!("{}: {error}", session.peer)))?;
                session.stream = handshake(session.stream, candidate, tls.clone()).await?;
                session.client.tls_started(reached(level));
            }
            ClientStep::Failed(failure) => return Err(failure.reply.into()),
            ClientStep::NeedInput | ClientStep::SendBody | ClientStep::Done(_) | ClientStep::Closed => {
                return Err(Reply::lost(format!("{}: the session ended before it began", session.peer)).into());
            }
        }
    }
}

/// The protection that a handshake gave: without verification, the same at `may` as at `encrypt`.
fn reached(level: TlsLevel) -> TlsLevel {
    level.max(TlsLevel::Encrypt)
}

async fn handshake(stream: Stream, candidate: &Candidate, config: Arc<TlsConfig>) -> Result<Stream, OpenError> {
    let failed = |why: &dyn std::fmt::Display| OpenError {
        reply: Reply::tls_failed(format!("TLS with {candidate} failed: {why}")),
        in_handshake: true,
    };
    let name = match &candidate.host {
        HostName::Domain(domain) => ServerName::try_from(domain.as_str().to_owned()).map_err(|error| failed(&error))?,
        HostName::Literal(address) => ServerName::from(*address),
    };
    match tokio::time::timeout(HANDSHAKE_PATIENCE, stream.connect_tls(config, name)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(failed(&error)),
        Err(_) => Err(failed(&"no answer")),
    }
}

fn credentials(daemon: &Daemon, login: &Login) -> Result<Credentials, Reply> {
    match daemon.credentials.read_line(&login.secret) {
        Ok(password) => Ok(Credentials { user: login.user.clone(), password: password.into() }),
        Err(error) => Err(Reply::local_trouble(error.to_string())),
    }
}

/// RFC 5321 4.5.3.2: five minutes for most, two for DATA, ten for the reply to the message.
fn patience(phase: Phase) -> Duration {
    match phase {
        Phase::Final => Duration::from_secs(600),
        Phase::Quit | Phase::Closed => Duration::from_secs(5),
        Phase::StartTls | Phase::Handshake | Phase::Login => Duration::from_secs(180),
        Phase::Greeting | Phase::Hello | Phase::Ready | Phase::Envelope | Phase::Body => Duration::from_secs(300),
    }
}

fn during(phase: Phase) -> &'static str {
    match phase {
        Phase::Greeting => "while it was to greet us",
        Phase::Hello => "after EHLO",
        Phase::StartTls | Phase::Handshake => "after STARTTLS",
        Phase::Login => "after AUTH",
        Phase::Ready => "between messages",
        Phase::Envelope => "before the message was sent",
        Phase::Body => "while the message was sent",
        Phase::Final => "after the message was sent",
        Phase::Quit | Phase::Closed => "at the end",
    }
}
