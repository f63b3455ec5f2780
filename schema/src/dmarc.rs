//! DMARC as a receiver evaluates it (RFC 9989): what the author's domain asks for, and whether somebody vouches for it. Pure, like
//! [`crate::spf`]: it reads a [`Transcript`] and says which question comes next.
//!
//! The organizational domain is found by the tree walk of RFC 9989 4.10, without a list of public suffixes.

pub mod destination;

use crate::dns::{Answer, Question, Transcript};
use crate::name::Domain;
use crate::record::{Dmarc, DmarcPolicy, RecordKind};

/// The most names that a tree walk asks for (RFC 9989 4.10).
const WALK_LIMIT: usize = 8;

/// What a domain that only tests asks for (RFC 9989 4.7).
fn milder(policy: DmarcPolicy) -> DmarcPolicy {
    match policy {
        DmarcPolicy::Reject => DmarcPolicy::Quarantine,
        DmarcPolicy::Quarantine | DmarcPolicy::None => DmarcPolicy::None,
    }
}

/// Reads a policy, in any case (RFC 9989 4.8).
fn policy(word: &str) -> Option<DmarcPolicy> {
    DmarcPolicy::parse(&word.to_ascii_lowercase())
}

/// Whether a domain is, or is not, one under which others register names (RFC 9989 4.7).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum PublicSuffix {
    Yes,
    No,
    #[default]
    Unsaid,
}

/// A record as it is published.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// `p`.
    pub policy: DmarcPolicy,
    /// `sp`.
    pub subdomains: Option<DmarcPolicy>,
    /// `np`.
    pub nonexistent: Option<DmarcPolicy>,
    /// `adkim=s`.
    pub strict_dkim: bool,
    /// `aspf=s`.
    pub strict_spf: bool,
    public_suffix: PublicSuffix,
    /// `t=y`.
    pub testing: bool,
    /// Where aggregate reports go (RFC 9990).
    pub reports: Vec<Box<str>>,
    /// Where failure reports go (RFC 9991).
    pub failures: Vec<Box<str>>,
    /// `fo`: of which failures.
    pub failure_options: Box<str>,
    /// The text.
    pub text: Box<str>,
}

impl Record {
    /// Reads a text; `None` where it is no DMARC record, or one to be passed over (RFC 9989 4.8, 4.7).
    pub fn parse(text: &str) -> Option<Record> {
        let mut tags = text.split(';').map(|tag| tag.split_once('=').map(|(name, value)| (name.trim(), value.trim())));
        // RFC 9989 4.8: the version comes first, in exactly this case.
        if !Dmarc::is_one(text) || tags.next()? != Some(("v", "DMARC1")) {
            return None;
        }
        let mut said = None;
        let mut record = Record {
            policy: DmarcPolicy::None,
            subdomains: None,
            nonexistent: None,
            strict_dkim: false,
            strict_spf: false,
            public_suffix: PublicSuffix::Unsaid,
            testing: false,
            reports: Vec::new(),
            failures: Vec::new(),
            failure_options: "0".into(),
            text: text.into(),
        };
        for (name, value) in tags.flatten() {
            match name.to_ascii_lowercase().as_str() {
                "p" => said = said.or(Some(policy(value))),
                "sp" => record.subdomains = policy(value),
                "np" => record.nonexistent = policy(value),
                "adkim" => record.strict_dkim = value.eq_ignore_ascii_case("s"),
                "aspf" => record.strict_spf = value.eq_ignore_ascii_case("s"),
                "psd" => {
                    record.public_suffix = match value.to_ascii_lowercase().as_str() {
                        "y" => PublicSuffix::Yes,
                        "n" => PublicSuffix::No,
                        _ => PublicSuffix::Unsaid,
                    }
                }
                "t" => record.testing = value.eq_ignore_ascii_case("y"),
                "ruf" => record.failures = value.split(',').map(|place| place.trim().into()).collect(),
                "fo" => record.failure_options = value.into(),
                "rua" => record.reports = value.split(',').map(|place| place.trim().into()).collect(),
                // RFC 9989 4.8: what is not known is passed over; `pct`, `rf` and `ri` are not known any more.
                _ => {}
            }
        }
        // RFC 9989 4.7: without a policy that can be read, the record is one that asks for reports only, or none.
        match said.flatten() {
            Some(policy) => record.policy = policy,
            None if record.reports.is_empty() => return None,
            None => {}
        }
        Some(record)
    }
}

