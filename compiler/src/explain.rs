//! What happens to one message from one client, in the daemon's own decisions: MAIL, RCPT, then a hop for each address that the
//! recipient stands for. Plain data for `postern explain` and for the site's own `test` blocks.
//!
//! Nothing is decided here. The functions of [`postern_schema::decide`] are asked in the daemon's order, and their traces are
//! written down with the lines of the site that they come from.

mod limits;
mod question;

pub use limits::LimitExplained;
pub use question::{AuthorPolicy, Question, QuestionError, stranger};
use question::{author, author_mailbox};

use crate::standing::{Leaving, SpfStanding, standing};
use postern_schema::decide::{
    Answer, ArcFact, Author, Client, ContentFacts, Departure, Disposition, DmarcFact, End, GreylistFact, Handling, Hop, Listing,
    Lookup, LookupFailed, Need, Reason, RecipientFacts, RelayPermit, ReputationFact, RouteFacts, ScreenFacts, SenderDomain,
    SenderFacts, SignFacts, SrsFact, Step, TlsWish, Trace, Verdict, accept, content, diverted, rewrite, route, sender, signing,
};
use postern_schema::name::{Domain, Mailbox, ReversePath};
use postern_schema::site::{AddressKind, Destination, Quarantine, Relay, Site, Slot, Sources, TlsLevel, TransportKind};
use postern_schema::spf::SpfResult;
use serde::Serialize;
use std::net::IpAddr;
use std::time::Duration;

/// The whole answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Explanation {
    /// The client's address.
    pub client: String,
    /// The client's login name.
    pub user: Option<String>,
    /// What it said in EHLO, where the question says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helo: Option<String>,
    /// The fingerprint of the certificate that the client has shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// The listener's name.
    pub listener: String,
    /// The reverse-path, without brackets; empty for the null path.
    pub from: String,
    /// The same as the site has rewritten it.
    pub sender: String,
    /// The forward-path, without brackets.
    pub to: String,
    /// What the client is told in the end: of MAIL if that was refused, else of RCPT.
    pub outcome: Outcome,
    /// The facts that the daemon would have to fetch, in the order in which it asks.
    pub facts: Vec<FactExplained>,
    /// The stages that were reached: MAIL, RCPT, DATA.
    pub stages: Vec<Stage>,
    /// Where the message goes, for each address that the recipient stands for; empty unless it was accepted.
    pub hops: Vec<HopExplained>,
    /// The selectors of the DKIM keys that sign it.
    pub signed_by: Vec<String>,
    /// What the message may not exceed; empty unless it was accepted.
    pub limits: Vec<LimitExplained>,
    /// When it is tried, as long as every attempt fails for now; `None` unless it was accepted.
    pub retry: Option<Timetable>,
}

/// A fact that was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FactExplained {
    /// Its name, as `--fact` takes it.
    pub name: &'static str,
    /// What it is of.
    pub of: String,
    /// The answer that the question brought along.
    pub answer: Option<String>,
}

/// The schedule of attempts, before the daemon spreads each pause by up to a tenth.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Timetable {
    /// Seconds from acceptance to each attempt, the first at 0 and the last when the lifetime ends.
    pub attempts_seconds: Vec<u64>,
    /// When the sender is told that it was in vain; for a bounce, when it is dropped.
    pub lifetime_seconds: u64,
    /// `site.kdl:12`; `None` for the default.
    pub source: Option<String>,
}

/// A disposition and its cause.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Outcome {
    /// `accept`, `reject` or `defer`; `undecided` where a fact is missing.
    pub disposition: &'static str,
    /// The name of the reason; that of the missing fact where undecided.
    pub reason: String,
    /// What the peer reads; empty where undecided.
    pub reply: String,
}

/// One decision.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Stage {
    /// `MAIL`, `RCPT` or `DATA`.
    pub name: &'static str,
    /// What was decided.
    pub outcome: Outcome,
    /// How.
    pub steps: Vec<StepExplained>,
}

/// One step of a decision.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct StepExplained {
    /// What was found.
    pub text: String,
    /// `site.kdl:12`; `None` where no line says so.
    pub source: Option<String>,
    /// The same as the decision noted it.
    #[serde(skip)]
    pub step: Step,
}

