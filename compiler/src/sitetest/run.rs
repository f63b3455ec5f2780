//! Running a `test` block, and saying why it failed.

use super::{ExpectDraft, TestDraft};
use crate::explain::{Explanation, HopExplained, Question, explain};
use crate::model::Model;
use crate::report::Diagnostic;
use crate::rules::TEST_FAILED;
use crate::source::{SourceId, Sources, Span};
use crate::standing::SpfStanding;
use postern_schema::decide::TlsWish;
use postern_schema::name::Mailbox;
use postern_schema::site::TlsLevel;
use std::collections::BTreeSet;

/// A `test` block that was run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SiteTest {
    /// What it promises.
    pub name: Box<str>,
    /// Where it stands.
    pub span: Span,
    /// Whether the promise holds.
    pub passed: bool,
    /// Why it does not: first what was expected and what was found, then the steps that led there. Empty where it holds.
    pub why: Vec<String>,
    /// What became of the envelope; `None` where it could not be asked.
    pub found: Option<Explanation>,
}

/// A promise that does not hold: where in the block it is made, and what was found.
struct Failure {
    place: Span,
    text: String,
}

/// Runs every test; a failed one is a finding too.
pub fn run(tests: &[TestDraft], model: &Model, sources: &Sources, findings: &mut Vec<Diagnostic>) -> Vec<SiteTest> {
    tests.iter().map(|test| run_one(test, model, sources, findings)).collect()
}

fn run_one(test: &TestDraft, model: &Model, sources: &Sources, findings: &mut Vec<Diagnostic>) -> SiteTest {
    let question = Question {
        client: test.client.as_ref().map(|client| client.value),
        user: test.user.as_ref().map(|user| user.value.to_string()),
        certificate: test.certificate,
        listener: test.listener.as_ref().map(|listener| listener.value.to_string()),
        is_tls: test.is_tls,
        from: test.from.value.clone(),
        to: test.to.value.clone(),
        tls_wish: if test.requiretls { TlsWish::Required } else { TlsWish::Default },
        sender_domain: test.sender_domain,
        spf: test.spf,
        dmarc: test.dmarc,
        dkim: test.dkim,
        policy: test.policy,
        arc: test.arc,
        author: test.author.clone(),
        helo: test.helo.as_ref().map(|helo| helo.to_string()),
        helo_domain: test.helo_domain,
        lists: test.lists.as_ref().map(|lists| lists.iter().map(|listing| listing.value.clone()).collect()),
        greylist: test.greylist,
        waited: test.waited,
        reputation: test.reputation,
        srs: test.srs.as_deref().map(str::to_owned),
    };
    let result = |why: Vec<String>, found| {
        let (name, span) = (test.name.value.clone(), test.name.span);
        SiteTest { name, span, passed: why.is_empty(), why, found }
    };
    let explanation = match explain(&question, model) {
        Ok(explanation) => explanation,
        Err(error) => {
            let place = test.listener.as_ref().or(test.user.as_ref()).map_or(test.name.span, |said| said.span);
            findings.push(TEST_FAILED.at(place, format!("The test {:?} cannot run: {error}", test.name.value)));
            return result(vec![error.to_string()], None);
        }
    };
    let Some(failure) = judge(&test.expect, &explanation) else { return result(Vec::new(), Some(explanation)) };
    let mut finding = TEST_FAILED
        .at(failure.place, format!("The test {:?} fails: {}", test.name.value, failure.text))
        .help("Mend the site, or the promise; `postern explain` shows every step");
    for (text, span) in causes(&explanation, sources) {
        finding = finding.also(span, text);
    }
    findings.push(finding);
    let mut why = vec![failure.text];
    why.extend(steps(&explanation));
    result(why, Some(explanation))
}

