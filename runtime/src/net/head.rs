//! What stands in front of a message when it is queued: results of authentication, signatures, and the trace. All of it depends on
//! the whole message, so it is made at the end; and here it is decided whether the message comes in at all.

use super::transaction::{Peer, log};
use crate::authentication::intake::Whole;
use crate::authentication::judge::Judgement;
use crate::authentication::{fetch, judge, results};
use crate::daemon::Daemon;
use crate::queue::{AcceptedRecipient, QueueId};
use crate::report::dmarc::{Judged, is_report};
use crate::site::Generation;
use postern_schema::decide::{
    self, AUTHOR_LIMIT, Answer, Author, ContentFacts, Disposition, End, Handling, Need, Reason, RelayPermit, RouteFacts,
    SenderDomain, SignFacts, Trace, Verdict, rewrite,
};
use postern_schema::dns::{Recording, Transcript};
use postern_schema::name::{Domain, Mailbox, ReversePath};
use postern_schema::reply::Reply;
use postern_schema::site::Destination;
use postern_schema::spf::{self, SpfResult};
use std::time::Instant;

/// The field that says that a message was put aside, which filters of mail programs know.
const QUARANTINE: &[u8] = b"X-Spam-Flag: YES\r\n";
/// Recipients of one message that a recording names.
const RECIPIENTS_RECORDED: usize = 10;
/// The longest recording that is kept whole.
const RECORDING_OCTETS: usize = 16 << 10;

/// A message that came in whole, and all that is known of it.
pub(super) struct Arrival<'a> {
    pub daemon: &'a Daemon,
    pub generation: &'a Generation,
    pub peer: &'a Peer,
    pub helo: &'a str,
    /// What MAIL said.
    pub reverse_path: &'a ReversePath,
    /// What the site has made of that.
    pub sender: &'a ReversePath,
    pub recipients: &'a [AcceptedRecipient],
    pub arrival_ms: u64,
    /// Its name in the queue, once it has one.
    pub id: Option<QueueId>,
}