/// The next hop of one address.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct HopExplained {
    /// The address.
    pub recipient: String,
    /// The mailbox at the next hop.
    pub mailbox: Option<String>,
    /// The envelope sender there, where it is not that of the message; `srs` for one that leads its bounces back through this site.
    pub sender: Option<String>,
    /// The transport or relay by name, or `direct`; `None` where there is no way.
    pub via: Option<String>,
    /// The next hop as logs have it: `relay:ses`, `mx:example.org`.
    pub destination: Option<String>,
    /// The Maildir, or the host and port that are called.
    pub endpoint: Option<String>,
    /// The relay that takes over where it cannot be reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
    /// The public addresses that the receiver may see it come from; empty for delivery here.
    pub leaves_from: Vec<IpAddr>,
    /// The name that we log in by there.
    pub login: Option<String>,
    /// The least protection of the session; `None` for delivery here.
    pub tls: Option<&'static str>,
    /// The next host must promise to pass it on under TLS alone (RFC 8689); `false` for delivery here.
    #[serde(skip_serializing_if = "is_false")]
    pub requiretls: bool,
    /// The most that the mailbox holds, in octets, where it has a limit of its own.
    pub quota_octets: Option<u64>,
    /// What the receiver's SPF check says of the sender; `None` for delivery here, and where that was not asked.
    pub spf: Option<SpfStanding>,
    /// `aligned` where SPF or DKIM vouches for the author, else `unaligned`; `None` as for `spf`.
    pub dmarc: Option<&'static str>,
    /// What was decided.
    pub outcome: Outcome,
    /// How.
    pub steps: Vec<StepExplained>,
}

/// Asks the decision functions.
///
/// # Errors
/// [`QuestionError`] if the question names a listener that the site does not have.
pub fn explain(question: &Question, lookup: &dyn Lookup) -> Result<Explanation, QuestionError> {
    let site = lookup.site();
    let question = &question.settled(lookup);
    let listener = question.listener(site)?;
    let address = question.client.unwrap_or_else(|| stranger(site));
    let client = Client { listener, address, user: question.user.as_deref(), certificate: question.certificate.as_slice() };
    let mut explanation = Explanation {
        client: address.to_string(),
        user: question.user.clone(),
        helo: question.helo.clone(),
        certificate: question.certificate.map(|shown| shown.to_string()),
        listener: listener.to_owned(),
        from: question.from.to_string(),
        sender: question.from.to_string(),
        to: question.to.to_string(),
        outcome: Outcome { disposition: "undecided", reason: String::new(), reply: String::new() },
        facts: Vec::new(),
        stages: Vec::new(),
        hops: Vec::new(),
        signed_by: Vec::new(),
        limits: Vec::new(),
        retry: None,
    };
    let answer = explanation.ask_sender(question, client, lookup);
    if explanation.reach("MAIL", answer, &site.sources).is_none() {
        return Ok(explanation);
    }
    let mut trace = Trace::default();
    let sender = rewrite::reverse_path(client, &question.from, site, &mut trace);
    explanation.add_steps(&trace, &site.sources);
    explanation.sender = sender.to_string();
    let answer = explanation.ask_recipient(question, client, &sender, lookup);
    if let Some(permit) = explanation.reach("RCPT", answer, &site.sources) {
        let mut trace = Trace::default();
        let copies = match client.is_peer(site) {
            true => Vec::new(),
            false => rewrite::archives(&sender, &[&permit], lookup, &mut trace).unwrap_or_default(),
        };
        explanation.add_steps(&trace, &site.sources);
        let copies: Vec<End> = copies.iter().flat_map(RelayPermit::expansion).cloned().collect();
        let ends = [permit.expansion().to_vec(), copies];
        explanation.hops = ends.iter().flatten().map(|end| explain_hop(&sender, end, question.tls_wish, lookup)).collect();
        explanation.limits = limits::incoming(client, site);
        explanation.retry = Some(timetable(&sender, site));
        explanation.content(question, client, &sender, ends, lookup);
    }
    Ok(explanation)
}