/// What is known of a message.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The domain in From.
    pub author: &'a Domain,
    /// The domain for which SPF passed.
    pub spf: Option<&'a Domain>,
    /// The domains of signatures that passed.
    pub dkim: &'a [Domain],
}

/// What came out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The record that holds; `None`: there is none, and nothing is asked for.
    pub record: Option<(Domain, Record)>,
    /// What the record asks for a message that fails.
    pub policy: DmarcPolicy,
    /// SPF vouches for the author's domain.
    pub spf_aligned: bool,
    /// A signature does.
    pub dkim_aligned: bool,
}

impl Finding {
    /// Whether somebody vouches.
    pub fn passes(&self) -> bool {
        self.spf_aligned || self.dkim_aligned
    }
}

/// Why there is no finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stop {
    /// DNS must answer this first.
    Need(Question),
    /// DNS failed; what, for the log.
    Failed(Box<str>),
}

impl From<Question> for Stop {
    fn from(question: Question) -> Stop {
        Stop::Need(question)
    }
}

/// Evaluates one author.
///
/// # Errors
/// [`Stop`].
pub fn check(facts: &Facts<'_>, answers: &Transcript) -> Result<Finding, Stop> {
    let author = facts.author;
    let walk = walk(author, answers)?;
    let organization = organization_of(author, &walk);
    // RFC 9989 4.10.1: the author's own record, else that of its organization, else that of the public suffix above it.
    let at = |wanted: &Domain| walk.iter().find(|(domain, _)| domain == wanted);
    let suffix = || walk.iter().rev().find(|(_, record)| record.public_suffix == PublicSuffix::Yes);
    let Some((domain, record)) = at(author).or_else(|| at(&organization)).or_else(suffix).cloned() else {
        return Ok(Finding { record: None, policy: DmarcPolicy::None, spf_aligned: false, dkim_aligned: false });
    };
    let mut policy = record.policy;
    if domain != *author {
        policy = record.subdomains.unwrap_or(policy);
        if let Some(nonexistent) = record.nonexistent
            && nonexistent != policy
            && !exists(author, answers)?
        {
            policy = nonexistent;
        }
    }
    if record.testing {
        policy = milder(policy);
    }
    let aligned = |other: &Domain, strict: bool| -> Result<bool, Stop> {
        if other == author {
            return Ok(true);
        }
        // What has no ancestor in common has none at all to ask for.
        if strict || !shares_parent(author, other) {
            return Ok(false);
        }
        Ok(organization_of(other, &self::walk(other, answers)?) == organization)
    };
    // A signature first: it is the stronger of the two, and one that passes saves the questions for the other.
    let mut dkim_aligned = false;
    for other in facts.dkim {
        dkim_aligned = dkim_aligned || aligned(other, record.strict_dkim)?;
    }
    let spf_aligned = facts.spf.map_or(Ok(false), |other| aligned(other, record.strict_spf))?;
    Ok(Finding { record: Some((domain, record)), policy, spf_aligned, dkim_aligned })
}

/// Whether two domains are of one organization (RFC 9989 4.10.2).
///
/// # Errors
/// [`Stop`].
pub fn same_organization(one: &Domain, other: &Domain, answers: &Transcript) -> Result<bool, Stop> {
    if one == other {
        return Ok(true);
    }
    if !shares_parent(one, other) {
        return Ok(false);
    }
    Ok(organization_of(one, &walk(one, answers)?) == organization_of(other, &walk(other, answers)?))
}