impl Arrival<'_> {
    /// What DNS says of the sender's domain.
    pub async fn sender_domain(&self, domain: &Domain, transcript: &mut Transcript) -> SenderDomain {
        fetch::sender_domain(&*self.daemon.dns, domain, transcript, fetch::deadline()).await
    }

    /// SPF for the reverse-path (RFC 7208 2.4).
    pub async fn spf(&self, transcript: &mut Transcript) -> SpfResult {
        let sender = self.reverse_path.to_string();
        let finding = fetch::spf(&*self.daemon.dns, &self.spf_facts(&sender), transcript, fetch::deadline()).await;
        finding.result
    }

    fn spf_facts<'b>(&'b self, sender: &'b str) -> spf::Facts<'b> {
        spf::Facts {
            client: self.peer.address,
            helo: self.helo,
            sender,
            receiver: self.generation.site().hostname.as_str(),
            now: self.arrival_ms / 1000,
        }
    }

    /// Judges a stranger's message, and decides whether it comes in. Returns the fields that say what was found.
    ///
    /// # Errors
    /// The refusal.
    pub async fn judge(&self, whole: &Whole, transcript: &mut Transcript) -> Result<Vec<u8>, Reply> {
        let sender = self.reverse_path.to_string();
        let judgement = judge::judge(&*self.daemon.dns, &self.spf_facts(&sender), whole, transcript).await;
        for result in &judgement.results {
            let (method, result, why) = (result.method, &*result.result, &*result.comment);
            let id = self.id.map(tracing::field::display);
            tracing::info!(id, peer = %self.peer.address, from = sender, method, result, why, "authentication");
        }
        self.record(whole, &judgement, std::mem::take(transcript));
        let decided = self.decide(whole, Some(judgement.dmarc));
        if !is_report(judgement.dmarc, &whole.received) {
            let judged = Judged { client: self.peer.address, reverse_path: self.reverse_path, judgement: &judgement, decided };
            self.daemon.reports.record_dmarc(self.generation.site(), &judged, self.arrival_ms);
        }
        let handling = decided.map_err(Reason::reply)?;
        let mut fields = results::field(self.generation.site().hostname.as_str(), &judgement.results);
        if handling == Handling::Quarantine {
            fields.extend_from_slice(QUARANTINE);
        }
        Ok(fields)
    }

    /// Keeps what was known, for `posternd trace` and to be played again.
    fn record(&self, whole: &Whole, judgement: &Judgement, answers: Transcript) {
        let Some(id) = self.id else { return };
        let mut recording = Recording { facts: Vec::new(), answers };
        recording.note("client", self.peer.address);
        recording.note("listener", &self.peer.listener);
        recording.note("helo", self.helo);
        recording.note("from", self.reverse_path);
        self.recipients.iter().take(RECIPIENTS_RECORDED).for_each(|one| recording.note("to", one.permit.recipient()));
        whole.received.from_domains().iter().take(AUTHOR_LIMIT).for_each(|author| recording.note("author", author));
        judgement.signed.iter().for_each(|domain| recording.note("dkim", domain));
        recording.note("time", self.arrival_ms / 1000);
        let mut text = recording.to_string();
        // Strangers choose how much DNS says, and the history has room for many messages.
        if text.len() > RECORDING_OCTETS {
            recording.answers = Transcript::default();
            text = format!("{recording}; the answers were too long to keep\n");
        }
        tracing::debug!(%id, recording = text, "known");
    }

    /// Whether it comes in. `dmarc`: for a stranger's.
    ///
    /// # Errors
    /// The refusal.
    pub fn decide(&self, whole: &Whole, dmarc: Option<decide::DmarcFact>) -> Result<Handling, Reason> {
        // Whoever writes may use what the client said; what the site makes of it is for the site to answer for.
        let authors = whole.received.from_mailboxes();
        let mut facts = ContentFacts { client: self.peer.client(), authors: &authors, dmarc: None };
        loop {
            match decide::content(&facts, &*self.generation.snapshot) {
                Answer::Need(Need::Dmarc) if facts.dmarc.is_none() && dmarc.is_some() => facts.dmarc = dmarc,
                // Nothing else is asked for here; were it so, "later" is the answer that loses nothing.
                Answer::Need(_) => return Err(Reason::LookupFailed),
                Answer::Verdict(verdict) => {
                    log(self.peer, self.generation, &verdict, self.reverse_path, None);
                    let Verdict { disposition, reason, .. } = verdict;
                    if self.peer.user.is_none() {
                        let (client, site) = (self.peer.address, self.generation.site());
                        self.daemon.reputations.decided(client, reason, site, Instant::now());
                    }
                    return match disposition {
                        Disposition::Accept(handling) => Ok(handling),
                        Disposition::Refuse | Disposition::Defer => Err(reason),
                    };
                }
            }
        }
    }

    /// The signatures of a message that is ours; none where none are due.
    ///
    /// # Errors
    /// The deferral, where one is due and cannot be made: what must be signed does not leave without it.
    pub fn sign(&self, whole: &Whole) -> Result<Vec<u8>, Reply> {
        let from = whole.header.from_domains();
        let destinations = self.destinations();
        let facts = SignFacts { author: Author::Client(self.peer.client()), from: &from, destinations: &destinations };
        let unsigned = |error: &dyn std::fmt::Display| {
            let peer = self.peer.address;
            tracing::error!(%peer, from = %self.reverse_path, %error, "a message cannot be signed, so it is not taken");
            Reason::CannotSign.reply()
        };
        let (due, _) = decide::signing(&facts, &*self.generation.snapshot).map_err(|failed| unsigned(&failed))?;
        let signed = self.generation.keys.sign(&due, &whole.header, &whole.relaxed_body(), self.arrival_ms / 1000);
        let fields = signed.map_err(|error| unsigned(&error))?;
        if let (Some(id), false) = (self.id, due.is_empty()) {
            let keys: Vec<String> = due.iter().map(|due| format!("{} of {}", due.signer.selector, due.domain)).collect();
            tracing::info!(%id, keys = keys.join(", "), "signed");
        }
        Ok(fields)
    }

    /// Refuses a message that one of its recipients has forwarded before.
    ///
    /// # Errors
    /// The refusal.
    pub fn check_loop(&self, whole: &Whole) -> Result<(), Reply> {
        let permits: Vec<&RelayPermit> = self.recipients.iter().map(|recipient| &recipient.permit).collect();
        let fields = whole.received.fields().filter(|field| field.name.eq_ignore_ascii_case(b"delivered-to"));
        let values = fields.filter_map(|field| std::str::from_utf8(field.value.trim_ascii()).ok());
        let seen: Vec<Mailbox> = values.filter_map(|value| Mailbox::parse(value.trim_matches(['<', '>'])).ok()).collect();
        match decide::forwarding_loop(&permits, &seen) {
            None => Ok(()),
            Some(by) => {
                tracing::warn!(peer = %self.peer.address, from = %self.reverse_path, %by, "a message was forwarded before, and is refused");
                Err(Reason::ForwardingLoop.reply())
            }
        }
    }

    /// The copies that archives of the site get.
    ///
    /// # Errors
    /// The deferral, where the site cannot be read.
    pub fn archives(&self) -> Result<Vec<RelayPermit>, Reply> {
        let permits: Vec<&RelayPermit> = self.recipients.iter().map(|recipient| &recipient.permit).collect();
        rewrite::archives(self.sender, &permits, &*self.generation.snapshot, &mut Trace::default()).map_err(|error| {
            tracing::error!(%error, "the archives of the site cannot be read");
            Reason::LookupFailed.reply()
        })
    }

    /// Where the message goes, as far as the site of this moment knows.
    fn destinations(&self) -> Vec<Destination> {
        let addresses = self.recipients.iter().flat_map(|recipient| recipient.permit.expansion());
        let mut destinations = Vec::new();
        for End { mailbox: recipient, sent_as } in addresses {
            let facts = RouteFacts { reverse_path: self.sender, recipient, sent_as };
            let hop =
                decide::route(&facts, &*self.generation.snapshot).verdict().and_then(|verdict| verdict.disposition.accepted());
            if let Some(hop) = hop
                && !destinations.contains(&hop.destination)
            {
                destinations.push(hop.destination);
            }
        }
        destinations
    }
}
