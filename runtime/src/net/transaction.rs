//! One mail transaction: MAIL, RCPT and the message, decided by the site that was in force when it began. A reload in its
//! midst changes nothing for it (the next transaction on the same connection is under the new site).

use super::head::{Arrival, Known};
use super::received;
use super::reception::Reception;
use crate::authentication::fetch;
use crate::authentication::intake::{Purpose, Whole};
use crate::daemon::{Daemon, now_ms};
use crate::queue::{Accepted, AcceptedRecipient, Client, FreshId};
use crate::screen::{self, Listed, Visit};
use crate::site::{ClientCertificate, Generation};
use crate::smtp::command::{BodyKind, MailRequest, RecipientRequest};
use crate::smtp::server::{ClientOverride, Message};
use postern_schema::decide::{
    self, Answer, Disposition, GreylistFact, Need, Reason, RecipientFacts, RelayPermit, ScreenFacts, SenderDomain, SenderFacts,
    TlsWish, Trace, Verdict, rewrite,
};
use postern_schema::dns::Transcript;
use postern_schema::name::{Domain, ForwardPath, Mailbox, ReversePath};
use postern_schema::reply::Reply;
use postern_schema::site::Quarantine;
use std::fmt::Display;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// Who is on the other end of a session.
pub struct Peer {
    /// Its address; an IPv4 address in IPv6 clothes is undressed.
    pub address: IpAddr,
    /// The listener that it came in by.
    pub listener: Box<str>,
    /// Its login name.
    pub user: Option<Box<str>>,
    /// The store that knows it by that name; `None`: somebody else has said so.
    pub store: Option<Box<str>>,
    /// The certificate that it has shown to hold.
    pub certificate: Option<ClientCertificate>,
    /// Whom it speaks for, as it says by XFORWARD: for logs alone.
    pub speaks_for: Option<ClientOverride>,
    /// What its mail has for a From field that has none: a whole address.
    pub author: Option<Box<str>>,
}

impl Peer {
    pub(super) fn client(&self) -> decide::Client<'_> {
        decide::Client {
            listener: &self.listener,
            address: self.address,
            user: self.user.as_deref(),
            certificate: self.certificate.as_ref().map_or(&[], |shown| &shown.fingerprints),
        }
    }
}

/// What a client has said of itself, and how.
#[derive(Clone, Copy)]
pub struct Spoken<'a> {
    /// In EHLO or HELO.
    pub helo: &'a str,
    /// The `with` keyword of Received.
    pub protocol: &'static str,
}

/// What is known of a client beside its address, for decisions about recipients.
pub struct Visitor<'a> {
    /// What it said in EHLO or HELO.
    pub helo: &'a str,
    /// What lists say of it.
    pub listed: &'a mut Listed,
}

/// A transaction that is open.
pub struct Transaction {
    generation: Arc<Generation>,
    request: MailRequest,
    /// The reverse-path that the message has from now on: that of the request, as the site rewrites it.
    sender: ReversePath,
    protection: Option<String>,
    id: FreshId,
    arrival_ms: u64,
    recipients: Vec<AcceptedRecipient>,
    /// Why it is held in the queue, if it is.
    hold: Option<Reason>,
    /// What DNS was asked about this message, and said.
    transcript: Transcript,
    known: Known,
    /// Its text, as far as it came.
    text: Reception,
}

