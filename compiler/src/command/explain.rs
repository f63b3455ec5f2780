//! `postern explain`: what becomes of one message, by the daemon's own decisions, with the line behind each step; or, with
//! `--relay`, who may send to whom; or, with `--attempt`, how a message came into the queue and where it was sent on to.

mod recorded;
mod relay;
mod replay;
mod text;

use super::subject::{self, is_snapshot};
use super::{Failure, Status, print};
use crate::explain::{AuthorPolicy, Explanation, Question, explain};
use crate::syntax::Value;
use crate::syntax::grammar::ValueType;
use crate::syntax::value::{self, Typed};
use clap::Args;
use postern_schema::decide::{ArcFact, DmarcFact, GreylistFact, Listing, Lookup, ReputationFact, SenderDomain, SrsFact, TlsWish};
use postern_schema::name::{Domain, ForwardPath, ReversePath};
use postern_schema::site::Fingerprint;
use postern_schema::spf::SpfResult;
use recorded::Recorded;
use serde::Serialize;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The arguments of `explain`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// A site file, a snapshot, or a folder with `current`
    #[arg(value_name = "SITE|FILE.mdb")]
    subject: PathBuf,
    /// Show who may send to whom, with the line that allows it
    #[arg(long, conflicts_with_all = ["attempt", "client", "user", "certificate", "listener", "from", "to", "requiretls", "author", "helo", "facts"])]
    relay: bool,
    /// Show how a queued message was decided, by the snapshots that decided it: its queue id, of which `posternd` is asked; or a
    /// file with what `posternd queue show ID --json` says, or - for standard input
    #[arg(long, value_name = "QUEUE-ID|FILE", conflicts_with_all = ["client", "user", "certificate", "listener", "from", "to", "requiretls", "author", "helo", "facts"])]
    attempt: Option<String>,
    /// The state folder of the daemon that has the message; without it, where `posternd` looks itself
    #[arg(long, value_name = "DIR", requires = "attempt")]
    state: Option<PathBuf>,
    /// The client's address; else that of a stranger
    #[arg(long, value_name = "IP")]
    client: Option<IpAddr>,
    /// The name that the client has logged in by
    #[arg(long, value_name = "U")]
    user: Option<String>,
    /// The SHA-256 of the certificate that the client has shown to hold, or of its public key
    #[arg(long, value_name = "SHA-256", value_parser = fingerprint)]
    certificate: Option<Fingerprint>,
    /// The listener that the client came in by; else the first that fits
    #[arg(long, value_name = "NAME")]
    listener: Option<String>,
    /// The sender; empty or <> for the null path
    #[arg(long, value_name = "A", value_parser = reverse_path, required_unless_present_any = ["relay", "attempt", "dns"])]
    from: Option<ReversePath>,
    /// The recipient
    #[arg(long, value_name = "B", value_parser = forward_path, required_unless_present_any = ["relay", "attempt", "dns"])]
    to: Option<ForwardPath>,
    /// The sender asks for TLS on every hop (REQUIRETLS, RFC 8689)
    #[arg(long)]
    requiretls: bool,
    /// The domain in the From field; without it, that of the sender
    #[arg(long, value_name = "DOMAIN", value_parser = domain)]
    author: Option<Domain>,
    /// What the client says in EHLO
    #[arg(long, value_name = "H")]
    helo: Option<String>,
    /// What the daemon would have to find out: sender-domain=found, spf=pass, dmarc=fail-reject, or what DMARC follows from: dkim=fail
    /// and policy=reject; arc=vouched, srs=good, helo-domain=found, listed=none, listed=zen.spamhaus.org=127.0.0.2, greylist=passed, or how long
    /// ago it came first: waited=10m; reputation=good; good, for whatever else it asks; or what it has: tls=none; may be given several times
    #[arg(long = "fact", value_name = "NAME=VALUE", value_parser = fact)]
    facts: Vec<Fact>,
    /// Take the message and the answers of DNS from a file that `posternd trace ID --dns` wrote, or - for standard input, and judge
    /// SPF and DMARC by them; what else is given here holds instead
    #[arg(long, value_name = "FILE", conflicts_with_all = ["relay", "attempt"])]
    dns: Option<PathBuf>,
    /// For programs
    #[arg(long)]
    json: bool,
}

fn reverse_path(text: &str) -> Result<ReversePath, String> {
    ReversePath::parse(text).map_err(|error| error.to_string())
}