/// The records from the domain upward, those that there are (RFC 9989 4.10).
fn walk(start: &Domain, answers: &Transcript) -> Result<Vec<(Domain, Record)>, Stop> {
    let mut found = Vec::new();
    let mut next = Some(start.clone());
    for _ in 0..WALK_LIMIT {
        let Some(domain) = next else { break };
        let question = Question::new(&format!("_dmarc.{domain}"), RecordKind::Txt);
        let texts = match answers.answer(question)? {
            Answer::Failed(why) => return Err(Stop::Failed(format!("TXT of _dmarc.{domain}: {why}").into())),
            answer => answer.values().unwrap_or_default(),
        };
        let mut records = texts.iter().filter_map(|text| Record::parse(text));
        // RFC 9989 4.10: of several records at one name, none counts.
        if let (Some(record), None) = (records.next(), records.next()) {
            let is_end = record.public_suffix != PublicSuffix::Unsaid;
            found.push((domain.clone(), record));
            if is_end {
                break;
            }
        }
        next = above(&domain);
    }
    Ok(found)
}

/// One label less; of a name of eight labels or more, the last seven.
fn above(domain: &Domain) -> Option<Domain> {
    let mut above = domain.parent()?;
    while above.as_str().split('.').count() >= WALK_LIMIT {
        above = above.parent()?;
    }
    Some(above)
}

/// RFC 9989 4.10.2.
fn organization_of(start: &Domain, walk: &[(Domain, Record)]) -> Domain {
    match walk.last() {
        // One label below a public suffix.
        Some((suffix, record)) if record.public_suffix == PublicSuffix::Yes && suffix != start => {
            let mut below = start.clone();
            while let Some(parent) = below.parent().filter(|parent| parent != suffix) {
                below = parent;
            }
            below
        }
        Some((domain, _)) => domain.clone(),
        None => start.clone(),
    }
}

fn shares_parent(a: &Domain, b: &Domain) -> bool {
    let top = |domain: &Domain| domain.as_str().rsplit('.').next().map(str::to_owned);
    top(a) == top(b)
}

