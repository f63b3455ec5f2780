//! Everything that is found out about a stranger's message: SPF, DKIM, ARC, DMARC and the client's name, for the decision and for
//! the Authentication-Results field.

use super::chain::Sealed;
use super::fetch::{self, fetch};
use super::intake::Whole;
use super::results::MethodResult;
use super::verify;
use crate::dns::Dns;
use postern_schema::decide::{AUTHOR_LIMIT, DmarcFact};
use postern_schema::dmarc;
use postern_schema::dns::{Answer, Question, Transcript};
use postern_schema::name::Domain;
use postern_schema::record::{Owner, RecordKind};
use postern_schema::spf::{self, SpfResult};
use std::net::IpAddr;
use tokio::time::Instant;

/// The most names of a client that are followed.
const NAME_LIMIT: usize = 3;

/// What was found.
#[derive(Debug)]
pub struct Judgement {
    /// For the header.
    pub results: Vec<MethodResult>,
    /// For the decision.
    pub dmarc: DmarcFact,
    /// The domains of signatures that passed.
    pub signed: Vec<Domain>,
    /// The links of an ARC chain that holds, the newest first.
    pub chain: Vec<Sealed>,
    /// What SPF came to.
    pub spf: spf::Finding,
    /// What DMARC came to for each author, as far as DNS said.
    pub authors: Vec<(Domain, dmarc::Finding)>,
}

/// Judges a whole message.
pub async fn judge(dns: &dyn Dns, spf_facts: &spf::Facts<'_>, whole: &Whole, transcript: &mut Transcript) -> Judgement {
    let deadline = fetch::deadline();
    let spf = fetch::spf(dns, spf_facts, transcript, deadline).await;
    let signatures = verify::signatures(dns, whole, transcript, deadline).await;
    let mut results = vec![client_name(dns, spf_facts.client, transcript, deadline).await];
    let property = if spf_facts.sender.is_empty() { "smtp.helo" } else { "smtp.mailfrom" };
    let identity = if spf_facts.sender.is_empty() { spf_facts.helo } else { spf_facts.sender };
    results.push(MethodResult {
        method: "spf",
        result: spf.result.as_str().into(),
        comment: spf.because.clone(),
        properties: vec![(property, identity.into())],
    });
    let is_unsigned = signatures.dkim.is_empty();
    results.extend(signatures.dkim);
    if is_unsigned {
        results.push(MethodResult { method: "dkim", result: "none".into(), comment: "".into(), properties: Vec::new() });
    }
    results.extend(signatures.arc);
    let vouched = (spf.result == SpfResult::Pass).then(|| Domain::parse(&spf.domain).ok()).flatten();
    let mut worst = DmarcFact::None;
    let mut authors = Vec::new();
    for author in whole.received.from_domains().iter().take(AUTHOR_LIMIT) {
        let facts = dmarc::Facts { author, spf: vouched.as_ref(), dkim: &signatures.passed };
        let found = fetch::dmarc(dns, &facts, transcript, deadline).await;
        authors.extend(found.iter().map(|finding| (author.clone(), finding.clone())));
        let (fact, comment) = match found {
            Err(why) => (DmarcFact::TempError, why.to_string()),
            Ok(finding) => match DmarcFact::of(&finding) {
                fact @ DmarcFact::Fail(policy) => (fact, format!("policy {}", policy.as_str())),
                fact => (fact, String::new()),
            },
        };
        let result = match fact {
            DmarcFact::Fail(_) => "fail",
            other => other.as_str(),
        };
        let properties = vec![("header.from", author.as_str().into())];
        results.push(MethodResult { method: "dmarc", result: result.into(), comment: comment.into(), properties });
        worst = worst.or_worse(fact);
    }
    Judgement { results, dmarc: worst, signed: signatures.passed, chain: signatures.chain, spf, authors }
}

/// Whether the client's address has a name that leads back to it (RFC 8601 2.7.3).
async fn client_name(dns: &dyn Dns, client: IpAddr, transcript: &mut Transcript, deadline: Instant) -> MethodResult {
    let reverse = Question::new(Owner::reverse(client).as_str(), RecordKind::Ptr);
    let kind = if client.to_canonical().is_ipv4() { RecordKind::A } else { RecordKind::Aaaa };
    let (mut result, mut comment) = ("permerror", String::from("no reverse name"));
    match fetch(dns, reverse, transcript, deadline).await {
        Answer::Failed(why) => (result, comment) = ("temperror", why.into()),
        Answer::Nothing | Answer::Nonexistent => {}
        Answer::Found(names) => {
            (result, comment) = ("fail", names.first().map(|name| name.to_string()).unwrap_or_default());
            for name in names.iter().take(NAME_LIMIT).filter(|name| Question::fits(name)) {
                let addresses = fetch(dns, Question::new(name, kind), transcript, deadline).await;
                if addresses.values().unwrap_or_default().iter().any(|text| text.parse() == Ok(client.to_canonical())) {
                    (result, comment) = ("pass", name.to_string());
                    break;
                }
            }
        }
    }
    let properties = vec![("policy.iprev", client.to_string().into())];
    MethodResult { method: "iprev", result: result.into(), comment: comment.into(), properties }
}