fn forward_path(text: &str) -> Result<ForwardPath, String> {
    ForwardPath::parse(text).map_err(|error| error.to_string())
}

fn fingerprint(text: &str) -> Result<Fingerprint, String> {
    Fingerprint::parse(text).ok_or_else(|| "a SHA-256 has 64 hexadecimal digits".to_owned())
}

fn domain(text: &str) -> Result<Domain, String> {
    Domain::parse(text).map_err(|error| error.to_string())
}

/// What DNS would say.
#[derive(Clone, Debug)]
enum Fact {
    SenderDomain(SenderDomain),
    Spf(SpfResult),
    Dmarc(DmarcFact),
    Dkim(bool),
    Policy(AuthorPolicy),
    Arc(ArcFact),
    Tls(bool),
    Helo(String),
    HeloDomain(SenderDomain),
    /// `None`: by no list.
    Listed(Option<Listing>),
    Greylist(GreylistFact),
    Waited(Duration),
    Reputation(ReputationFact),
    Srs(&'static str),
    /// Whatever else is asked speaks for the client.
    Good,
}

fn fact(text: &str) -> Result<Fact, String> {
    let one_of = |name: &str, known: &[&str]| format!("{name} is one of {}", known.join(", "));
    match text.split_once('=') {
        Some((name @ "sender-domain", value)) => SenderDomain::parse(value)
            .map(Fact::SenderDomain)
            .ok_or_else(|| one_of(name, &SenderDomain::ALL.map(SenderDomain::as_str))),
        Some((name @ "spf", value)) => {
            SpfResult::parse(value).map(Fact::Spf).ok_or_else(|| one_of(name, &SpfResult::ALL.map(SpfResult::as_str)))
        }
        Some((name @ "dmarc", value)) => {
            DmarcFact::parse(value).map(Fact::Dmarc).ok_or_else(|| one_of(name, &DmarcFact::ALL.map(DmarcFact::as_str)))
        }
        Some(("dkim", "pass")) => Ok(Fact::Dkim(true)),
        Some(("dkim", "fail")) => Ok(Fact::Dkim(false)),
        Some((name @ "dkim", _)) => Err(one_of(name, &["pass", "fail"])),
        Some((name @ "policy", value)) => AuthorPolicy::parse(value)
            .map(Fact::Policy)
            .ok_or_else(|| one_of(name, &AuthorPolicy::ALL.map(AuthorPolicy::as_str))),
        Some(("waited", value)) => match value::read(&ValueType::Duration, &Value::String(value.to_owned())) {
            Ok(Typed::Duration(waited)) => Ok(Fact::Waited(waited)),
            _ => Err("waited is a time, as in waited=10m".to_owned()),
        },
        Some((name @ "arc", value)) => {
            ArcFact::parse(value).map(Fact::Arc).ok_or_else(|| one_of(name, &ArcFact::ALL.map(ArcFact::as_str)))
        }
        Some((name @ "srs", value)) => {
            let known = SrsFact::WORDS.into_iter().find(|word| *word == value);
            known.map(Fact::Srs).ok_or_else(|| one_of(name, &SrsFact::WORDS))
        }
        None if text == "good" => Ok(Fact::Good),
        Some(("tls", "none")) => Ok(Fact::Tls(false)),
        Some(("tls", "encrypt")) => Ok(Fact::Tls(true)),
        Some((name @ "tls", _)) => Err(one_of(name, &["none", "encrypt"])),
        Some(("helo", value)) => Ok(Fact::Helo(value.to_owned())),
        Some((name @ "helo-domain", value)) => SenderDomain::parse(value)
            .map(Fact::HeloDomain)
            .ok_or_else(|| one_of(name, &SenderDomain::ALL.map(SenderDomain::as_str))),
        Some(("listed", "none")) => Ok(Fact::Listed(None)),
        Some(("listed", value)) => match Listing::parse(value) {
            Some(listing) => Ok(Fact::Listed(Some(listing))),
            None => Err("listed is none, or a zone, = and an answer: listed=zen.spamhaus.org=127.0.0.2".to_owned()),
        },
        Some((name @ "greylist", value)) => GreylistFact::parse(value)
            .map(Fact::Greylist)
            .ok_or_else(|| one_of(name, &words(GreylistFact::ALL, GreylistFact::as_str))),
        Some((name @ "reputation", value)) => ReputationFact::parse(value)
            .map(Fact::Reputation)
            .ok_or_else(|| one_of(name, &words(ReputationFact::ALL, ReputationFact::as_str))),
        _ => Err("the facts are tls, sender-domain, spf, dkim, policy, dmarc, arc, srs, helo, helo-domain, listed, greylist, waited and reputation; or good for all of them"
            .to_owned()),
    }
}

fn words<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().copied().map(word).collect()
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let shown = match (&arguments.attempt, &arguments.from, &arguments.to) {
        (Some(message), ..) => {
            let message = replay::Message::new(message, arguments.state.as_deref());
            replay::run(&arguments.subject, &message, arguments.json)?
        }
        _ if arguments.relay => {
            let (model, refused) = subject::open_refused(&arguments.subject)?;
            print(&relay::run(&model, arguments.json)?)?;
            return refused.map_or(Ok(Status::Fine), Err);
        }
        (None, from, to) => {
            let recorded = arguments.dns.as_deref().map(Recorded::read).transpose()?;
            let of_file = |name| recorded.as_ref().and_then(|recorded| recorded.fact(name));
            let from = from.clone().map_or_else(|| parsed(of_file("from"), "from", reverse_path), Ok)?;
            let to = to.clone().map_or_else(|| parsed(of_file("to"), "to", forward_path), Ok)?;
            message(arguments, from, to, recorded)?
        }
    };
    print(&shown).map(|()| Status::Fine)
}

