//! The client side of one session, SMTP (RFC 5321) or LMTP (RFC 2033): replies in, commands and outcomes out.
//!
//! It does no I/O and reads no clock. `deliver` drives it:
//!
//! ```text
//! loop: receive(input) -> NeedInput   flush output, read more; if that fails: abort
//!                         StartTls    flush output, handshake, tls_started
//!                         Ready       begin(transaction), or quit
//!                         SendBody    write_body, flush, write_body, flush .. end_body
//!                         Done        note the outcome
//!                         Failed      the session could not be had; close
//!                         Closed      close
//! ```
//!
//! A message that is at hand when `SendBody` comes goes out in one write. A password is never sent without TLS.
//!
//! | file | concern |
//! |---|---|
//! | `replies` | reads replies, within limits |
//! | `login` | what is said to log in |
//! | `capabilities` | what the peer announced |
//! | `transaction` | one envelope: its commands, and who was refused |

mod capabilities;
mod login;
mod replies;
mod session;
mod transaction;

pub use capabilities::Capabilities;
pub use login::ClientLogin;
pub use transaction::{Recipient, Transaction};

use super::data::{Chunks, Encoder};
use bytes::BytesMut;
use login::LoginExchange;
use postern_schema::reply::Reply;
use postern_schema::site::TlsLevel;
use replies::ReplyReader;
use transaction::Envelope;

/// How a session is to be led.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Our name, in EHLO: a domain or an address literal.
    pub helo: Box<str>,
    /// The least protection that the session must have.
    pub tls: TlsLevel,
    /// How to log in; `None`: not at all.
    pub login: Option<ClientLogin>,
    /// Speak LMTP (RFC 2033).
    pub lmtp: bool,
}

/// What the caller is to do next.
#[derive(Debug)]
pub enum ClientStep {
    /// Flush the output, and read more.
    NeedInput,
    /// Flush the output, do the handshake, and say [`Client::tls_started`]. If it fails: [`Client::abort`].
    StartTls,
    /// Begin a transaction, or quit.
    Ready,
    /// Write the content with [`Client::write_body`] and [`Client::end_body`].
    SendBody,
    /// The transaction is over.
    Done(Outcome),
    /// There is no session: close the connection.
    Failed(Failure),
    /// The session is over: close the connection.
    Closed,
}

/// What became of a transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// One for each recipient, in their order: positive where the peer has taken the message for it.
    pub replies: Vec<Reply>,
    /// Another transaction may follow.
    pub reusable: bool,
}

/// Why there is no session. A permanent reply in here is about the session, never about a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// How far it had come.
    pub phase: Phase,
    /// What the peer said, or what stands for it.
    pub reply: Reply,
}

/// How far a session is. Each phase has its own timeout (RFC 5321 4.5.3.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// The greeting is awaited.
    Greeting,
    /// The reply to EHLO, HELO or LHLO is.
    Hello,
    /// The reply to STARTTLS is.
    StartTls,
    /// The handshake is the caller's.
    Handshake,
    /// Replies to AUTH are awaited.
    Login,
    /// Between transactions.
    Ready,
    /// Replies to MAIL, RCPT and DATA are awaited.
    Envelope,
    /// The content is being sent.
    Body,
    /// The reply to the content is awaited.
    Final,
    /// The reply to QUIT is.
    Quit,
    /// Nothing more is said.
    Closed,
}

/// One session.
#[derive(Debug)]
pub struct Client {
    config: ClientConfig,
    phase: Phase,
    /// The protection that the connection has: none, or that of the handshake.
    active: TlsLevel,
    /// EHLO was refused, HELO is tried.
    fallback: bool,
    replies: ReplyReader,
    output: Vec<u8>,
    capabilities: Capabilities,
    /// How far logging in is.
    exchange: LoginExchange,
    /// What it has logged in by.
    mechanism: Option<Box<str>>,
    envelope: Option<Envelope>,
    encoder: Encoder,
    chunks: Chunks,
    /// The last transaction was not carried to its end, so the next one begins with RSET.
    unfinished: bool,
    /// A transaction that was over before a word of it was said.
    refused: Option<Outcome>,
}

impl Client {
    /// A session on a fresh connection. `active`: the protection that the connection has by now; [`TlsLevel::None`] unless TLS
    /// began with the first octet.
    pub fn new(config: ClientConfig, active: TlsLevel) -> Client {
        Client {
            config,
            phase: Phase::Greeting,
            active,
            fallback: false,
            replies: ReplyReader::default(),
            output: Vec::new(),
            capabilities: Capabilities::default(),
            exchange: LoginExchange::Over,
            mechanism: None,
            envelope: None,
            encoder: Encoder::default(),
            chunks: Chunks::default(),
            unfinished: false,
            refused: None,
        }
    }