/// The first promise that does not hold.
fn judge(expect: &ExpectDraft, found: &Explanation) -> Option<Failure> {
    let outcome = &found.outcome;
    if outcome.disposition == "undecided" {
        let missing = found.facts.last().map_or("sender-domain", |fact| fact.name);
        let text = format!("it {}; {}", outcome.reason, how_to_say(missing));
        return Some(Failure { place: expect.disposition.span, text });
    }
    if outcome.disposition != &*expect.disposition.value {
        let text = format!("expected {}, found {} ({})", expect.disposition.value, outcome.disposition, outcome.reason);
        return Some(Failure { place: expect.disposition.span, text });
    }
    if let Some(reason) = &expect.reason
        && reason.value.as_str() != outcome.reason
    {
        let text = format!("expected the reason {}, found {}", reason.value, outcome.reason);
        return Some(Failure { place: reason.span, text });
    }
    if let Some(reply) = &expect.reply
        && !outcome.reply.starts_with(&*reply.value)
    {
        let text = format!("expected a reply that begins with {:?}, and the client reads: {}", reply.value, outcome.reply);
        return Some(Failure { place: reply.span, text });
    }
    if let Some(expected) = &expect.delivers_to
        && let Some(text) = wrong_end(found, &expected.value)
    {
        return Some(Failure { place: expected.span, text });
    }
    // A promise about the way is one about every address that the recipient stands for.
    if let Some(via) = &expect.via
        && let Some(text) = wrong_hop(found, &format!("via {}", via.value), |hop| hop.via.as_deref() == Some(&*via.value))
    {
        return Some(Failure { place: via.span, text });
    }
    if let Some(sender) = &expect.sender
        && let Some(text) = wrong_sender(found, &sender.value)
    {
        return Some(Failure { place: sender.span, text });
    }
    if let Some(tls) = &expect.tls {
        let enough = |hop: &HopExplained| hop.tls.and_then(TlsLevel::parse).is_some_and(|level| level >= tls.value);
        if let Some(text) = wrong_hop(found, &format!("tls {}", tls.value), enough) {
            return Some(Failure { place: tls.span, text });
        }
    }
    if let Some(signed_by) = &expect.signed_by
        && !found.signed_by.iter().any(|selector| **selector == *signed_by.value)
    {
        let signed =
            if found.signed_by.is_empty() { "nothing signs it".to_owned() } else { found.signed_by.join(", ") + " signs it" };
        return Some(Failure { place: signed_by.span, text: format!("expected signed-by {}, and {signed}", signed_by.value) });
    }
    let found_by_receiver = [("spf", &expect.spf), ("dmarc", &expect.dmarc)];
    found_by_receiver.into_iter().find_map(|(name, expected)| {
        let expected = expected.as_ref()?;
        let text = wrong_standing(found, name, &expected.value)?;
        Some(Failure { place: expected.span, text })
    })
}

/// Where a test says a fact that it left out.
fn how_to_say(fact: &str) -> &'static str {
    match fact {
        "spf" => "write that beside its `from`, as in spf=\"pass\"",
        "dmarc" => "write that beside its `from`, as in dmarc=\"pass\", or what it follows from: dkim=, spf= and policy=",
        "srs" => "write that beside its `to`, as in srs=\"good\"",
        "helo" => "write that beside its `client`, as in helo=\"mx.example.net\"",
        "helo-domain" => "write that beside its `client`, as in helo-domain=\"found\"",
        "listed" => "write `unlisted`, or for each list that knows it `listed \"zone\"`",
        "greylist" => {
            "write that beside its `client`, as in greylist=\"passed\", or how long ago it came first, as in waited=\"10m\""
        }
        "reputation" => "write that beside its `client`, as in reputation=\"good\"",
        _ => "write that beside its `from`, as in domain=\"found\"",
    }
}

/// What a receiver finds that is something else.
fn wrong_standing(found: &Explanation, name: &str, expected: &str) -> Option<String> {
    let standing = |hop: &HopExplained| if name == "spf" { hop.spf.map(SpfStanding::as_str) } else { hop.dmarc };
    if !found.hops.iter().any(|hop| standing(hop).is_some()) {
        return Some(format!("expected {name} {expected}, and no mail of ours leaves here"));
    }
    let hop = found.hops.iter().find(|hop| standing(hop).is_some_and(|word| word != expected))?;
    Some(format!("expected {name} {expected}, and the receiver of mail for {} finds {}", hop.recipient, standing(hop)?))
}