/// A fact of the file that nobody gave on the command line.
fn parsed<T>(text: Option<&str>, name: &str, parse: fn(&str) -> Result<T, String>) -> Result<T, Failure> {
    let text = text.ok_or_else(|| Failure::usage(format!("the file does not say @{name}; give --{name}")))?;
    parse(text).map_err(|error| Failure::usage(format!("@{name} in the file: {error}")))
}

fn message(arguments: &Arguments, from: ReversePath, to: ForwardPath, recorded: Option<Recorded>) -> Result<String, Failure> {
    let mut question = Question {
        client: arguments.client,
        user: arguments.user.clone(),
        certificate: arguments.certificate,
        listener: arguments.listener.clone(),
        tls_wish: if arguments.requiretls { TlsWish::Required } else { TlsWish::Default },
        author: arguments.author.clone(),
        helo: arguments.helo.clone(),
        ..Question::new(from, to)
    };
    for fact in &arguments.facts {
        match fact {
            Fact::Tls(is_tls) => question.is_tls = *is_tls,
            Fact::Helo(helo) => question.helo = Some(helo.clone()),
            Fact::HeloDomain(found) => question.helo_domain = Some(*found),
            Fact::Listed(listing) => question.lists.get_or_insert_default().extend(listing.clone()),
            Fact::Greylist(fact) => question.greylist = Some(*fact),
            Fact::Reputation(fact) => question.reputation = Some(*fact),
            Fact::SenderDomain(found) => question.sender_domain = Some(*found),
            Fact::Spf(result) => question.spf = Some(*result),
            Fact::Dmarc(fact) => question.dmarc = Some(*fact),
            Fact::Dkim(holds) => question.dkim = Some(*holds),
            Fact::Policy(policy) => question.policy = Some(*policy),
            Fact::Waited(waited) => question.waited = Some(*waited),
            Fact::Arc(fact) => question.arc = Some(*fact),
            Fact::Srs(word) => question.srs = Some((*word).to_owned()),
            Fact::Good => {}
        }
    }
    if arguments.facts.iter().any(|fact| matches!(fact, Fact::Good)) {
        question = question.or_good();
    }
    // A snapshot answers from its file, as it does in the daemon.
    let lookup: Box<dyn Lookup> = if is_snapshot(&arguments.subject) {
        Box::new(subject::open_snapshot(&arguments.subject)?)
    } else {
        Box::new(subject::open(&arguments.subject)?)
    };
    let findings = recorded.map(|recorded| recorded.judge(&mut question, lookup.site())).transpose()?.unwrap_or_default();
    let explanation = explain(&question, &*lookup).map_err(|error| Failure::usage(error.to_string()))?;
    if arguments.json { json(&Shown { explanation, recorded: findings }) } else { Ok(text::describe(&explanation, &findings)) }
}

/// What programs read.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    explanation: Explanation,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    recorded: Vec<String>,
}

fn json(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::internal(error.to_string()))?;
    Ok(text + "\n")
}
