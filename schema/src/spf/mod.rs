//! SPF as a receiver evaluates it (RFC 7208): whether an address may send in a domain's name. Pure: [`check`] reads a
//! [`Transcript`] of DNS and either has a result or says which question comes next. The runtime asks the world, the compiler its
//! one resolver or a file, the tests a zone.
//!
//! All limits of RFC 7208 4.6.4 hold: ten terms that ask, two that find nothing, ten hosts of one `mx` or `ptr`. The limit of
//! time is for whoever asks.

mod macros;
mod record;

pub use record::is_spf;

use crate::dns::{Answer, Question, Transcript};
use crate::record::{Owner, RecordKind};
use macros::Expansion;
use record::{Mechanism, Qualifier, Record, Target, Term};
use std::fmt;
use std::net::IpAddr;

/// Terms that ask DNS, and the most of them (RFC 7208 4.6.4).
pub const LOOKUP_LIMIT: usize = 10;
/// Answers that hold nothing, and the most of them (RFC 7208 4.6.4).
const VOID_LIMIT: usize = 2;
/// Hosts of one `mx` or `ptr` term that are looked at (RFC 7208 4.6.4).
const HOST_LIMIT: usize = 10;

/// Who sends, and who asks.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The address of the client.
    pub client: IpAddr,
    /// What it called itself.
    pub helo: &'a str,
    /// The reverse-path without brackets; empty for the null path, for which the HELO name stands in (RFC 7208 2.4).
    pub sender: &'a str,
    /// Our name, for explanations.
    pub receiver: &'a str,
    /// Seconds since the epoch, for explanations.
    pub now: u64,
}

/// The result (RFC 7208 2.6).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum SpfResult {
    /// There is no record, or no domain that could have one.
    None,
    /// The domain says nothing about the address.
    Neutral,
    /// The address may send.
    Pass,
    /// It may not.
    Fail,
    /// It probably may not.
    SoftFail,
    /// DNS failed.
    TempError,
    /// The record is wrong.
    PermError,
}

impl SpfResult {
    /// Every result.
    pub const ALL: [SpfResult; 7] = [
        SpfResult::None,
        SpfResult::Neutral,
        SpfResult::Pass,
        SpfResult::Fail,
        SpfResult::SoftFail,
        SpfResult::TempError,
        SpfResult::PermError,
    ];

    /// The word of RFC 8601 2.7.2.
    pub fn as_str(self) -> &'static str {
        match self {
            SpfResult::None => "none",
            SpfResult::Neutral => "neutral",
            SpfResult::Pass => "pass",
            SpfResult::Fail => "fail",
            SpfResult::SoftFail => "softfail",
            SpfResult::TempError => "temperror",
            SpfResult::PermError => "permerror",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<SpfResult> {
        SpfResult::ALL.into_iter().find(|result| result.as_str() == word)
    }
}

impl fmt::Display for SpfResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What came out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The result.
    pub result: SpfResult,
    /// The domain that was asked about.
    pub domain: Box<str>,
    /// What decided: a term, or what is wrong.
    pub because: Box<str>,
    /// What the domain says to whoever fails (RFC 7208 6.2); `None`: nothing of its own.
    pub explanation: Option<Box<str>>,
    /// Terms that asked DNS.
    pub lookups: usize,
}

/// Why an evaluation ends at once.
enum Stop {
    /// This must be asked first.
    Need(Question),
    /// A result that no later term can change.
    With(SpfResult, String),
}

impl From<Question> for Stop {
    fn from(question: Question) -> Stop {
        Stop::Need(question)
    }
}

fn wrong(why: String) -> Stop {
    Stop::With(SpfResult::PermError, why)
}

/// Evaluates the domain of the reverse-path, or for the null path that of HELO.
///
/// # Errors
/// The question that DNS must answer next; put it, note the answer in the transcript, and call again.
pub fn check(facts: &Facts<'_>, answers: &Transcript) -> Result<Finding, Question> {
    let (local, domain) = match facts.sender.rsplit_once('@') {
        Some((local, domain)) => (local, domain),
        None => ("", facts.helo),
    };
    let local = if local.is_empty() { "postmaster" } else { local };
    let mut evaluation = Evaluation {
        facts: Facts { client: facts.client.to_canonical(), ..*facts },
        local,
        origin: domain,
        answers,
        lookups: 0,
        voids: 0,
    };
    let domain_text: Box<str> = domain.to_ascii_lowercase().into();
    let mut finding = Finding { result: SpfResult::None, domain: domain_text, because: "".into(), explanation: None, lookups: 0 };
    match evaluation.check_host(domain) {
        Ok(judgement) => {
            finding.result = judgement.result;
            finding.because = judgement.because.into();
            if judgement.result == SpfResult::Fail
                && let Some((record_domain, spec)) = judgement.explanation
            {
                finding.explanation = evaluation.explain(&spec, &record_domain)?;
            }
        }
        Err(Stop::With(result, because)) => (finding.result, finding.because) = (result, because.into()),
        Err(Stop::Need(question)) => return Err(question),
    }
    finding.lookups = evaluation.lookups;
    Ok(finding)
}