impl Explanation {
    /// Asks as the daemon does: without facts, and again with each that turned out to matter.
    fn ask_sender(&mut self, question: &Question, client: Client<'_>, lookup: &dyn Lookup) -> Answer<()> {
        let mut facts =
            SenderFacts { client, is_tls: question.is_tls, reverse_path: &question.from, sender_domain: None, spf: None };
        loop {
            let answer = sender(&facts, lookup);
            let Answer::Need(need) = &answer else { return answer };
            let known = self.note_fact(need, question);
            match need {
                Need::SenderDomain(_) if known => facts.sender_domain = question.sender_domain,
                Need::Spf if known => facts.spf = question.spf,
                _ => return answer,
            }
        }
    }

    /// The same of the recipient.
    fn ask_recipient(
        &mut self, question: &Question, client: Client<'_>, sender: &ReversePath, lookup: &dyn Lookup,
    ) -> Answer<RelayPermit> {
        let mut screen = ScreenFacts::default();
        let mut srs = None;
        loop {
            let facts = RecipientFacts { client, reverse_path: sender, forward_path: &question.to, screen, srs: srs.as_ref() };
            let answer = accept(&facts, lookup);
            let Answer::Need(need) = &answer else { return answer };
            if !self.note_fact(need, question) {
                return answer;
            }
            match need {
                Need::Helo => screen.helo = question.helo.as_deref(),
                Need::HeloDomain(_) => screen.helo_domain = question.helo_domain,
                Need::Lists => screen.lists = question.lists.as_deref(),
                Need::Greylist => screen.greylist = question.greylist,
                Need::Reputation => screen.reputation = question.reputation,
                Need::Srs(address) if srs.is_none() => {
                    srs = question.srs.as_deref().and_then(|word| SrsFact::parse(word, address));
                    if srs.is_none() {
                        return answer;
                    }
                }
                Need::SenderDomain(_) | Need::Spf | Need::Dmarc | Need::Arc | Need::Srs(_) => return answer,
            }
        }
    }

    /// The same of the whole message.
    fn ask_content(
        &mut self, question: &Question, client: Client<'_>, authors: &[Option<Mailbox>], lookup: &dyn Lookup,
    ) -> Answer<Handling> {
        let mut facts = ContentFacts { client, authors, spf: None, dmarc: None, arc: None };
        loop {
            let answer = content(&facts, lookup);
            let Answer::Need(need) = &answer else { return answer };
            let known = self.note_fact(need, question);
            match need {
                Need::Spf if known => facts.spf = question.spf,
                Need::Dmarc if known => facts.dmarc = question.dmarc,
                Need::Arc if known => facts.arc = question.arc,
                _ => return answer,
            }
        }
    }

    /// Notes what the daemon would ask; whether the question brought the answer along.
    fn note_fact(&mut self, need: &Need, question: &Question) -> bool {
        let client = self.client.clone();
        let word = |word: &'static str| word.to_owned();
        let (name, of, answer) = match need {
            Need::SenderDomain(domain) => {
                ("sender-domain", domain.to_string(), question.sender_domain.map(SenderDomain::as_str).map(word))
            }
            Need::Spf => ("spf", question.from.to_string(), question.spf.map(SpfResult::as_str).map(word)),
            Need::Dmarc => {
                let author = author(question).map(|author| author.to_string());
                ("dmarc", author.unwrap_or_default(), question.dmarc.map(DmarcFact::as_str).map(word))
            }
            Need::Arc => {
                let author = author(question).map(|author| author.to_string());
                ("arc", author.unwrap_or_default(), question.arc.map(ArcFact::as_str).map(word))
            }
            Need::Srs(address) => {
                let known = SrsFact::WORDS.into_iter().find(|word| question.srs.as_deref() == Some(*word));
                ("srs", address.to_string(), known.map(word))
            }
            Need::Helo => ("helo", client, question.helo.clone()),
            Need::HeloDomain(domain) => {
                ("helo-domain", domain.to_string(), question.helo_domain.map(SenderDomain::as_str).map(word))
            }
            Need::Lists => ("listed", client, question.lists.as_deref().map(describe_listings)),
            Need::Greylist => ("greylist", client, question.greylist.map(GreylistFact::as_str).map(word)),
            Need::Reputation => ("reputation", client, question.reputation.map(ReputationFact::as_str).map(word)),
        };
        let known = answer.is_some();
        self.facts.push(FactExplained { name, of, answer });
        known
    }