impl Transaction {
    /// Decides MAIL.
    ///
    /// # Errors
    /// The refusal.
    pub async fn begin(
        daemon: &Arc<Daemon>, peer: &Peer, helo: &str, request: MailRequest, protection: Option<String>,
    ) -> Result<(Transaction, Reply), Reply> {
        let generation = daemon.current.generation();
        let arrival_ms = now_ms();
        let mut transcript = Transcript::default();
        let arrival = Arrival {
            daemon,
            generation: &generation,
            peer,
            helo,
            reverse_path: &request.reverse_path,
            sender: &request.reverse_path,
            recipients: &[],
            arrival_ms,
            known: Known::default(),
            id: None,
        };
        let verdict = decide_sender(&arrival, protection.is_some(), &mut transcript).await?;
        log(peer, &generation, &verdict, &request.reverse_path, None);
        if peer.user.is_none() {
            daemon.reputations.decided(peer.address, verdict.reason, generation.site(), Instant::now());
        }
        let reply = verdict.reason.reply();
        if !matches!(verdict.disposition, Disposition::Accept(())) {
            return Err(reply);
        }
        // RFC 1870 6.1: said before any of the message was sent.
        if let Err(error) = daemon.spool.check_room(request.size_octets.unwrap_or(0)) {
            tracing::error!(%error, peer = %peer.address, from = %request.reverse_path, "a message cannot be stored");
            return Err(error.reply());
        }
        let id = daemon.spool.fresh_id(arrival_ms);
        let body = daemon.spool.begin_body(&id);
        let text = Reception::begin(&generation, peer, request.body, id.id(), arrival_ms, body);
        let site = generation.site();
        let mut trace = Trace::default();
        let sender = rewrite::reverse_path(peer.client(), &request.reverse_path, site, &mut trace);
        if sender != request.reverse_path {
            let source = site.sources.describe(trace.cause());
            tracing::info!(peer = %peer.address, from = %request.reverse_path, %sender, source, "sender rewritten");
        }
        Ok((
            Transaction {
                generation,
                request,
                sender,
                protection,
                id,
                arrival_ms,
                recipients: Vec::new(),
                hold: None,
                transcript,
                known: Known::default(),
                text,
            },
            reply,
        ))
    }

    /// Whom it is for, as far as they were accepted.
    pub fn recipients(&self) -> Vec<&Mailbox> {
        self.recipients.iter().map(|recipient| recipient.permit.recipient()).collect()
    }

    /// The site that it is decided by.
    pub fn generation(&self) -> &Arc<Generation> {
        &self.generation
    }

    /// Decides RCPT.
    pub async fn recipient(
        &mut self, daemon: &Arc<Daemon>, peer: &Peer, visitor: Visitor<'_>, request: RecipientRequest,
    ) -> Reply {
        let decided = self.decide_recipient(daemon, peer, visitor, &request.forward_path).await;
        let verdict = match decided {
            Ok(verdict) => verdict,
            Err(reply) => return reply,
        };
        self.blame(daemon, peer, verdict.reason);
        log(peer, &self.generation, &verdict, &self.request.reverse_path, Some(&request.forward_path));
        if let Disposition::Accept(permit) = verdict.disposition {
            let (notify, orcpt) = (request.notify, request.original_recipient);
            self.recipients.push(AcceptedRecipient { permit, notify, orcpt });
        }
        verdict.reason.reply()
    }

    async fn decide_recipient(
        &mut self, daemon: &Arc<Daemon>, peer: &Peer, visitor: Visitor<'_>, forward_path: &ForwardPath,
    ) -> Result<Verdict<RelayPermit>, Reply> {
        let (client, generation) = (peer.client(), self.generation.clone());
        let site = generation.site();
        let (mut screen, mut srs, listings) = (ScreenFacts::default(), None, OnceLock::new());
        // Each need is answered once, so this ends as soon as every kind of need was met.
        loop {
            let facts = RecipientFacts { client, reverse_path: &self.sender, forward_path, screen, srs: srs.as_ref() };
            match decide::accept(&facts, &*self.generation.snapshot) {
                Answer::Verdict(verdict) => return Ok(verdict),
                Answer::Need(Need::Helo) if screen.helo.is_none() => screen.helo = Some(visitor.helo),
                Answer::Need(Need::HeloDomain(domain)) if screen.helo_domain.is_none() => {
                    screen.helo_domain = Some(self.ask_sender_domain(daemon, &domain).await);
                }
                Answer::Need(Need::Lists) if screen.lists.is_none() => {
                    let (said, answers) = visitor.listed.listings(daemon, &generation, peer.address).await;
                    answers
                        .entries()
                        .iter()
                        .for_each(|(question, answer)| self.transcript.note(question.clone(), answer.clone()));
                    screen.lists = Some(listings.get_or_init(|| said));
                }
                Answer::Need(Need::Greylist) if screen.greylist.is_none() => {
                    screen.greylist = Some(self.greylisted(daemon, peer, forward_path));
                    self.known.greylist = screen.greylist;
                }
                Answer::Need(Need::Reputation) if screen.reputation.is_none() => {
                    screen.reputation = Some(daemon.reputations.fact(peer.address, site, Instant::now()));
                    self.known.reputation = screen.reputation;
                }
                Answer::Need(Need::Srs(address)) if srs.is_none() => {
                    srs = Some(self.generation.srs_fact(&address, self.arrival_ms / 1000));
                }
                // Nothing else is asked for; were it so, "later" is the answer that loses nothing.
                Answer::Need(_) => return Err(Reply::LOCAL_ERROR),
            }
        }
    }