struct Judgement {
    result: SpfResult,
    because: String,
    /// The domain whose record has an `exp=`, and what it says.
    explanation: Option<(String, macros::MacroString)>,
}

struct Evaluation<'a> {
    facts: Facts<'a>,
    local: &'a str,
    /// The domain of the sender, as it was given.
    origin: &'a str,
    answers: &'a Transcript,
    lookups: usize,
    voids: usize,
}

impl Evaluation<'_> {
    /// RFC 7208 4.3 to 4.7.
    fn check_host(&mut self, domain: &str) -> Result<Judgement, Stop> {
        let none = |because: String| Ok(Judgement { result: SpfResult::None, because, explanation: None });
        // RFC 7208 4.3: a name of one label, or one that DNS cannot hold, has no record.
        if !Question::fits(domain) || !domain.trim_end_matches('.').contains('.') || domain.contains(['[', ']']) {
            return none(format!("{domain:?} is no domain that could have a record"));
        }
        let texts = match self.answers.answer(Question::new(domain, RecordKind::Txt))?.values() {
            Ok(texts) => texts,
            Err(why) => return Err(Stop::With(SpfResult::TempError, format!("TXT of {domain}: {why}"))),
        };
        let mut records = texts.iter().filter(|text| is_spf(text));
        let Some(text) = records.next() else { return none(format!("{domain} has no SPF record")) };
        if records.next().is_some() {
            return Err(wrong(format!("{domain} has two SPF records")));
        }
        let record = Record::parse(text).map_err(|term| wrong(format!("{domain} says {term:?}, which is no term")))?;
        for Term { qualifier, mechanism, text } in &record.terms {
            if self.matches(mechanism, domain)? {
                let result = match qualifier {
                    Qualifier::Pass => SpfResult::Pass,
                    Qualifier::Fail => SpfResult::Fail,
                    Qualifier::SoftFail => SpfResult::SoftFail,
                    Qualifier::Neutral => SpfResult::Neutral,
                };
                let explanation = record.explanation.map(|spec| (domain.to_owned(), spec));
                return Ok(Judgement { result, because: format!("{text} of {domain}"), explanation });
            }
        }
        let Some(spec) = &record.redirect else {
            let because = format!("no term of {domain} matches");
            return Ok(Judgement { result: SpfResult::Neutral, because, explanation: None });
        };
        self.count()?;
        let target = self.expand(spec, domain)?;
        let judgement = self.check_host(&target)?;
        if judgement.result == SpfResult::None {
            return Err(wrong(format!("{target}, which {domain} redirects to, has no SPF record")));
        }
        Ok(judgement)
    }

    fn matches(&mut self, mechanism: &Mechanism, domain: &str) -> Result<bool, Stop> {
        match mechanism {
            Mechanism::All => Ok(true),
            Mechanism::Ip(network) => Ok(network.contains(&self.facts.client)),
            Mechanism::Include(spec) => {
                self.count()?;
                let target = self.expand(spec, domain)?;
                match self.check_host(&target)?.result {
                    SpfResult::Pass => Ok(true),
                    SpfResult::None => Err(wrong(format!("{target}, which {domain} includes, has no SPF record"))),
                    _ => Ok(false),
                }
            }
            Mechanism::A(target) => {
                self.count()?;
                let name = self.target(target, domain)?;
                self.has_address(&name, target)
            }
            Mechanism::Mx(target) => {
                self.count()?;
                let name = self.target(target, domain)?;
                let hosts = self.ask(&name, RecordKind::Mx)?;
                if hosts.len() > HOST_LIMIT {
                    return Err(wrong(format!("{name} has more than {HOST_LIMIT} MX hosts")));
                }
                for host in hosts.iter().filter_map(|value| value.split_once(' ')).map(|(_, host)| host) {
                    if self.has_address(host, target)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Mechanism::Exists(spec) => {
                self.count()?;
                let name = self.expand(spec, domain)?;
                // RFC 7208 5.7: an A record, whatever family the client is of.
                Ok(!self.ask(&name, RecordKind::A)?.is_empty())
            }
            Mechanism::Ptr(spec) => {
                self.count()?;
                let wanted = match spec {
                    Some(spec) => self.expand(spec, domain)?,
                    None => domain.to_owned(),
                };
                Ok(self.validated_names()?.iter().any(|name| is_within(name, &wanted)))
            }
        }
    }

    fn count(&mut self) -> Result<(), Stop> {
        self.lookups += 1;
        if self.lookups > LOOKUP_LIMIT {
            return Err(wrong(format!("more than {LOOKUP_LIMIT} terms that ask DNS")));
        }
        Ok(())
    }

    fn target(&mut self, target: &Target, domain: &str) -> Result<String, Stop> {
        match &target.domain {
            Some(spec) => self.expand(spec, domain),
            None => Ok(domain.to_owned()),
        }
    }

    fn has_address(&mut self, host: &str, target: &Target) -> Result<bool, Stop> {
        let client = self.facts.client;
        let addresses = self.ask(host, self.address_kind())?;
        Ok(addresses.iter().filter_map(|text| text.parse().ok()).any(|address| target.covers(client, address)))
    }

    fn address_kind(&self) -> RecordKind {
        if self.facts.client.is_ipv4() { RecordKind::A } else { RecordKind::Aaaa }
    }

    /// The values that a term asks for. A name that cannot be asked for does not exist, and nobody was bothered.
    fn ask(&mut self, name: &str, kind: RecordKind) -> Result<Vec<Box<str>>, Stop> {
        if !Question::fits(name) {
            return Ok(Vec::new());
        }
        match self.answers.answer(Question::new(name, kind))? {
            Answer::Found(values) => Ok(values.clone()),
            Answer::Nothing | Answer::Nonexistent => {
                self.voids += 1;
                if self.voids > VOID_LIMIT {
                    return Err(wrong(format!("more than {VOID_LIMIT} lookups that find nothing")));
                }
                Ok(Vec::new())
            }
            Answer::Failed(why) => Err(Stop::With(SpfResult::TempError, format!("{kind} of {name}: {why}"))),
        }
    }

    /// The names of the client that lead back to it (RFC 7208 5.5). What DNS does not say is no name.
    fn validated_names(&mut self) -> Result<Vec<String>, Stop> {
        let reverse = Owner::reverse(self.facts.client);
        let hosts = match self.answers.answer(Question::new(reverse.as_str(), RecordKind::Ptr))? {
            Answer::Found(hosts) => hosts,
            Answer::Nothing | Answer::Nonexistent | Answer::Failed(_) => return Ok(Vec::new()),
        };
        let mut names = Vec::new();
        for host in hosts.iter().take(HOST_LIMIT).filter(|host| Question::fits(host)) {
            let addresses = self.answers.answer(Question::new(host, self.address_kind()))?;
            let client = self.facts.client;
            if addresses.values().unwrap_or_default().iter().any(|address| address.parse() == Ok(client)) {
                names.push(host.to_string());
            }
        }
        Ok(names)
    }

    /// Macros of a domain-spec (RFC 7208 7). A result that is too long loses labels on the left.
    fn expand(&mut self, spec: &macros::MacroString, domain: &str) -> Result<String, Stop> {
        let validated = if spec.uses_validated_name() { self.validated_name(domain)? } else { String::new() };
        let expanded = spec.expand(&self.expansion(domain, &validated));
        let mut name = expanded.as_str();
        while name.len() > crate::name::DOMAIN_MAX_OCTETS {
            name = name.split_once('.').map_or("", |(_, rest)| rest);
        }
        Ok(name.to_owned())
    }

    fn expansion<'b>(&'b self, domain: &'b str, validated: &'b str) -> Expansion<'b> {
        Expansion { facts: &self.facts, local: self.local, origin: self.origin, domain, validated }
    }

    /// `%{p}`: the domain itself if that is a validated name, else one below it, else any (RFC 7208 7.3).
    fn validated_name(&mut self, domain: &str) -> Result<String, Stop> {
        let names = self.validated_names()?;
        let same = names.iter().find(|name| name.eq_ignore_ascii_case(domain));
        let found = same.or_else(|| names.iter().find(|name| is_within(name, domain))).or(names.first());
        Ok(found.cloned().unwrap_or_else(|| "unknown".to_owned()))
    }

    /// RFC 7208 6.2: whatever goes wrong here, there is no explanation, and the result stands.
    fn explain(&mut self, spec: &macros::MacroString, domain: &str) -> Result<Option<Box<str>>, Question> {
        let name = match self.expand(spec, domain) {
            Ok(name) if Question::fits(&name) => name,
            Err(Stop::Need(question)) => return Err(question),
            _ => return Ok(None),
        };
        let Answer::Found(texts) = self.answers.answer(Question::new(&name, RecordKind::Txt))? else { return Ok(None) };
        let [text] = texts.as_slice() else { return Ok(None) };
        let Some(text) = macros::MacroString::parse_explanation(text) else { return Ok(None) };
        let validated = match text.uses_validated_name().then(|| self.validated_name(domain)).transpose() {
            Ok(name) => name.unwrap_or_default(),
            Err(Stop::Need(question)) => return Err(question),
            Err(Stop::With(..)) => return Ok(None),
        };
        Ok(Some(text.expand(&self.expansion(domain, &validated)).into()))
    }
}

fn is_within(name: &str, domain: &str) -> bool {
    let (name, domain) = (name.trim_end_matches('.').to_ascii_lowercase(), domain.trim_end_matches('.').to_ascii_lowercase());
    name.strip_suffix(&*domain).is_some_and(|head| head.is_empty() || head.ends_with('.'))
}