    /// Consumes what it can of `input`, up to the next thing that the caller has to do.
    pub fn receive(&mut self, input: &mut BytesMut) -> ClientStep {
        loop {
            if let Some(outcome) = self.refused.take() {
                return ClientStep::Done(outcome);
            }
            match self.phase {
                Phase::Closed => return ClientStep::Closed,
                Phase::Handshake => return ClientStep::StartTls,
                _ => {}
            }
            let step = match self.replies.next(input) {
                Err(babble) => Some(self.abort(Reply::babble(babble.to_string()))),
                Ok(None) => Some(match self.phase {
                    Phase::Ready => ClientStep::Ready,
                    Phase::Body => ClientStep::SendBody,
                    _ => ClientStep::NeedInput,
                }),
                Ok(Some(reply)) => self.take_reply(reply, !input.is_empty()),
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    /// Begins a transaction; the client must be ready. What the peer has said that it cannot take is not tried: the outcome is
    /// there at once.
    pub fn begin(&mut self, transaction: Transaction) {
        let refusal = match self.phase {
            Phase::Ready => self.capabilities.refusal(&transaction),
            _ => Some(Reply::lost("No session with the peer".into())),
        };
        let recipients = transaction.recipients.len();
        match refusal {
            Some(reply) => self.refused = Some(Outcome { replies: vec![reply; recipients], reusable: self.is_open() }),
            None if recipients == 0 => self.refused = Some(Outcome { replies: Vec::new(), reusable: true }),
            None => {
                let peer = &self.capabilities;
                // Chunks without waiting for each reply need a peer that takes groups.
                let is_chunked = peer.chunking && peer.pipelining && !self.config.lmtp;
                self.chunks = Chunks::default();
                let mut envelope = Envelope::new(transaction, std::mem::take(&mut self.unfinished), is_chunked);
                envelope.write_commands(&self.capabilities, &mut self.output);
                self.envelope = Some(envelope);
                self.phase = Phase::Envelope;
            }
        }
    }

    /// Queues the next piece of the content, as a chunk or with dots stuffed. Nothing happens unless the body is awaited.
    pub fn write_body(&mut self, content: &[u8]) {
        match self.phase {
            Phase::Body if self.is_chunked() => self.chunks.push(content, &mut self.output),
            Phase::Body => self.encoder.encode(content, &mut self.output),
            _ => {}
        }
    }

    /// Queues the end of the content. Content that cannot be had in full must never come to this: [`Client::abort`].
    pub fn end_body(&mut self) {
        if self.phase == Phase::Body {
            match self.is_chunked() {
                true => self.chunks.finish(&mut self.output),
                false => std::mem::take(&mut self.encoder).finish(&mut self.output),
            }
            self.phase = Phase::Final;
        }
    }

    /// Queues QUIT between transactions (RFC 5321 4.1.1.10). One need not wait for the reply.
    pub fn quit(&mut self) {
        if self.phase == Phase::Ready {
            self.output.extend_from_slice(b"QUIT\r\n");
            self.phase = Phase::Quit;
        }
    }

    /// Ends the session for a reason that lies outside of it: a lost connection, a timeout, a handshake or a file that failed.
    /// `reply` stands for what the peer did not say.
    pub fn abort(&mut self, reply: Reply) -> ClientStep {
        let phase = std::mem::replace(&mut self.phase, Phase::Closed);
        match (self.envelope.take(), phase) {
            (Some(envelope), _) => ClientStep::Done(Outcome { replies: envelope.conclude(&reply), reusable: false }),
            (None, Phase::Quit | Phase::Closed) => ClientStep::Closed,
            (None, _) => ClientStep::Failed(Failure { phase, reply }),
        }
    }

    /// The handshake is done, and gave this much protection. The session begins anew (RFC 3207 4.2).
    pub fn tls_started(&mut self, level: TlsLevel) {
        if self.phase == Phase::Handshake {
            self.active = level;
            self.say_hello();
        }
    }

    /// Commands and content that are to be sent. The caller clears what it has sent.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// The mechanism that it logs in by; `None` where it does not.
    pub fn mechanism(&self) -> Option<&str> {
        self.mechanism.as_deref()
    }

    /// How far the session is.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// What the peer announced last.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn is_chunked(&self) -> bool {
        self.envelope.as_ref().is_some_and(Envelope::is_chunked)
    }

    fn is_open(&self) -> bool {
        self.phase != Phase::Closed
    }

    fn say(&mut self, line: &str) {
        self.output.extend_from_slice(line.as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests;