    /// The end of the message: whether it comes in, and which keys sign it.
    fn content(
        &mut self, question: &Question, client: Client<'_>, sender: &ReversePath, ends: [Vec<End>; 2], lookup: &dyn Lookup,
    ) {
        let [mut ends, copies] = ends;
        ends.extend(copies.iter().cloned());
        let sources = &lookup.site().sources;
        let recipient_accepted = self.outcome.clone();
        let authors: Vec<Option<Mailbox>> = author_mailbox(question).map(Some).into_iter().collect();
        let answer = self.ask_content(question, client, &authors, lookup);
        match self.reach("DATA", answer, sources) {
            // Why the recipient was taken says more.
            Some(Handling::Deliver) => self.outcome = recipient_accepted,
            Some(Handling::Quarantine(Quarantine::Mark)) => {}
            // Until the operator lets it go, it goes nowhere.
            Some(Handling::Quarantine(Quarantine::Hold)) | None => return self.stay(),
            Some(Handling::Quarantine(Quarantine::To(mailbox))) => {
                let instead = diverted(&mailbox, Reason::ContentAccepted, lookup).expansion().to_vec();
                ends = instead.into_iter().chain(copies.iter().cloned()).collect();
                self.hops = ends.iter().map(|end| explain_hop(sender, end, question.tls_wish, lookup)).collect();
            }
        }
        if self.leave(question, client, sender, &ends, lookup).is_err() {
            // The daemon defers it.
            self.outcome = outcome::<()>(&Disposition::Defer, Reason::LookupFailed);
        }
    }

    /// It goes nowhere.
    fn stay(&mut self) {
        (self.retry, self.hops, self.limits) = (None, Vec::new(), Vec::new());
    }

    /// The way out: who signs it, and what its receivers find.
    fn leave(
        &mut self, question: &Question, client: Client<'_>, sender: &ReversePath, ends: &[End], lookup: &dyn Lookup,
    ) -> Result<(), LookupFailed> {
        let site = lookup.site();
        let hop = |end| {
            let hop = route(&route_facts(sender, end), lookup).verdict()?.disposition.accepted()?;
            Some(hop.as_wished(question.tls_wish))
        };
        let hops: Vec<Option<Hop>> = ends.iter().map(hop).collect();
        let destinations: Vec<Destination> = hops.iter().flatten().map(|hop| hop.destination.clone()).collect();
        let mut author = author(question);
        // Headers of strangers' mail stay as they are.
        if let Some(mailbox) = author_mailbox(question).filter(|_| !client.is_stranger(site)) {
            let mut trace = Trace::default();
            if let Some(rewritten) = rewrite::header(client, &mailbox, Slot::From, site, &mut trace) {
                author = rewritten.domain().cloned();
            }
            self.add_steps(&trace, &site.sources);
        }
        let facts = SignFacts { author: Author::Client(client), from: author.as_slice(), destinations: &destinations };
        let (due, trace) = signing(&facts, lookup)?;
        self.signed_by = due.iter().map(|due| due.signer.selector.to_string()).collect();
        self.add_steps(&trace, &site.sources);
        let signed: Vec<Domain> = due.into_iter().map(|due| due.domain).collect();
        for ((explained, hop), end) in self.hops.iter_mut().zip(&hops).zip(ends) {
            let Some(hop) = hop else { continue };
            let leaves_as = match &hop.sender {
                Departure::As(mailbox) => ReversePath::Mailbox(mailbox.clone()),
                Departure::Unchanged | Departure::Srs => sender.clone(),
            };
            let mail = Leaving { sender: &leaves_as, author: author.as_ref(), destination: &hop.destination, signed: &signed };
            // What a stranger sends on is vouched for, or not, by where it came from.
            if let Some(standing) = standing(&mail, lookup)?.filter(|_| !client.is_stranger(site)) {
                explained.spf = Some(standing.spf);
                explained.dmarc = Some(if standing.aligned { "aligned" } else { "unaligned" });
            }
            for limit in limits::outgoing(hop, &end.mailbox, site) {
                if !self.limits.contains(&limit) {
                    self.limits.push(limit);
                }
            }
        }
        Ok(())
    }

