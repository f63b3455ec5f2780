//! What stands in front of a message when it is queued: results of authentication, signatures, and the trace. All of it depends on
//! the whole message, so it is made at the end; and here it is decided whether the message comes in at all.

use super::transaction::{Peer, log};
use crate::authentication::intake::Whole;
use crate::authentication::judge::Judgement;
use crate::authentication::keys::CannotSign;
use crate::authentication::seal::Sealing;
use crate::authentication::{chain, fetch, judge, results};
use crate::daemon::Daemon;
use crate::queue::{AcceptedRecipient, QueueId};
use crate::report::dmarc::{Judged as Seen, is_report};
use crate::report::failure::{self, Failed};
use crate::site::Generation;
use postern_schema::decide::{
    self, AUTHOR_LIMIT, Answer, ArcFact, Author, ContentFacts, Disposition, End, GreylistFact, Handling, Need, Reason,
    RelayPermit, ReputationFact, RouteFacts, SenderDomain, SignFacts, Trace, Verdict, rewrite,
};
use postern_schema::dns::{Recording, Transcript};
use postern_schema::name::{Domain, Mailbox, ReversePath};
use postern_schema::reply::Reply;
use postern_schema::site::{Destination, Quarantine};
use postern_schema::spf::{self, SpfResult};
use std::sync::Arc;
use std::time::Instant;

/// The field that says that a message was put aside, which filters of mail programs know.
const MARK: &[u8] = b"X-Spam-Flag: YES\r\n";
/// Recipients of one message that a recording names.
const RECIPIENTS_RECORDED: usize = 10;
/// The longest recording that is kept whole.
const RECORDING_OCTETS: usize = 16 << 10;

/// Facts about the client that are no answers of DNS.
#[derive(Clone, Copy, Default)]
pub(super) struct Known {
    /// Where it stands with the greylist, with the last recipient that this was asked for.
    pub greylist: Option<GreylistFact>,
    /// What it did before.
    pub reputation: Option<ReputationFact>,
}

/// A message that came in whole, and all that is known of it.
pub(super) struct Arrival<'a> {
    pub daemon: &'a Arc<Daemon>,
    pub generation: &'a Arc<Generation>,
    pub peer: &'a Peer,
    pub helo: &'a str,
    /// What MAIL said.
    pub reverse_path: &'a ReversePath,
    /// What the site has made of that.
    pub sender: &'a ReversePath,
    pub recipients: &'a [AcceptedRecipient],
    pub arrival_ms: u64,
    /// What else was found out on the way.
    pub known: Known,
    /// Its name in the queue, once it has one.
    pub id: Option<QueueId>,
}

/// A stranger's message that comes in.
pub(super) struct Judged {
    /// The fields that say what was found.
    pub fields: Vec<u8>,
    /// Where it is set aside, and why; `None`: it is not.
    pub aside: Option<(Quarantine, Reason)>,
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
    pub async fn judge(&self, whole: &Whole, transcript: &mut Transcript) -> Result<Judged, Reply> {
        let (sender, site) = (self.reverse_path.to_string(), self.generation.site());
        let spf_facts = self.spf_facts(&sender);
        let judgement = judge::judge(&*self.daemon.dns, &spf_facts, whole, transcript).await;
        let arc = chain::word_of(&judgement.chain, &site.arc.trusted, &whole.received.from_domains());
        for result in &judgement.results {
            let (method, result, why) = (result.method, &*result.result, &*result.comment);
            let id = self.id.map(tracing::field::display);
            tracing::info!(id, peer = %self.peer.address, from = sender, method, result, why, "authentication");
        }
        self.record(whole, Some((&judgement, arc)), std::mem::take(transcript));
        let decided = self.decide(whole, Some((&judgement, arc)));
        let told = decided.as_ref().map(|(handling, reason)| (handling, *reason)).map_err(|reason| *reason);
        let failed = Failed {
            id: self.id,
            client: self.peer.address,
            reverse_path: self.reverse_path,
            header: &whole.received,
            judgement: &judgement,
            decided: told,
            arrival_ms: self.arrival_ms,
        };
        failure::tell(self.daemon, self.generation, &failed);
        if !is_report(judgement.dmarc, &whole.received) {
            let decided = told;
            let judged = Seen { client: self.peer.address, reverse_path: self.reverse_path, judgement: &judgement, decided };
            self.daemon.reports.record_dmarc(site, &judged, self.arrival_ms);
        }
        let (handling, reason) = decided.map_err(Reason::reply)?;
        let hostname = site.hostname.as_str();
        let mut fields = self.seal(whole, &judgement)?;
        if site.screen.received_spf {
            fields.extend_from_slice(&results::received_spf(hostname, &spf_facts, &judgement.spf));
        }
        fields.extend_from_slice(&results::field(hostname, &judgement.results));
        let aside = match handling {
            Handling::Deliver => None,
            Handling::Quarantine(place) => Some((place, reason)),
        };
        if let Some((place, reason)) = &aside {
            fields.extend_from_slice(&self.quarantine_fields(place, *reason));
        }
        Ok(Judged { fields, aside })
    }

