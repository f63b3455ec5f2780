//! `postern explain`: what becomes of one message, by the daemon's own decisions, with the line behind each step.

use super::subject::{self, is_snapshot};
use super::{Failure, Status, print};
use crate::explain::{Explanation, Outcome, Question, StepExplained, explain};
use clap::Args;
use postern_schema::decide::{DmarcFact, Lookup, SenderDomain};
use postern_schema::name::{Domain, ForwardPath, ReversePath};
use postern_schema::snapshot::Snapshot;
use postern_schema::spf::SpfResult;
use std::fmt::Write;
use std::net::IpAddr;
use std::path::PathBuf;

/// The arguments of `explain`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// A site file, a snapshot, or a folder with `current`
    #[arg(value_name = "SITE|FILE.mdb")]
    subject: PathBuf,
    /// The client's address
    #[arg(long, value_name = "IP")]
    client: IpAddr,
    /// The name that the client has logged in by
    #[arg(long, value_name = "U")]
    user: Option<String>,
    /// The listener that the client came in by; else the first that fits
    #[arg(long, value_name = "NAME")]
    listener: Option<String>,
    /// The sender; empty or <> for the null path
    #[arg(long, value_name = "A", value_parser = reverse_path)]
    from: ReversePath,
    /// The recipient
    #[arg(long, value_name = "B", value_parser = forward_path)]
    to: ForwardPath,
    /// The domain in the From field; without it, that of the sender
    #[arg(long, value_name = "DOMAIN", value_parser = domain)]
    author: Option<Domain>,
    /// What the daemon would have to find out: sender-domain=found, spf=pass, dmarc=fail-reject; may be given several times
    #[arg(long = "fact", value_name = "NAME=VALUE", value_parser = fact)]
    facts: Vec<Fact>,
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

fn domain(text: &str) -> Result<Domain, String> {
    Domain::parse(text).map_err(|error| error.to_string())
}

/// What DNS would say.
#[derive(Clone, Copy, Debug)]
enum Fact {
    SenderDomain(SenderDomain),
    Spf(SpfResult),
    Dmarc(DmarcFact),
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
        _ => Err("the facts are sender-domain, spf and dmarc".to_owned()),
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let mut question = Question {
        client: Some(arguments.client),
        user: arguments.user.clone(),
        listener: arguments.listener.clone(),
        from: arguments.from.clone(),
        to: arguments.to.clone(),
        sender_domain: None,
        spf: None,
        dmarc: None,
        author: arguments.author.clone(),
    };
    for fact in &arguments.facts {
        match fact {
            Fact::SenderDomain(found) => question.sender_domain = Some(*found),
            Fact::Spf(result) => question.spf = Some(*result),
            Fact::Dmarc(fact) => question.dmarc = Some(*fact),
        }
    }
    // A snapshot answers from its file, as it does in the daemon.
    let lookup: Box<dyn Lookup> = if is_snapshot(&arguments.subject) {
        Box::new(Snapshot::open(&arguments.subject)?)
    } else {
        Box::new(subject::open(&arguments.subject)?)
    };
    let explanation = explain(&question, &*lookup).map_err(|error| Failure::usage(error.to_string()))?;
    let text = if arguments.json {
        let text = serde_json::to_string_pretty(&explanation).map_err(|error| Failure::internal(error.to_string()))?;
        text + "\n"
    } else {
        describe(&explanation)
    };
    print(&text).map(|()| Status::Fine)
}

fn describe(explanation: &Explanation) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let who = explanation.user.as_deref().map(|user| format!(", logged in as {user}")).unwrap_or_default();
    let _ = writeln!(text, "client {}{who}, listener {}", explanation.client, explanation.listener);
    for stage in &explanation.stages {
        let path = match stage.name {
            "MAIL" => format!("FROM:<{}>", explanation.from),
            "RCPT" => format!("TO:<{}>", explanation.to),
            _ => "(the whole message)".to_owned(),
        };
        describe_decision(&mut text, &format!("{} {path}", stage.name), &stage.outcome, &stage.steps);
        if !stage.outcome.reply.is_empty() {
            let _ = writeln!(text, "  the client reads: {}", stage.outcome.reply);
        }
    }
    if !explanation.signed_by.is_empty() {
        let _ = writeln!(text, "  signed by {}", explanation.signed_by.join(", "));
    }
    for hop in &explanation.hops {
        let destination = hop.destination.as_deref().unwrap_or("nowhere");
        let tls = hop.tls.map(|level| format!(", tls {level}")).unwrap_or_default();
        describe_decision(&mut text, &format!("delivery to {}: {destination}{tls}", hop.recipient), &hop.outcome, &hop.steps);
    }
    let outcome = &explanation.outcome;
    let _ = writeln!(text, "\n{}: {}", outcome.disposition, outcome.reason);
    if outcome.disposition == "undecided" {
        text.push_str("say what the daemon would find: --fact sender-domain=found, --fact spf=pass, --fact dmarc=pass\n");
    }
    text
}

fn describe_decision(text: &mut String, what: &str, outcome: &Outcome, steps: &[StepExplained]) {
    let _ = writeln!(text, "\n{what}");
    for step in steps {
        match &step.source {
            Some(source) => {
                let _ = writeln!(text, "    {}  ({source})", step.text);
            }
            None => {
                let _ = writeln!(text, "    {}", step.text);
            }
        }
    }
    let _ = writeln!(text, "  {} ({})", outcome.disposition, outcome.reason);
}