/// Where the mail ends beyond or short of what was expected.
fn wrong_end(found: &Explanation, expected: &[Mailbox]) -> Option<String> {
    let folded = |text: &str| Mailbox::parse(text).map_or_else(|_| text.to_owned(), |mailbox| mailbox.folded().to_string());
    let ends: BTreeSet<String> = found.hops.iter().map(|hop| folded(hop.mailbox.as_ref().unwrap_or(&hop.recipient))).collect();
    let expected: BTreeSet<String> = expected.iter().map(|mailbox| mailbox.folded().to_string()).collect();
    let missing = expected.difference(&ends).map(|end| format!("it does not reach {end}"));
    let surplus = ends.difference(&expected).map(|end| format!("it reaches {end}, which is not expected"));
    let wrong: Vec<String> = missing.chain(surplus).collect();
    if wrong.is_empty() { None } else { Some(wrong.join(", and ")) }
}

/// Mail that goes on with another sender, of what leaves or changes it; mail that stays here as it came is none.
fn wrong_sender(found: &Explanation, expected: &str) -> Option<String> {
    let sender = |hop: &HopExplained| hop.sender.clone().unwrap_or_else(|| found.sender.clone());
    let others: Vec<&HopExplained> = found.hops.iter().filter(|hop| hop.tls.is_some() || hop.sender.is_some()).collect();
    let all: Vec<&HopExplained> = if others.is_empty() { found.hops.iter().collect() } else { others };
    if all.is_empty() {
        return Some(format!("expected the sender {expected}, and the message goes nowhere"));
    }
    let hop = all.into_iter().find(|hop| !sender(hop).eq_ignore_ascii_case(expected))?;
    Some(format!("expected the sender {expected}, and mail for {} goes on as {:?}", hop.recipient, sender(hop)))
}

fn wrong_hop(found: &Explanation, wanted: &str, fits: impl Fn(&HopExplained) -> bool) -> Option<String> {
    if found.hops.is_empty() {
        return Some(format!("expected {wanted}, and the message goes nowhere"));
    }
    let hop = found.hops.iter().find(|hop| !fits(hop))?;
    let way = match (&hop.via, hop.tls) {
        (Some(via), Some(tls)) => format!("goes via {via} with tls {tls}"),
        (Some(via), None) => format!("goes via {via}"),
        (None, _) => format!("goes nowhere ({})", hop.outcome.reason),
    };
    Some(format!("expected {wanted}, and mail for {} {way}", hop.recipient))
}

/// How many lines of the site a failure points at.
const CAUSES: usize = 2;

/// The lines that decided: the last of the last stage, in the order in which they were read.
fn causes(found: &Explanation, sources: &Sources) -> Vec<(String, Span)> {
    let Some(stage) = found.stages.iter().rev().find(|stage| stage.outcome == found.outcome) else { return Vec::new() };
    let mut causes: Vec<(String, Span)> = Vec::new();
    for step in stage.steps.iter().rev() {
        let span = step.source.as_deref().and_then(|source| span_of(source, sources));
        if let Some(span) = span.filter(|span| causes.len() < CAUSES && causes.iter().all(|(_, other)| other != span)) {
            causes.push((step.text.clone(), span));
        }
    }
    causes.reverse();
    causes
}

/// The line that `site.kdl:12` names.
fn span_of(source: &str, sources: &Sources) -> Option<Span> {
    let (path, line) = source.rsplit_once(':')?;
    let (id, source) = sources.iter().find(|(_, source)| &*source.path == path)?;
    line_span(id, &source.text, line.parse().ok()?)
}

/// The text of a line, without the blanks around it.
fn line_span(source: SourceId, text: &str, line: usize) -> Option<Span> {
    let line = text.split('\n').nth(line.checked_sub(1)?)?;
    let trimmed = line.trim();
    let start = trimmed.as_ptr() as usize - text.as_ptr() as usize;
    Some(Span { source, start: u32::try_from(start).ok()?, length: u32::try_from(trimmed.len()).ok()? })
}

fn steps(found: &Explanation) -> Vec<String> {
    let stages = found.stages.iter().map(|stage| (stage.name.to_owned(), &stage.steps));
    let hops = found.hops.iter().map(|hop| (hop.recipient.clone(), &hop.steps));
    let lines = stages.chain(hops).flat_map(|(name, steps)| {
        steps.iter().map(move |step| match &step.source {
            Some(source) => format!("{name}: {}  ({source})", step.text),
            None => format!("{name}: {}", step.text),
        })
    });
    lines.collect()
}
