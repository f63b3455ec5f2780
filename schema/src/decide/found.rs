//! Facts as DNS has them: pure, over a [`Transcript`], for the daemon as it asks and for `explain` as it plays a recording again.

use super::{DmarcFact, Listing, SenderDomain};
use crate::dmarc::{self, Finding, Stop};
use crate::dns::{Answer, Question, Transcript};
use crate::name::Domain;
use crate::record::{DmarcPolicy, RecordKind};
use crate::site::{ClientList, Codes};
use std::net::IpAddr;

/// The most authors of one message that are looked at; more than one is rare and suspect.
pub const AUTHOR_LIMIT: usize = 4;

/// Whether a bounce to the domain could be delivered: the fact behind [`super::Need::SenderDomain`].
///
/// # Errors
/// The question that DNS must answer first.
pub fn sender_domain(domain: &Domain, answers: &Transcript) -> Result<SenderDomain, Question> {
    let ask = |kind| answers.answer(Question::new(domain.as_str(), kind));
    match ask(RecordKind::Mx)? {
        // RFC 7505 3: a null MX stands alone; beside others it is a mistake and the others count.
        Answer::Found(hosts) if hosts.iter().all(|host| is_null(host)) => return Ok(SenderDomain::NullMx),
        Answer::Found(_) => return Ok(SenderDomain::Found),
        Answer::Nonexistent => return Ok(SenderDomain::Nonexistent),
        Answer::Failed(_) => return Ok(SenderDomain::Failed),
        Answer::Nothing => {}
    }
    // RFC 5321 5.1: without an MX, the domain's own address is its mail host.
    let addresses = [ask(RecordKind::A)?, ask(RecordKind::Aaaa)?];
    if addresses.iter().any(|answer| matches!(answer, Answer::Found(_))) {
        return Ok(SenderDomain::Found);
    }
    let has_failed = addresses.iter().any(|answer| matches!(answer, Answer::Failed(_)));
    Ok(if has_failed { SenderDomain::Failed } else { SenderDomain::Nonexistent })
}

/// What a list of clients is asked (RFC 5782 2.1, 2.4); `None` where the name would be too long to exist.
pub fn list_question(client: IpAddr, zone: &Domain) -> Option<Question> {
    let mut name = String::new();
    match client.to_canonical() {
        IpAddr::V4(address) => address.octets().iter().rev().for_each(|octet| name.push_str(&format!("{octet}."))),
        IpAddr::V6(address) => {
            address.octets().iter().rev().for_each(|octet| name.push_str(&format!("{:x}.{:x}.", octet & 15, octet >> 4)))
        }
    }
    name.push_str(zone.as_str());
    Question::fits(&name).then(|| Question::new(&name, RecordKind::A))
}

/// What the lists of a site say of a client, as far as they were asked: one that was not may have been left alone, since it did not
/// answer before.
pub fn listings(client: IpAddr, lists: &[ClientList], answers: &Transcript) -> Vec<Listing> {
    let mut said = Vec::new();
    for list in lists {
        let answer = list_question(client, &list.zone).and_then(|question| answers.answer(question).ok().cloned());
        let codes = answer.iter().flat_map(|answer| answer.values().unwrap_or_default()).filter_map(|value| value.parse().ok());
        for code in codes.filter(|code| Codes::default().count(*code)) {
            let listing = Listing { zone: list.zone.clone(), code };
            if !said.contains(&listing) {
                said.push(listing);
            }
        }
    }
    said
}

/// An MX whose host is the root.
fn is_null(value: &str) -> bool {
    value.split_once(' ').is_none_or(|(_, host)| host.trim_end_matches('.').is_empty())
}

