//! One connection to a peer: I/O and time limits here, the protocol in [`crate::smtp::client`].

use super::lane::Job;
use super::settle::Handover;
use crate::net::Stream;
use crate::queue::spool::BodyReader;
use crate::rehearsal;
use crate::smtp::client::{Client, ClientStep, Outcome, Phase, Recipient, Transaction};
use bytes::BytesMut;
use postern_schema::decide::TlsWish;
use postern_schema::name::Mailbox;
use postern_schema::reply::Reply;
use postern_schema::site::TlsLevel;
use std::future::Future;
use std::io::{self, Read};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How long the peer may take to read what we write (RFC 5321 4.5.3.2.5: three minutes a block).
const WRITE_PATIENCE: Duration = Duration::from_secs(180);
/// What is read from the peer at once: replies are short.
const READ_OCTETS: usize = 4 << 10;
/// Pieces in which a message is sent.
const BODY_OCTETS: usize = 64 << 10;

/// A connection that has said hello, and may have carried messages.
pub struct Session {
    pub(super) stream: Stream,
    pub(super) client: Client,
    input: BytesMut,
    pub(super) peer: Arc<str>,
    lmtp: bool,
    transactions: u32,
    usable: bool,
    pub(super) protection: Protection,
}

/// How a session is protected, and how it was to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Protection {
    /// What the site wants.
    pub wanted: TlsLevel,
    /// What came of it: none, encrypt, verify or dane.
    pub reached: TlsLevel,
}

impl Protection {
    /// None, and none was wanted.
    pub const NONE: Protection = Protection { wanted: TlsLevel::None, reached: TlsLevel::None };
}

impl Session {
    /// Wraps a connection on which nothing was said yet.
    pub(super) fn new(stream: Stream, client: Client, peer: Arc<str>, lmtp: bool) -> Session {
        Session {
            stream,
            client,
            input: BytesMut::new(),
            peer,
            lmtp,
            transactions: 0,
            usable: true,
            protection: Protection::NONE,
        }
    }

    /// The peer, for logs: `host[address]:port`.
    pub fn peer(&self) -> Arc<str> {
        self.peer.clone()
    }

    /// How it is protected.
    pub fn protection(&self) -> Protection {
        self.protection
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

    /// Whether the peer takes no further message by this connection (RFC 9422 4.1).
    pub fn is_spent(&self) -> bool {
        self.client.capabilities().transactions.is_some_and(|most| self.transactions >= most)
    }

    /// Sends one message: to all of its recipients at once, or to as many at a time as the peer takes (RFC 9422 4.2), its text
    /// read anew for each. The results stand by place in the envelope, in the order of the job; they end early where the peer takes
    /// nothing more by this connection (RFC 9422 4.1).
    ///
    /// # Errors
    /// The connection broke before the peer had said anything about this message.
    pub async fn send(
        &mut self, job: &Job, mut body: impl FnMut(&Job) -> Result<BodyReader, Reply>,
    ) -> Result<Vec<(u32, Reply)>, Reply> {
        if self.transactions > 0 && self.has_spoken() {
            // Between messages a peer speaks only to say that it is going, or it is gone already.
            return Err(Reply::lost(format!("{} ended the session between messages", self.peer)));
        }
        let most = self.client.capabilities().recipients.map_or(usize::MAX, |most| most as usize);
        let mut results = Vec::with_capacity(job.recipients.len());
        let mut over = None;
        for recipients in job.recipients.chunks(most.max(1)) {
            if !results.is_empty() && over.is_none() && self.is_spent() {
                break;
            }
            let sent = match &over {
                Some(reply) => Ok(vec![Reply::clone(reply); recipients.len()]),
                None => match body(job) {
                    Ok(body) => self.send_to(job, recipients, body).await,
                    Err(reply) => Ok(vec![reply; recipients.len()]),
                },
            };
            let replies = match sent {
                Ok(replies) => replies,
                Err(reply) if results.is_empty() => return Err(reply),
                Err(reply) => vec![reply; recipients.len()],
            };
            if !self.usable && over.is_none() {
                over = Some(Reply::lost(format!("{} ended the session between recipients", self.peer)));
            }
            results.extend(recipients.iter().map(|(place, _)| *place).zip(replies));
        }
        Ok(results)
    }

    /// One transaction. A reply for each recipient.
    async fn send_to(&mut self, job: &Job, recipients: &[(u32, Mailbox)], mut body: BodyReader) -> Result<Vec<Reply>, Reply> {
        let transaction = transaction(job, recipients, body.left_octets());
        // LMTP is the last step: nobody is there to pass it on (RFC 2033 1).
        let require_tls = transaction.require_tls && !self.lmtp;
        self.client.begin(Transaction { require_tls, ..transaction });
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
                    break Outcome { replies: vec![failure.reply; recipients.len()], reusable: false };
                }
                ClientStep::NeedInput | ClientStep::StartTls | ClientStep::Ready | ClientStep::Closed => {
                    let reply = Reply::lost("The session ended out of turn".to_owned());
                    break Outcome { replies: vec![reply; recipients.len()], reusable: false };
                }
            }
        };
        self.usable = outcome.reusable;
        let lost = outcome.replies.first().filter(|_| !outcome.reusable && !heard).cloned();
        lost.map_or(Ok(outcome.replies), Err)
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
    pub(super) async fn step(&mut self, heard: &mut bool) -> ClientStep {
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
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, format!("no reply within {patience:?}"))),
            Ok(Ok(0)) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the peer closed the connection")),
            Ok(Ok(_)) => {
                *heard = true;
                Ok(())
            }
            Ok(Err(error)) => Err(error),
        }
    }

    pub(super) async fn flush(&mut self) -> io::Result<()> {
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

fn transaction(job: &Job, recipients: &[(u32, Mailbox)], size_octets: u64) -> Transaction {
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
        recipients: recipients.iter().map(recipient).collect(),
        size_octets,
        smtputf8: envelope.smtp_utf8,
        eight_bit: envelope.eight_bit,
        require_tls: envelope.tls_wish == TlsWish::Required,
        ret: envelope.ret,
        envelope_id: envelope.envid.clone(),
    }
}

/// RFC 5321 4.5.3.2: five minutes for most, two for DATA, ten for the reply to the message.
fn patience(phase: Phase) -> Duration {
    let usual = match phase {
        Phase::Final => Duration::from_secs(600),
        Phase::Quit | Phase::Closed => Duration::from_secs(5),
        Phase::StartTls | Phase::Handshake | Phase::Login => Duration::from_secs(180),
        Phase::Greeting | Phase::Hello | Phase::Ready | Phase::Envelope | Phase::Body => Duration::from_secs(300),
    };
    rehearsal::patience(usual)
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
