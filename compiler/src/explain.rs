//! What happens to one message from one client, in the daemon's own decisions: MAIL, RCPT, then a hop for each address that the
//! recipient stands for. Plain data for `postern explain` and for the site's own `test` blocks.
//!
//! Nothing is decided here. The functions of [`postern_schema::decide`] are asked in the daemon's order, and their traces are
//! written down with the lines of the site that they come from.

use postern_schema::decide::{
    Answer, Client, Disposition, Lookup, Need, Reason, RecipientFacts, RouteFacts, SenderDomain, SenderFacts, Trace, Verdict,
    accept, route, sender,
};
use postern_schema::name::{ForwardPath, Mailbox, ReversePath};
use postern_schema::site::{Destination, ListenerKind, Site, Sources, TlsLevel};
use serde::Serialize;
use std::net::{IpAddr, Ipv4Addr};

/// What is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    /// The client's address; `None`: one that the site says nothing of.
    pub client: Option<IpAddr>,
    /// The client's login name.
    pub user: Option<String>,
    /// The listener's name; `None`: the one that such a client uses.
    pub listener: Option<String>,
    /// The reverse-path.
    pub from: ReversePath,
    /// The forward-path.
    pub to: ForwardPath,
    /// What DNS says of the sender's domain, for sites that ask.
    pub sender_domain: Option<SenderDomain>,
}

/// The whole answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Explanation {
    /// The client's address.
    pub client: String,
    /// The client's login name.
    pub user: Option<String>,
    /// The listener's name.
    pub listener: String,
    /// The reverse-path, without brackets; empty for the null path.
    pub from: String,
    /// The forward-path, without brackets.
    pub to: String,
    /// What the client is told in the end: of MAIL if that was refused, else of RCPT.
    pub outcome: Outcome,
    /// The stages that were reached: MAIL, RCPT.
    pub stages: Vec<Stage>,
    /// Where the message goes, for each address that the recipient stands for; empty unless it was accepted.
    pub hops: Vec<HopExplained>,
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
    /// `MAIL` or `RCPT`.
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
}

/// The next hop of one address.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct HopExplained {
    /// The address.
    pub recipient: String,
    /// The mailbox at the next hop.
    pub mailbox: Option<String>,
    /// The transport or relay by name, or `direct`; `None` where there is no way.
    pub via: Option<String>,
    /// The next hop as logs have it: `relay:ses`, `mx:example.org`.
    pub destination: Option<String>,
    /// The least protection of the session; `None` for delivery here.
    pub tls: Option<&'static str>,
    /// What was decided.
    pub outcome: Outcome,
    /// How.
    pub steps: Vec<StepExplained>,
}

/// Why nothing could be asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum QuestionError {
    /// No listener has this name; the names that there are.
    UnknownListener(String, Vec<String>),
    /// The client has logged in, and no listener takes logins.
    NoSubmissionListener,
    /// The site listens on nothing.
    NoListener,
}

impl std::fmt::Display for QuestionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            QuestionError::UnknownListener(name, known) if known.is_empty() => {
                write!(f, "there is no listener {name:?}: the site has none")
            }
            QuestionError::UnknownListener(name, known) => {
                write!(f, "there is no listener {name:?}: the site has {}", known.join(", "))
            }
            QuestionError::NoSubmissionListener => {
                f.write_str("no listener takes logins: declare `listen \"submissions\"`, or leave the user out")
            }
            QuestionError::NoListener => f.write_str("the site listens on nothing: declare `listen \"mx\"`"),
        }
    }
}

impl std::error::Error for QuestionError {}