    async fn ask_sender_domain(&mut self, daemon: &Daemon, domain: &Domain) -> SenderDomain {
        fetch::sender_domain(&*daemon.dns, domain, &mut self.transcript, fetch::deadline()).await
    }

    /// Where the client stands with the greylist. What cannot be asked for is known.
    fn greylisted(&self, daemon: &Daemon, peer: &Peer, forward_path: &ForwardPath) -> GreylistFact {
        match (&self.generation.site().screen.greylist, forward_path) {
            (Some(policy), ForwardPath::Mailbox(recipient)) => {
                let visit = Visit { client: peer.address, sender: &self.request.reverse_path, recipient };
                screen::standing(policy, visit, &*daemon.greylist, now_ms())
            }
            _ => GreylistFact::Passed,
        }
    }

    /// Counts a refusal against a stranger.
    fn blame(&self, daemon: &Daemon, peer: &Peer, reason: Reason) {
        if peer.user.is_none() {
            daemon.reputations.decided(peer.address, reason, self.generation.site(), Instant::now());
        }
    }

    /// Takes a piece of the message. Writes to disk: blocks.
    pub fn take(&mut self, piece: &[u8]) {
        self.text.take(piece);
    }

    /// Takes the last piece and makes the message durable. A positive reply means that it is.
    pub async fn finish(mut self, daemon: &Arc<Daemon>, peer: &Peer, spoken: Spoken<'_>, message: Message) -> Reply {
        let helo = spoken.helo;
        // Where nothing was spilled, nothing touches the disk before the queue's own writer does, and nothing takes long.
        let is_large = message.octets > message.body.len() as u64;
        let whole = beside(is_large, || self.text.end(&message.body));
        let head = match self.head(daemon, peer, spoken, &whole, is_large).await {
            Ok(head) => head,
            Err(reply) => return reply,
        };
        let text = self.text;
        let body = match beside(is_large, || text.store_below(head)) {
            Ok(body) => body,
            Err(error) => return error.reply(),
        };
        let id = self.id.id();
        let octets = body.octets();
        let (from, recipients) = (self.sender.to_string(), self.recipients.len());
        let accepted = Accepted {
            id: self.id,
            arrival_ms: self.arrival_ms,
            // What the site has put in may need it where the client did not.
            smtp_utf8: self.request.smtputf8 || !from.is_ascii(),
            reverse_path: self.sender,
            recipients: self.recipients,
            eight_bit: self.request.body == BodyKind::EightBit || message.eight_bit,
            // RFC 8689 3: the parameter is stronger than the field.
            tls_wish: match (self.request.require_tls, message.header.tls_optional) {
                (true, _) => TlsWish::Required,
                (false, true) => TlsWish::Optional,
                (false, false) => TlsWish::Default,
            },
            ret: self.request.ret,
            envid: self.request.envelope_id,
            client: Client {
                address: peer.address,
                helo: helo.into(),
                listener: peer.listener.clone(),
                user: peer.user.clone(),
                certificate: peer.client().certificate.into(),
            },
            generation: self.generation.mark(),
            hold: self.hold,
            body,
        };
        match daemon.spool.append(accepted).await {
            Ok(id) => {
                tracing::info!(
                    %id, from, recipients, octets,
                    peer = %peer.address, listener = &*peer.listener, user = peer.user.as_deref(), helo,
                    forwarded_for = peer.speaks_for.as_ref().and_then(|said| said.address).map(tracing::field::display),
                    generation = self.generation.number, "queued"
                );
                Reply::queued(&id.to_string())
            }
            Err(error) => {
                tracing::error!(%error, %id, "a message cannot be queued");
                error.reply()
            }
        }
    }