/// What DMARC comes to for a message of these authors, and what was found for each as far as DNS said.
///
/// # Errors
/// The question that DNS must answer first.
pub fn dmarc_fact(
    authors: &[Domain], spf: Option<&Domain>, dkim: &[Domain], answers: &Transcript,
) -> Result<DmarcFact, Question> {
    let mut worst = DmarcFact::None;
    for author in authors.iter().take(AUTHOR_LIMIT) {
        let fact = match dmarc::check(&dmarc::Facts { author, spf, dkim }, answers) {
            Ok(finding) => DmarcFact::of(&finding),
            Err(Stop::Failed(_)) => DmarcFact::TempError,
            Err(Stop::Need(question)) => return Err(question),
        };
        worst = worst.or_worse(fact);
    }
    Ok(worst)
}

impl DmarcFact {
    /// What a finding comes to.
    pub fn of(finding: &Finding) -> DmarcFact {
        match &finding.record {
            None => DmarcFact::None,
            Some(_) if finding.passes() => DmarcFact::Pass,
            Some(_) => DmarcFact::Fail(finding.policy),
        }
    }

    /// Of several authors, the one that is hardest to believe counts.
    pub fn or_worse(self, other: DmarcFact) -> DmarcFact {
        if other.severity() > self.severity() { other } else { self }
    }

    fn severity(self) -> u8 {
        match self {
            DmarcFact::None => 0,
            DmarcFact::Pass => 1,
            DmarcFact::PermError => 2,
            DmarcFact::Fail(DmarcPolicy::None) => 3,
            DmarcFact::Fail(DmarcPolicy::Quarantine) => 4,
            DmarcFact::TempError => 5,
            DmarcFact::Fail(DmarcPolicy::Reject) => 6,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(answers: &[(RecordKind, Answer)]) -> Result<SenderDomain, Question> {
        let mut transcript = Transcript::default();
        for (kind, answer) in answers {
            transcript.note(Question::new("a.example", *kind), answer.clone());
        }
        sender_domain(&Domain::parse("a.example").unwrap(), &transcript)
    }

    #[test]
    fn names_of_both_families() {
        let name = |client: &str, zone: &str| {
            let question = list_question(client.parse().unwrap(), &Domain::parse(zone).unwrap());
            question.unwrap().name.to_string()
        };
        assert_eq!(name("192.0.2.99", "bl.test"), "99.2.0.192.bl.test");
        assert_eq!(name("::ffff:192.0.2.99", "bl.test"), "99.2.0.192.bl.test");
        // RFC 5782 2.4.
        assert_eq!(
            name("2001:db8:1:2:3:4:567:89ab", "ugly.example.com"),
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ugly.example.com"
        );
    }

    #[test]
    fn a_domain_takes_bounces_by_its_mx_or_its_address() {
        use RecordKind::{A, Aaaa, Mx};
        let some = |values: &[&str]| Answer::Found(values.iter().map(|value| (*value).into()).collect());
        let failed = || Answer::Failed("SERVFAIL".into());
        assert!(found(&[]).is_err());
        for (answers, expected) in [
            (vec![(Mx, some(&["10 mx.a.example"]))], SenderDomain::Found),
            (vec![(Mx, some(&["0 "]))], SenderDomain::NullMx),
            (vec![(Mx, some(&["0 ", "10 mx.a.example"]))], SenderDomain::Found),
            (vec![(Mx, Answer::Nonexistent)], SenderDomain::Nonexistent),
            (vec![(Mx, failed())], SenderDomain::Failed),
            (vec![(Mx, Answer::Nothing), (A, some(&["192.0.2.1"])), (Aaaa, failed())], SenderDomain::Found),
            (vec![(Mx, Answer::Nothing), (A, Answer::Nothing), (Aaaa, failed())], SenderDomain::Failed),
            (vec![(Mx, Answer::Nothing), (A, Answer::Nothing), (Aaaa, Answer::Nothing)], SenderDomain::Nonexistent),
        ] {
            assert_eq!(found(&answers), Ok(expected), "{answers:?}");
        }
        assert!(found(&[(Mx, Answer::Nothing)]).is_err());
    }
}
