//! Asks the world what a pure evaluation wants to know, one question after the other, and keeps what it said.

use crate::dns::Dns;
use postern_schema::decide::{self, SenderDomain};
use postern_schema::dns::{Answer, Question, Transcript};
use postern_schema::name::Domain;
use postern_schema::{dmarc, spf};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The longest that all questions about one message may take (RFC 7208 4.6.4: at least 20 s for SPF). What is not known by then
/// has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// When questions that begin now are over.
pub fn deadline() -> Instant {
    Instant::now() + PATIENCE
}

/// The answer to one question, from the transcript if it is there.
pub async fn fetch(dns: &dyn Dns, question: Question, transcript: &mut Transcript, deadline: Instant) -> Answer {
    if let Ok(known) = transcript.answer(question.clone()) {
        return known.clone();
    }
    let answer = match timeout_at(deadline, dns.ask(&question)).await {
        Ok(answer) => answer,
        Err(_) => Answer::Failed("no answer in time".into()),
    };
    transcript.note(question, answer.clone());
    answer
}

/// Whether a bounce to the domain could be delivered.
pub async fn sender_domain(dns: &dyn Dns, domain: &Domain, transcript: &mut Transcript, deadline: Instant) -> SenderDomain {
    loop {
        match decide::sender_domain(domain, transcript) {
            Ok(found) => return found,
            Err(question) => drop(fetch(dns, question, transcript, deadline).await),
        }
    }
}

/// SPF (RFC 7208).
pub async fn spf(dns: &dyn Dns, facts: &spf::Facts<'_>, transcript: &mut Transcript, deadline: Instant) -> spf::Finding {
    loop {
        match spf::check(facts, transcript) {
            Ok(finding) => return finding,
            Err(question) => drop(fetch(dns, question, transcript, deadline).await),
        }
    }
}

/// DMARC (RFC 9989).
///
/// # Errors
/// What DNS failed to say.
pub async fn dmarc(
    dns: &dyn Dns, facts: &dmarc::Facts<'_>, transcript: &mut Transcript, deadline: Instant,
) -> Result<dmarc::Finding, Box<str>> {
    loop {
        match dmarc::check(facts, transcript) {
            Ok(finding) => return Ok(finding),
            Err(dmarc::Stop::Failed(why)) => return Err(why),
            Err(dmarc::Stop::Need(question)) => drop(fetch(dns, question, transcript, deadline).await),
        }
    }
}