    /// What tells of a message that it is set aside: one that is held says so in the queue.
    fn quarantine_fields(&self, place: &Quarantine, reason: Reason) -> Vec<u8> {
        match place {
            Quarantine::Hold => Vec::new(),
            Quarantine::Mark => MARK.to_vec(),
            Quarantine::To(_) => {
                let permits = self.recipients.iter().take(RECIPIENTS_RECORDED).map(|recipient| recipient.permit.recipient());
                let named = permits.map(Mailbox::to_string).filter(|text| text.is_ascii()).collect::<Vec<_>>();
                format!("X-Quarantine: {reason};\r\n\tfor={}\r\n", named.join(",\r\n\t")).into_bytes()
            }
        }
    }

    /// The ARC set of a message that leaves this site again, where the site seals such.
    ///
    /// # Errors
    /// The deferral, where it cannot be made: what the site seals does not go on without it.
    fn seal(&self, whole: &Whole, judgement: &Judgement) -> Result<Vec<u8>, Reply> {
        let goes_on = || self.destinations().iter().any(|destination| !matches!(destination, Destination::Transport { .. }));
        if self.generation.site().arc.seal.is_none() || !goes_on() {
            return Ok(Vec::new());
        }
        let unsealed = |error: &dyn std::fmt::Display| {
            let peer = self.peer.address;
            tracing::error!(%peer, from = %self.reverse_path, %error, "a message cannot be sealed, so it is not taken");
            Reason::CannotSign.reply()
        };
        let due = decide::sealing(&*self.generation.snapshot).map_err(|failed| unsealed(&failed))?;
        let due = due.ok_or_else(|| unsealed(&"no key of its domain is active"))?;
        let signer = self.generation.keys.signer(&due).map_err(|error| unsealed(&error))?;
        let sealing = Sealing {
            hostname: self.generation.site().hostname.as_str(),
            header: &whole.header,
            body_hash: &whole.relaxed_body(),
            results: &judgement.results,
            now: self.arrival_ms / 1000,
        };
        let fields = sealing.seal(signer).map_err(|error| unsealed(&CannotSign::of(&due, error)))?;
        if let (Some(id), false) = (self.id, fields.is_empty()) {
            tracing::info!(%id, key = %due.signer.selector, domain = %due.domain, "sealed");
        }
        Ok(fields)
    }

    /// Keeps what was known, for `posternd trace` and to be played again.
    pub fn record(&self, whole: &Whole, judged: Option<(&Judgement, ArcFact)>, answers: Transcript) {
        let Some(id) = self.id else { return };
        let Known { greylist, reputation } = self.known;
        // Of most mail of our own there is nothing to say that its other events do not say.
        if judged.is_none() && answers.entries().is_empty() && greylist.is_none() && reputation.is_none() {
            return;
        }
        let mut recording = Recording { facts: Vec::new(), answers };
        recording.note("client", self.peer.address);
        recording.note("listener", &self.peer.listener);
        recording.note("helo", self.helo);
        recording.note("from", self.reverse_path);
        self.recipients.iter().take(RECIPIENTS_RECORDED).for_each(|one| recording.note("to", one.permit.recipient()));
        whole.received.from_domains().iter().take(AUTHOR_LIMIT).for_each(|author| recording.note("author", author));
        greylist.iter().for_each(|fact| recording.note("greylist", fact.as_str()));
        reputation.iter().for_each(|fact| recording.note("reputation", fact.as_str()));
        if let Some((judgement, arc)) = judged {
            judgement.signed.iter().for_each(|domain| recording.note("dkim", domain));
            recording.note("arc", arc.as_str());
        }
        recording.note("time", self.arrival_ms / 1000);
        let mut text = recording.to_string();
        // Strangers choose how much DNS says, and the history has room for many messages.
        if text.len() > RECORDING_OCTETS {
            recording.answers = Transcript::default();
            text = format!("{recording}; the answers were too long to keep\n");
        }
        tracing::debug!(%id, recording = text, "known");
    }

    /// Whether it comes in, and why. `judged`: for a stranger's.
    ///
    /// # Errors
    /// The refusal.
    pub fn decide(&self, whole: &Whole, judged: Option<(&Judgement, ArcFact)>) -> Result<(Handling, Reason), Reason> {
        // Whoever writes may use what the client said; what the site makes of it is for the site to answer for.
        let authors = whole.received.from_mailboxes();
        let mut facts = ContentFacts { client: self.peer.client(), authors: &authors, spf: None, dmarc: None, arc: None };
        loop {
            match (decide::content(&facts, &*self.generation.snapshot), judged) {
                (Answer::Need(Need::Spf), Some((found, _))) if facts.spf.is_none() => facts.spf = Some(found.spf.result),
                (Answer::Need(Need::Dmarc), Some((found, _))) if facts.dmarc.is_none() => facts.dmarc = Some(found.dmarc),
                (Answer::Need(Need::Arc), Some((_, arc))) if facts.arc.is_none() => facts.arc = Some(arc),
                // Nothing else is asked for here; were it so, "later" is the answer that loses nothing.
                (Answer::Need(_), _) => return Err(Reason::LookupFailed),
                (Answer::Verdict(verdict), _) => {
                    log(self.peer, self.generation, &verdict, self.reverse_path, None);
                    let Verdict { disposition, reason, .. } = verdict;
                    if self.peer.user.is_none() {
                        let (client, site) = (self.peer.address, self.generation.site());
                        self.daemon.reputations.decided(client, reason, site, Instant::now());
                    }
                    return match disposition {
                        Disposition::Accept(handling) => Ok((handling, reason)),
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
