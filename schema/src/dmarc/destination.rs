//! Where reports about a domain may go: the addresses in its record, as far as their owners want them. Otherwise anybody could have
//! anybody flooded with reports (RFC 9990). Pure, like the rest: it says which question comes next.

use super::{Stop, same_organization};
use crate::dns::{Answer, Question, Transcript};
use crate::name::{Domain, Mailbox};
use crate::record::{Dmarc, RecordKind, ReportUri, TlsReport};

/// The most addresses of one record that are looked at; two at least are demanded (RFC 9990).
pub const DESTINATION_LIMIT: usize = 5;

/// Where reports go.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Destinations {
    /// Whoever wants them.
    pub allowed: Vec<Mailbox>,
    /// Addresses that are passed over, each with the reason.
    pub refused: Vec<(Box<str>, Box<str>)>,
    /// DNS failed for some of the others; why. They may be asked again later.
    pub undecided: Option<Box<str>>,
}

/// Where aggregate reports about a domain go, whose record names these places.
///
/// # Errors
/// The question that DNS must answer first.
pub fn aggregate(domain: &Domain, places: &[Box<str>], answers: &Transcript) -> Result<Destinations, Question> {
    let mut found = Destinations::default();
    for place in places.iter().take(DESTINATION_LIMIT) {
        let Some(mailbox) = mailbox(place) else {
            found.refused.push((place.clone(), "reports go by mail alone".into()));
            continue;
        };
        match wants(domain, &mailbox, answers) {
            Ok(true) if found.allowed.contains(&mailbox) => {}
            Ok(true) => found.allowed.push(mailbox),
            Ok(false) => {
                let record = permission(domain, &mailbox).unwrap_or_default();
                found.refused.push((place.clone(), format!("there is no {} at {record}", Dmarc::VERSION).into()));
            }
            Err(Stop::Need(question)) => return Err(question),
            Err(Stop::Failed(why)) => found.undecided = Some(why),
        }
    }
    Ok(found)
}

/// Where TLS reports about a domain go, by its record (RFC 8460 3). Whoever writes it answers for the addresses: no leave is asked
/// of others.
///
/// # Errors
/// The question that DNS must answer first.
pub fn tls(domain: &Domain, answers: &Transcript) -> Result<Destinations, Question> {
    let question = Question::new(&format!("_smtp._tls.{domain}"), RecordKind::Txt);
    let mut found = Destinations::default();
    let texts = match answers.answer(question)? {
        Answer::Failed(why) => {
            found.undecided = Some(why.clone());
            return Ok(found);
        }
        answer => answer.values().unwrap_or_default(),
    };
    let mut records = texts.iter().filter(|text| text.starts_with(TlsReport::VERSION));
    // RFC 8460 3: of several records, none counts.
    let (Some(record), None) = (records.next(), records.next()) else { return Ok(found) };
    let tags = record.split(';').filter_map(|tag| tag.split_once('='));
    let places = tags.filter(|(name, _)| name.trim() == "rua").flat_map(|(_, value)| value.split(','));
    for place in places.map(str::trim).take(DESTINATION_LIMIT) {
        match mailbox(place) {
            Some(mailbox) if found.allowed.contains(&mailbox) => {}
            Some(mailbox) => found.allowed.push(mailbox),
            None => found.refused.push((place.into(), "reports go by mail alone".into())),
        }
    }
    Ok(found)
}

/// A place of a list, as a mail address: without the size behind `!` that RFC 7489 6.2 had, and without percent-encoding of what
/// a list gives a meaning to.
fn mailbox(place: &str) -> Option<Mailbox> {
    let uri = ReportUri::parse(place.split('!').next()?)?;
    let address = uri.as_str().split_once(':').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("mailto"))?.1;
    let plain = address.split('?').next()?.replace("%2C", ",").replace("%21", "!").replace("%3B", ";");
    Mailbox::parse(&plain).ok()
}

/// Whether the owner of an address wants reports about a domain.
fn wants(domain: &Domain, mailbox: &Mailbox, answers: &Transcript) -> Result<bool, Stop> {
    let Some(receiver) = mailbox.domain() else { return Ok(false) };
    if same_organization(domain, receiver, answers)? {
        return Ok(true);
    }
    let Some(name) = permission(domain, mailbox) else { return Ok(false) };
    match answers.answer(Question::new(&name, RecordKind::Txt))? {
        Answer::Failed(why) => Err(Stop::Failed(why.clone())),
        answer => Ok(answer.values().unwrap_or_default().iter().any(|text| is_permission(text))),
    }
}

