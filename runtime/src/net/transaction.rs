//! One mail transaction: MAIL, RCPT and the message, decided by the site that was in force when it began. A reload in its
//! midst changes nothing for it (the next transaction on the same connection is under the new site).

use super::received;
use crate::daemon::{Daemon, now_ms};
use crate::dns::sender_domain;
use crate::queue::spool::BodyWriter;
use crate::queue::{Accepted, AcceptedRecipient, Body, Client, FreshId, SpoolError};
use crate::site::Generation;
use crate::smtp::command::{MailRequest, RecipientRequest};
use crate::smtp::server::{Message, Server};
use postern_schema::decide::{self, Answer, Disposition, Need, RecipientFacts, SenderFacts, Verdict};
use postern_schema::name::ForwardPath;
use postern_schema::reply::Reply;
use std::fmt::Display;
use std::net::IpAddr;
use std::sync::Arc;

/// Who is on the other end of a session.
pub struct Peer {
    /// Its address; an IPv4 address in IPv6 clothes is undressed.
    pub address: IpAddr,
    /// The listener that it came in by.
    pub listener: Box<str>,
    /// Its login name.
    pub user: Option<Box<str>>,
}

impl Peer {
    fn client(&self) -> decide::Client<'_> {
        decide::Client { listener: &self.listener, address: self.address, user: self.user.as_deref() }
    }
}

/// A transaction that is open.
pub struct Transaction {
    generation: Arc<Generation>,
    request: MailRequest,
    protection: Option<String>,
    id: FreshId,
    arrival_ms: u64,
    recipients: Vec<AcceptedRecipient>,
    /// The text that was taken so far; an error keeps its place until the end of the message.
    body: Result<BodyWriter, SpoolError>,
    has_trace: bool,
}

impl Transaction {
    /// Decides MAIL.
    ///
    /// # Errors
    /// The refusal.
    pub async fn begin(
        daemon: &Arc<Daemon>, peer: &Peer, request: MailRequest, protection: Option<String>,
    ) -> Result<(Transaction, Reply), Reply> {
        let generation = daemon.current.generation();
        let arrival_ms = now_ms();
        let verdict = decide_sender(daemon, peer, &request, &generation).await?;
        log(peer, &generation, &verdict, &request.reverse_path, None);
        let reply = verdict.reason.reply();
        if !matches!(verdict.disposition, Disposition::Accept(())) {
            return Err(reply);
        }
        let id = daemon.spool.fresh_id(arrival_ms);
        let body = Ok(daemon.spool.begin_body(&id));
        let recipients = Vec::new();
        Ok((Transaction { generation, request, protection, id, arrival_ms, recipients, body, has_trace: false }, reply))
    }

    /// Decides RCPT.
    pub fn recipient(&mut self, peer: &Peer, request: RecipientRequest) -> Reply {
        let facts = RecipientFacts {
            client: peer.client(),
            reverse_path: &self.request.reverse_path,
            forward_path: &request.forward_path,
        };
        let Answer::Verdict(verdict) = decide::accept(&facts, &*self.generation.snapshot) else {
            // Nothing is asked for at RCPT; were it so, "later" is the answer that loses nothing.
            return Reply::LOCAL_ERROR;
        };
        log(peer, &self.generation, &verdict, &self.request.reverse_path, Some(&request.forward_path));
        if let Disposition::Accept(permit) = verdict.disposition {
            let (notify, orcpt) = (request.notify, request.original_recipient);
            self.recipients.push(AcceptedRecipient { permit, notify, orcpt });
        }
        verdict.reason.reply()
    }

    /// Takes a piece of the message. Writes to disk: blocks.
    pub fn take(&mut self, daemon: &Daemon, peer: &Peer, server: &Server, piece: &[u8]) {
        let trace = (!self.has_trace).then(|| self.trace(peer, server));
        self.has_trace = true;
        let Ok(body) = &mut self.body else { return };
        let written = match trace {
            Some(trace) => body.write(&trace).and_then(|()| body.write(piece)),
            None => body.write(piece),
        };
        if let Err(error) = written {
            tracing::error!(%error, id = %self.id.id(), free = daemon.spool.counts().live_octets, "a message cannot be stored");
            self.body = Err(error);
        }
    }