    /// Adds to what led to the last stage.
    fn add_steps(&mut self, trace: &Trace, sources: &Sources) {
        let Some(stage) = self.stages.last_mut() else { return };
        for step in steps(trace, sources) {
            if !stage.steps.contains(&step) {
                stage.steps.push(step);
            }
        }
    }

    /// Notes a stage; what it accepted, if it did.
    fn reach<T>(&mut self, name: &'static str, answer: Answer<T>, sources: &Sources) -> Option<T> {
        let (outcome, steps, accepted) = write_down(answer, sources);
        self.outcome = outcome.clone();
        self.stages.push(Stage { name, outcome, steps });
        accepted
    }
}

fn route_facts<'a>(sender: &'a ReversePath, end: &'a End) -> RouteFacts<'a> {
    RouteFacts { reverse_path: sender, recipient: &end.mailbox, sent_as: &end.sent_as }
}

/// Where the mail for one address goes.
pub fn explain_hop(sender: &ReversePath, end: &End, wish: TlsWish, lookup: &dyn Lookup) -> HopExplained {
    let answer = route(&route_facts(sender, end), lookup);
    let site = lookup.site();
    let (outcome, steps, hop) = write_down(answer, &site.sources);
    let hop = hop.map(|hop| hop.as_wished(wish));
    let relay = hop.as_ref().and_then(|hop| relay(&hop.destination, site));
    let quota = hop.as_ref().and_then(|hop| lookup.address(hop.mailbox.domain()?, &hop.mailbox.local.folded()).ok()?);
    HopExplained {
        endpoint: hop.as_ref().and_then(|hop| endpoint(hop, site)),
        leaves_from: hop.as_ref().map_or_else(Vec::new, |hop| leaves_from(&hop.destination, site)),
        backup: relay.and_then(|relay| relay.backup.as_deref()).map(str::to_owned),
        login: relay.and_then(|relay| relay.login.as_ref()).map(|login| login.user.to_string()),
        quota_octets: quota.and_then(|entry| match entry.kind {
            AddressKind::Mailbox { quota_octets } => quota_octets.or(site.limits.mailbox_octets),
            _ => None,
        }),
        recipient: end.mailbox.to_string(),
        sender: hop.as_ref().and_then(|hop| match &hop.sender {
            Departure::Unchanged => None,
            Departure::As(mailbox) => Some(mailbox.to_string()),
            Departure::Srs => Some("srs".to_owned()),
        }),
        mailbox: hop.as_ref().map(|hop| hop.mailbox.to_string()),
        via: hop.as_ref().map(|hop| via(&hop.destination)),
        tls: hop.as_ref().and_then(|hop| hop.destination.tls()).map(TlsLevel::as_str),
        requiretls: wish == TlsWish::Required && hop.as_ref().is_some_and(|hop| hop.destination.tls().is_some()),
        spf: None,
        dmarc: None,
        destination: hop.map(|hop| hop.destination.to_string()),
        outcome,
        steps,
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

fn relay<'a>(destination: &Destination, site: &'a Site) -> Option<&'a Relay> {
    match destination {
        Destination::Relay { name, .. } => site.relay(name),
        _ => None,
    }
}

/// The addresses that connections come from, as the receiver sees them.
fn leaves_from(destination: &Destination, site: &Site) -> Vec<IpAddr> {
    match (destination.tls(), destination.from_address()) {
        (None, _) => Vec::new(),
        (Some(_), from) if !from.is_none() => from.iter().collect(),
        (Some(_), _) => site.addresses.clone(),
    }
}