/// The name of the record that a receiver says so with; `None` where it would be too long to exist.
fn permission(domain: &Domain, mailbox: &Mailbox) -> Option<String> {
    let name = format!("{domain}._report._dmarc.{}", mailbox.domain()?);
    Question::fits(&name).then_some(name)
}

/// The version, and whatever else there is behind it.
fn is_permission(text: &str) -> bool {
    text.strip_prefix(Dmarc::VERSION).is_some_and(|rest| rest.is_empty() || rest.trim_start().starts_with(';'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(
        zone: &[(&str, &str)], find: impl Fn(&Transcript) -> Result<Destinations, Question>,
    ) -> (Vec<String>, Destinations) {
        let mut transcript = Transcript::default();
        loop {
            match find(&transcript) {
                Ok(found) => return (found.allowed.iter().map(Mailbox::to_string).collect(), found),
                Err(question) => {
                    let texts = zone.iter().filter(|(name, _)| *name == &*question.name);
                    let texts: Vec<Box<str>> = texts.map(|(_, text)| (*text).into()).collect();
                    let answer = match texts.first() {
                        None => Answer::Nonexistent,
                        Some(text) if &**text == "SERVFAIL" => Answer::Failed("SERVFAIL".into()),
                        Some(_) => Answer::Found(texts),
                    };
                    transcript.note(question, answer);
                    assert!(transcript.entries().len() < 60);
                }
            }
        }
    }

    fn domain(text: &str) -> Domain {
        Domain::parse(text).unwrap()
    }

    #[test]
    fn others_must_want_reports() {
        let zone = [
            ("_dmarc.example.com", "v=DMARC1; p=none"),
            ("example.com._report._dmarc.reports.example", "v=DMARC1"),
            ("example.com._report._dmarc.loose.example", "v=DMARC1 ; rua=mailto:elsewhere@loose.example"),
            ("example.com._report._dmarc.wrong.example", "v=DMARC10"),
            ("example.com._report._dmarc.broken.example", "SERVFAIL"),
        ];
        let find = |places: &[&str]| {
            let places: Vec<Box<str>> = places.iter().map(|place| (*place).into()).collect();
            answered(&zone, |answers| aggregate(&domain("example.com"), &places, answers))
        };
        let (allowed, found) = find(&["mailto:d@example.com", "MAILTO:x@mail.example.com!10m", "mailto:a%21b@reports.example"]);
        assert_eq!(allowed, ["d@example.com", "x@mail.example.com", "a!b@reports.example"]);
        assert_eq!((found.refused.len(), found.undecided), (0, None));
        let (allowed, found) = find(&[
            "mailto:a@loose.example",
            "mailto:a@wrong.example",
            "mailto:a@silent.example",
            "https://x.example/",
            "mailto:a@broken.example",
        ]);
        assert_eq!(allowed, ["a@loose.example"]);
        assert_eq!(found.refused.len(), 3);
        assert!(found.undecided.is_some());
        assert_eq!(find(&["mailto:a@example.com"; 30]).0.len(), 1);
    }

    #[test]
    fn tls_reports_go_where_the_one_record_says() {
        let zone = [
            ("_smtp._tls.example.com", "v=TLSRPTv1; rua=mailto:t@example.com,https://x.example/r, mailto:u@other.example"),
            ("_smtp._tls.twice.example", "v=TLSRPTv1; rua=mailto:a@a.example"),
            ("_smtp._tls.twice.example", "v=TLSRPTv1; rua=mailto:b@a.example"),
            ("_smtp._tls.broken.example", "SERVFAIL"),
        ];
        let find = |name: &str| answered(&zone, |answers| tls(&domain(name), answers));
        assert_eq!(find("example.com").0, ["t@example.com", "u@other.example"]);
        assert!(find("twice.example").0.is_empty() && find("none.example").0.is_empty());
        assert!(find("broken.example").1.undecided.is_some());
    }
}