    /// Takes the last piece and makes the message durable. A positive reply means that it is.
    pub async fn finish(mut self, daemon: &Arc<Daemon>, peer: &Peer, server: &Server, message: Message) -> Reply {
        let helo = server.helo().unwrap_or_default().into();
        // Where nothing was spilled, nothing touches the disk before the queue's own writer does.
        let is_spilled = message.octets > message.body.len() as u64;
        let body = if is_spilled {
            tokio::task::block_in_place(|| self.complete(daemon, peer, server, &message.body))
        } else {
            self.complete(daemon, peer, server, &message.body)
        };
        let body = match body {
            Ok(body) => body,
            Err(error) => return refusal(&error),
        };
        let id = self.id.id();
        let octets = body.octets();
        let (from, recipients) = (self.request.reverse_path.to_string(), self.recipients.len());
        let accepted = Accepted {
            id: self.id,
            arrival_ms: self.arrival_ms,
            reverse_path: self.request.reverse_path,
            recipients: self.recipients,
            smtp_utf8: self.request.smtputf8,
            eight_bit: self.request.eight_bit || message.eight_bit,
            ret: self.request.ret,
            envid: self.request.envelope_id,
            client: Client { address: peer.address, helo, listener: peer.listener.clone(), user: peer.user.clone() },
            generation: self.generation.mark(),
            body,
        };
        match daemon.spool.append(accepted).await {
            Ok(id) => {
                tracing::info!(
                    %id, from, recipients, octets,
                    peer = %peer.address, generation = self.generation.number, "queued"
                );
                Reply::queued(&id.to_string())
            }
            Err(error) => {
                tracing::error!(%error, %id, "a message cannot be queued");
                refusal(&error)
            }
        }
    }

    fn complete(&mut self, daemon: &Daemon, peer: &Peer, server: &Server, last: &[u8]) -> Result<Body, SpoolError> {
        self.take(daemon, peer, server, last);
        std::mem::replace(&mut self.body, Err(SpoolError::Closed))?.finish()
    }

    fn trace(&self, peer: &Peer, server: &Server) -> Vec<u8> {
        received::field(&received::Facts {
            helo: server.helo().unwrap_or_default(),
            client: peer.address,
            hostname: self.generation.site().hostname.as_str(),
            protocol: server.protocol(),
            protection: self.protection.as_deref(),
            id: self.id.id(),
            recipient: match self.recipients.as_slice() {
                [only] => Some(only.permit.recipient()),
                _ => None,
            },
            arrival_ms: self.arrival_ms,
        })
    }
}

async fn decide_sender(
    daemon: &Daemon, peer: &Peer, request: &MailRequest, generation: &Generation,
) -> Result<Verdict<()>, Reply> {
    let mut facts = SenderFacts { client: peer.client(), reverse_path: &request.reverse_path, sender_domain: None };
    // Each need is answered once, so this ends as soon as every kind of need was met.
    loop {
        match decide::sender(&facts, &*generation.snapshot) {
            Answer::Verdict(verdict) => return Ok(verdict),
            Answer::Need(Need::SenderDomain(domain)) if facts.sender_domain.is_none() => {
                facts.sender_domain = Some(sender_domain(&*daemon.dns, &domain).await);
            }
            Answer::Need(_) => return Err(Reply::LOCAL_ERROR),
        }
    }
}

/// One line for each decision: what was asked, what was said, why, and which line of the site said so.
fn log<T>(peer: &Peer, generation: &Generation, verdict: &Verdict<T>, from: &dyn Display, to: Option<&ForwardPath>) {
    tracing::info!(
        peer = %peer.address,
        listener = &*peer.listener,
        user = peer.user.as_deref(),
        %from,
        to = to.map(tracing::field::display),
        disposition = verdict.disposition.as_str(),
        reason = verdict.reason.as_str(),
        source = generation.site().sources.describe(verdict.trace.cause()),
        generation = generation.number,
        "decision"
    );
}

fn refusal(error: &SpoolError) -> Reply {
    if error.is_full() { Reply::INSUFFICIENT_STORAGE } else { Reply::LOCAL_ERROR }
}