/// RFC 9989 3.2.9: a name for which DNS says that it is not there.
fn exists(domain: &Domain, answers: &Transcript) -> Result<bool, Stop> {
    match answers.answer(Question::new(domain.as_str(), RecordKind::A))? {
        Answer::Nonexistent => Ok(false),
        Answer::Failed(why) => Err(Stop::Failed(format!("A of {domain}: {why}").into())),
        Answer::Found(_) | Answer::Nothing => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(text: &str) -> Domain {
        Domain::parse(text).unwrap()
    }

    /// Names with a DMARC record; a name that ends in `!` does not exist.
    fn find(author: &str, spf: Option<&str>, dkim: &[&str], zone: &[(&str, &str)]) -> Result<Finding, Stop> {
        let (author, spf) = (domain(author), spf.map(domain));
        let dkim: Vec<Domain> = dkim.iter().map(|name| domain(name)).collect();
        let facts = Facts { author: &author, spf: spf.as_ref(), dkim: &dkim };
        let mut transcript = Transcript::default();
        loop {
            match check(&facts, &transcript) {
                Err(Stop::Need(question)) => {
                    let name = question.name.strip_prefix("_dmarc.").unwrap_or(&question.name).to_owned();
                    let texts: Vec<Box<str>> =
                        zone.iter().filter(|(owner, _)| *owner == name).map(|(_, text)| (*text).into()).collect();
                    let answer = match question.kind {
                        RecordKind::A if zone.contains(&(&*name, "!")) => Answer::Nonexistent,
                        RecordKind::A => Answer::Nothing,
                        _ if texts.contains(&"SERVFAIL".into()) => Answer::Failed("SERVFAIL".into()),
                        _ if texts.is_empty() => Answer::Nonexistent,
                        _ => Answer::Found(texts),
                    };
                    transcript.note(question, answer);
                    assert!(transcript.entries().len() < 40);
                }
                other => return other,
            }
        }
    }

    fn asked(author: &str, zone: &[(&str, &str)]) -> DmarcPolicy {
        find(author, None, &[], zone).unwrap().policy
    }

    #[test]
    fn a_record_is_one_with_its_version_first_and_something_to_say() {
        assert!(Record::parse("v=DMARC1; p=reject").is_some());
        assert!(Record::parse("v=DMARC1;P = Reject ; x=y;;").is_some_and(|record| record.policy == DmarcPolicy::Reject));
        assert!(
            Record::parse("v=DMARC1; p=bogus; rua=mailto:a@b.example").is_some_and(|record| record.policy == DmarcPolicy::None)
        );
        for text in ["v=dmarc1; p=reject", "p=reject; v=DMARC1", "v=DMARC1", "v=DMARC10; p=none", "v=DMARC1; p=bogus", ""] {
            assert_eq!(Record::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_nearest_record_holds_and_then_that_of_the_organization() {
        let zone = [("example.com", "v=DMARC1; p=reject; sp=quarantine; np=none"), ("own.example.com", "v=DMARC1; p=none")];
        assert_eq!(asked("example.com", &zone), DmarcPolicy::Reject);
        assert_eq!(asked("a.b.example.com", &zone), DmarcPolicy::Quarantine);
        assert_eq!(asked("own.example.com", &zone), DmarcPolicy::None);
        assert_eq!(asked("gone.example.com", &[zone[0], ("gone.example.com", "!")]), DmarcPolicy::None);
        assert_eq!(find("example.net", None, &[], &zone).unwrap().record, None);
    }

    #[test]
    fn a_public_suffix_is_no_organization() {
        let zone = [("uk", "v=DMARC1; p=none"), ("co.uk", "v=DMARC1; p=reject; psd=y"), ("a.co.uk", "v=DMARC1; p=quarantine")];
        assert_eq!(asked("x.a.co.uk", &zone), DmarcPolicy::Quarantine);
        assert_eq!(asked("x.b.co.uk", &zone), DmarcPolicy::Reject);
        let aligned = |author, other| find(author, None, &[other], &zone).unwrap().dkim_aligned;
        assert!(aligned("a.co.uk", "mail.a.co.uk"));
        assert!(!aligned("a.co.uk", "b.co.uk"));
    }

    #[test]
    fn alignment_is_relaxed_unless_the_record_says_strict() {
        let zone = [("example.com", "v=DMARC1; p=reject; aspf=s")];
        let found = |spf, dkim: &[&str]| {
            let finding = find("news.example.com", spf, dkim, &zone).unwrap();
            (finding.spf_aligned, finding.dkim_aligned)
        };
        assert_eq!(found(Some("news.example.com"), &[]), (true, false));
        assert_eq!(found(Some("example.com"), &["evil.example", "example.com"]), (false, true));
        assert_eq!(found(None, &["example.com.evil.example", "com"]), (false, false));
    }

    #[test]
    fn testing_makes_it_milder_and_two_records_are_none() {
        assert_eq!(asked("example.com", &[("example.com", "v=DMARC1; p=reject; t=y")]), DmarcPolicy::Quarantine);
        let twice = [("example.com", "v=DMARC1; p=reject"), ("example.com", "v=DMARC1; p=none")];
        assert_eq!(find("example.com", None, &[], &twice).unwrap().record, None);
        assert!(matches!(find("a.example.com", None, &[], &[("example.com", "SERVFAIL")]), Err(Stop::Failed(_))));
    }

    #[test]
    fn a_long_name_costs_eight_questions_at_most() {
        let long = format!("{}example.com", "a.".repeat(60));
        assert_eq!(find(&long, None, &[], &[("example.com", "v=DMARC1; p=reject")]).unwrap().policy, DmarcPolicy::Reject);
    }
}