impl Question {
    /// The listener that is meant: the one named; else, for a logged-in client, the first that takes logins; else the first of
    /// kind `mx`.
    fn listener<'a>(&'a self, site: &'a Site) -> Result<&'a str, QuestionError> {
        if let Some(name) = &self.listener {
            let known = || site.listeners.iter().map(|listener| listener.name.to_string()).collect();
            let found = site.listener(name).map(|listener| &*listener.name);
            return found.ok_or_else(|| QuestionError::UnknownListener(name.clone(), known()));
        }
        let first = |wanted: &dyn Fn(ListenerKind) -> bool| site.listeners.iter().find(|listener| wanted(listener.kind));
        let found = if self.user.is_some() {
            first(&ListenerKind::requires_login).ok_or(QuestionError::NoSubmissionListener)?
        } else {
            first(&|kind| !kind.requires_login()).or_else(|| site.listeners.first()).ok_or(QuestionError::NoListener)?
        };
        Ok(&found.name)
    }
}

/// An address that is in no network of the site: a stranger.
pub fn stranger(site: &Site) -> IpAddr {
    // The three documentation networks (RFC 5737), then the whole of 198.18.0.0/15, which no site hears from (RFC 2544).
    let documentation = [[198, 51, 100, 99], [203, 0, 113, 99], [192, 0, 2, 99]].map(Ipv4Addr::from);
    let benchmark = (1..=255).map(|last| Ipv4Addr::new(198, 18, 0, last));
    let candidates = documentation.into_iter().chain(benchmark).map(IpAddr::V4);
    candidates.into_iter().find(|address| site.network(*address).is_none()).unwrap_or(IpAddr::V4(documentation[0]))
}

/// Asks the decision functions.
///
/// # Errors
/// [`QuestionError`] if the question names a listener that the site does not have.
pub fn explain(question: &Question, lookup: &dyn Lookup) -> Result<Explanation, QuestionError> {
    let site = lookup.site();
    let listener = question.listener(site)?;
    let address = question.client.unwrap_or_else(|| stranger(site));
    let client = Client { listener, address, user: question.user.as_deref() };
    let mut explanation = Explanation {
        client: address.to_string(),
        user: question.user.clone(),
        listener: listener.to_owned(),
        from: question.from.to_string(),
        to: question.to.to_string(),
        outcome: Outcome { disposition: "undecided", reason: String::new(), reply: String::new() },
        stages: Vec::new(),
        hops: Vec::new(),
    };
    let facts = SenderFacts { client, reverse_path: &question.from, sender_domain: question.sender_domain };
    if explanation.reach("MAIL", sender(&facts, lookup), &site.sources).is_none() {
        return Ok(explanation);
    }
    let facts = RecipientFacts { client, reverse_path: &question.from, forward_path: &question.to };
    if let Some(permit) = explanation.reach("RCPT", accept(&facts, lookup), &site.sources) {
        let hops = permit.expansion().iter().map(|recipient| explain_hop(&question.from, recipient, lookup));
        explanation.hops = hops.collect();
    }
    Ok(explanation)
}

impl Explanation {
    /// Notes a stage; what it accepted, if it did.
    fn reach<T>(&mut self, name: &'static str, answer: Answer<T>, sources: &Sources) -> Option<T> {
        let (outcome, steps, accepted) = write_down(answer, sources);
        self.outcome = outcome.clone();
        self.stages.push(Stage { name, outcome, steps });
        accepted
    }
}

fn explain_hop(sender: &ReversePath, recipient: &Mailbox, lookup: &dyn Lookup) -> HopExplained {
    let answer = route(&RouteFacts { reverse_path: sender, recipient }, lookup);
    let (outcome, steps, hop) = write_down(answer, &lookup.site().sources);
    HopExplained {
        recipient: recipient.to_string(),
        mailbox: hop.as_ref().map(|hop| hop.mailbox.to_string()),
        via: hop.as_ref().map(|hop| via(&hop.destination)),
        tls: hop.as_ref().and_then(|hop| hop.destination.tls()).map(TlsLevel::as_str),
        destination: hop.map(|hop| hop.destination.to_string()),
        outcome,
        steps,
    }
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
    }
}

fn steps(trace: &Trace, sources: &Sources) -> Vec<StepExplained> {
    let step = |step: &postern_schema::decide::Step| StepExplained {
        text: step.kind.to_string(),
        source: (!step.origin.is_default()).then(|| sources.describe(step.origin)),
    };
    trace.steps().iter().map(step).collect()
}