fn endpoint(hop: &Hop, site: &Site) -> Option<String> {
    Some(match &hop.destination {
        Destination::Transport { name, .. } => match &site.transport(name)?.kind {
            TransportKind::Maildir { path } => {
                let domain = hop.mailbox.host.to_string();
                path.replace("{domain}", &domain).replace("{user}", &hop.mailbox.local.to_string())
            }
            TransportKind::Lmtp { server } => server.to_string(),
            TransportKind::Smtp { host, port, mx: true, .. } => format!("the MX hosts of {host}, port {port}"),
            TransportKind::Smtp { host, port, .. } => format!("{host}:{port}"),
            TransportKind::Pipe { program, user } => format!("{program}, run as {user}"),
            TransportKind::Discard { reason } | TransportKind::Fail { reason } => reason.to_string(),
        },
        Destination::Relay { name, .. } => {
            let relay = site.relay(name)?;
            format!("{}:{}", relay.host, relay.port)
        }
        Destination::Mx { domain, .. } => format!("the MX hosts of {domain}, port 25"),
        Destination::Literal { host, .. } => format!("{host}:25"),
    })
}

/// The most attempts that are listed: a schedule with more has a finding of its own.
const ATTEMPTS_LISTED: u16 = 1000;

fn timetable(sender: &ReversePath, site: &Site) -> Timetable {
    let policy = &site.queue;
    let lifetime = if *sender == ReversePath::Null { policy.bounce_lifetime } else { policy.lifetime };
    let mut attempts = vec![0];
    let mut elapsed = Duration::ZERO;
    for failures in 1..ATTEMPTS_LISTED {
        elapsed = elapsed.saturating_add(policy.pause(failures)).min(lifetime);
        attempts.push(elapsed.as_secs());
        if elapsed >= lifetime {
            break;
        }
    }
    let source = (!policy.origin.is_default()).then(|| site.sources.describe(policy.origin));
    Timetable { attempts_seconds: attempts, lifetime_seconds: lifetime.as_secs(), source }
}

fn via(destination: &Destination) -> String {
    match destination {
        Destination::Transport { name, .. } | Destination::Relay { name, .. } => name.to_string(),
        Destination::Mx { .. } | Destination::Literal { .. } => "direct".to_owned(),
    }
}

fn write_down<T>(answer: Answer<T>, sources: &Sources) -> (Outcome, Vec<StepExplained>, Option<T>) {
    match answer {
        Answer::Need(need) => {
            let outcome = Outcome { disposition: "undecided", reason: describe_need(&need), reply: String::new() };
            (outcome, Vec::new(), None)
        }
        Answer::Verdict(Verdict { disposition, reason, trace }) => {
            let outcome = outcome(&disposition, reason);
            (outcome, steps(&trace, sources), disposition.accepted())
        }
    }
}

fn outcome<T>(disposition: &Disposition<T>, reason: Reason) -> Outcome {
    Outcome { disposition: disposition.as_str(), reason: reason.to_string(), reply: reason.reply().to_string() }
}

/// Which fact to set, in the words of a test block.
fn describe_need(need: &Need) -> String {
    match need {
        Need::SenderDomain(domain) => format!("needs sender-domain: what DNS says of {domain}"),
        Need::Spf => "needs spf: what the SPF check says".to_owned(),
        Need::Dmarc => "needs dmarc: what DMARC comes to".to_owned(),
        Need::Arc => "needs arc: what the ARC chain comes to".to_owned(),
        Need::Helo => "needs helo: what the client says in EHLO".to_owned(),
        Need::HeloDomain(domain) => format!("needs helo-domain: what DNS says of {domain}"),
        Need::Lists => "needs listed or unlisted: which lists know the client".to_owned(),
        Need::Greylist => "needs greylist: whether the client was here before with this sender and recipient".to_owned(),
        Need::Reputation => "needs reputation: what the client did before".to_owned(),
        Need::Srs(address) => format!("needs srs: what the bounce address {address} is"),
    }
}

fn describe_listings(listings: &[Listing]) -> String {
    match listings {
        [] => "none".to_owned(),
        listings => listings.iter().map(Listing::to_string).collect::<Vec<_>>().join(" "),
    }
}

fn steps(trace: &Trace, sources: &Sources) -> Vec<StepExplained> {
    let step = |step: &Step| StepExplained {
        text: step.kind.to_string(),
        source: (!step.origin.is_default()).then(|| sources.describe(step.origin)),
        step: step.clone(),
    };
    trace.steps().iter().map(step).collect()
}