    /// The fields in front of the message. Asked only of one that can be stored.
    async fn head(
        &mut self, daemon: &Arc<Daemon>, peer: &Peer, spoken: Spoken<'_>, whole: &Whole, is_large: bool,
    ) -> Result<Vec<u8>, Reply> {
        if let Some(error) = self.text.fault() {
            return Err(error.reply());
        }
        let mut transcript = std::mem::take(&mut self.transcript);
        let arrival = Arrival {
            daemon,
            generation: &self.generation,
            peer,
            helo: spoken.helo,
            reverse_path: &self.request.reverse_path,
            sender: &self.sender,
            recipients: &self.recipients,
            arrival_ms: self.arrival_ms,
            known: self.known,
            id: Some(self.id.id()),
        };
        arrival.check_loop(whole)?;
        // What a filter gives back was copied before.
        let copies = if peer.client().is_peer(self.generation.site()) { Vec::new() } else { arrival.archives()? };
        let mut aside = None;
        let mut head = match self.text.purpose() {
            Purpose::Sign => {
                arrival.record(whole, None, transcript);
                arrival.decide(whole, None).map_err(Reason::reply)?;
                beside(is_large, || arrival.sign(whole))?
            }
            Purpose::Verify => {
                let judged = arrival.judge(whole, &mut transcript).await?;
                aside = judged.aside;
                judged.fields
            }
            Purpose::Pass => {
                arrival.record(whole, None, transcript);
                Vec::new()
            }
        };
        head.extend_from_slice(&self.trace(peer, spoken));
        self.set_aside(aside);
        // Nobody is told what becomes of a copy that nobody asked for by name (RFC 3461 4.1).
        self.recipients.extend(copies.into_iter().map(AcceptedRecipient::untold));
        Ok(head)
    }

    /// Holds a message that is set aside, or gives it to whoever gets such; one that is only marked goes its way.
    fn set_aside(&mut self, aside: Option<(Quarantine, Reason)>) {
        match aside {
            Some((Quarantine::Hold, reason)) => self.hold = Some(reason),
            Some((Quarantine::To(mailbox), reason)) => {
                let permit = decide::diverted(&mailbox, reason, &*self.generation.snapshot);
                self.recipients = vec![AcceptedRecipient::untold(permit)];
            }
            Some((Quarantine::Mark, _)) | None => {}
        }
    }

    fn trace(&self, peer: &Peer, spoken: Spoken<'_>) -> Vec<u8> {
        received::field(&received::Facts {
            helo: spoken.helo,
            client: peer.address,
            hostname: self.generation.site().hostname.as_str(),
            protocol: spoken.protocol,
            local_user: peer.user.as_deref().filter(|_| peer.client().is_local(self.generation.site())),
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

async fn decide_sender(arrival: &Arrival<'_>, is_tls: bool, transcript: &mut Transcript) -> Result<Verdict<()>, Reply> {
    let (client, reverse_path) = (arrival.peer.client(), arrival.reverse_path);
    let mut facts = SenderFacts { client, is_tls, reverse_path, sender_domain: None, spf: None };
    // Each need is answered once, so this ends as soon as every kind of need was met.
    loop {
        match decide::sender(&facts, &*arrival.generation.snapshot) {
            Answer::Verdict(verdict) => return Ok(verdict),
            Answer::Need(Need::SenderDomain(domain)) if facts.sender_domain.is_none() => {
                facts.sender_domain = Some(arrival.sender_domain(&domain, transcript).await);
            }
            Answer::Need(Need::Spf) if facts.spf.is_none() => facts.spf = Some(arrival.spf(transcript).await),
            Answer::Need(_) => return Err(Reply::LOCAL_ERROR),
        }
    }
}

/// Work that may take long goes on beside the other sessions.
fn beside<T>(takes_long: bool, work: impl FnOnce() -> T) -> T {
    if takes_long { tokio::task::block_in_place(work) } else { work() }
}

/// One line for each decision: what was asked, what was said, why, and which line of the site said so.
pub(super) fn log<T>(peer: &Peer, generation: &Generation, verdict: &Verdict<T>, from: &dyn Display, to: Option<&ForwardPath>) {
    tracing::info!(
        peer = %peer.address,
        listener = &*peer.listener,
        user = peer.user.as_deref(),
        %from,
        to = to.map(tracing::field::display),
        disposition = verdict.disposition.as_str(),
        reason = verdict.reason.as_str(),
        lists = verdict.trace.listings(),
        source = generation.site().sources.describe(verdict.trace.cause()),
        generation = generation.number,
        "decision"
    );
}
