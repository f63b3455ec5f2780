//! Failure reports of DMARC (RFC 9991, RFC 6591): one message that failed, told to the author's domain as it comes, where that domain
//! asks for it and the site says that it may be told. Only the header goes out, and no recipient.
//!
//! They are bounded, since anybody can make mail fail: so many a domain and hour, so many in all. None is about a report or a notice,
//! and none goes where its owner has not asked for it.

use crate::authentication::header::Header;
use crate::authentication::judge::Judgement;
use crate::authentication::{fetch, generated, results};
use crate::daemon::{Daemon, now_ms};
use crate::queue::{QueueId, date};
use crate::site::Generation;
use postern_schema::decide::{Handling, Reason};
use postern_schema::dmarc::destination::{self, Destinations};
use postern_schema::dmarc::{Finding, Record};
use postern_schema::dns::Transcript;
use postern_schema::name::{Domain, Mailbox, ReversePath};
use postern_schema::spf::SpfResult;
use std::collections::HashMap;
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Reports on one domain in an hour.
const DOMAIN_LIMIT: u32 = 10;
/// Reports in an hour.
const LIMIT: u32 = 100;
const HOUR_MS: u64 = 3_600_000;
/// As much of the header as is told.
const HEADER_OCTETS: usize = 32 << 10;

/// How many went out in this hour.
#[derive(Debug, Default)]
pub struct Pace(Mutex<(u64, HashMap<Domain, u32>)>);

impl Pace {
    /// Whether one more may go out about that domain, which is counted then.
    fn admits(&self, domain: &Domain, now_ms: u64) -> bool {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hour = now_ms / HOUR_MS;
        if counts.0 != hour {
            *counts = (hour, HashMap::new());
        }
        // Never more entries than reports.
        if counts.1.values().sum::<u32>() >= LIMIT || counts.1.get(domain).is_some_and(|count| *count >= DOMAIN_LIMIT) {
            return false;
        }
        *counts.1.entry(domain.clone()).or_default() += 1;
        true
    }
}

/// A message that was judged and decided.
#[derive(Clone, Copy, Debug)]
pub struct Failed<'a> {
    /// Its name here.
    pub id: Option<QueueId>,
    /// The client.
    pub client: IpAddr,
    /// The reverse-path.
    pub reverse_path: &'a ReversePath,
    /// Its header as it came.
    pub header: &'a Header,
    /// What was found.
    pub judgement: &'a Judgement,
    /// What was decided.
    pub decided: Result<(&'a Handling, Reason), Reason>,
    /// When it came.
    pub arrival_ms: u64,
}

/// A report, but for the addresses that it goes to.
#[derive(Debug)]
struct Prepared {
    domain: Domain,
    places: Vec<Box<str>>,
    /// What programs read, and the header that it is about.
    feedback: String,
    header: Vec<u8>,
}

/// Tells the domains of the authors, if they and the site want that. Ends at once: what takes long goes on beside.
pub fn tell(daemon: &Arc<Daemon>, generation: &Arc<Generation>, failed: &Failed<'_>) {
    if generation.site().reports.failure.is_none() || is_notice(failed.reverse_path, failed.header) {
        return;
    }
    for (author, finding) in &failed.judgement.authors {
        let Some((domain, record)) = finding.record.as_ref().filter(|(_, record)| wants(record, finding, failed.judgement))
        else {
            continue;
        };
        if !daemon.reports.failures.admits(domain, now_ms()) {
            tracing::debug!(%domain, "no failure report: there were enough in this hour");
            continue;
        }
        let prepared = Prepared {
            domain: domain.clone(),
            places: record.failures.clone(),
            feedback: feedback(generation.site().hostname.as_str(), author, finding, failed),
            header: cut(failed.header),
        };
        let (daemon, generation) = (daemon.clone(), generation.clone());
        tokio::spawn(async move {
            if let Err(error) = send(&daemon, &generation, &prepared).await {
                tracing::warn!(error, domain = %prepared.domain, "a failure report cannot go out");
            }
        });
    }
}

/// What the domain asks to be told of (`fo`, RFC 9991): without a word, that nothing passed in alignment.
fn wants(record: &Record, finding: &Finding, judgement: &Judgement) -> bool {
    if record.failures.is_empty() {
        return false;
    }
    let options: Vec<&str> = record.failure_options.split(':').map(str::trim).collect();
    let has = |option: &str| options.iter().any(|said| said.eq_ignore_ascii_case(option));
    let is_bad = |method: &str| {
        judgement
            .results
            .iter()
            .any(|result| result.method == method && matches!(&*result.result, "fail" | "permerror" | "policy"))
    };
    let nothing = !finding.passes();
    (nothing && !has("1") && !has("d") && !has("s"))
        || (nothing && has("0"))
        || (has("1") && !(finding.dkim_aligned && finding.spf_aligned))
        || (has("d") && is_bad("dkim"))
        || (has("s") && matches!(judgement.spf.result, SpfResult::Fail | SpfResult::SoftFail | SpfResult::PermError))
}

/// Whether a message is a report, a notice or the like. It need not be what it says: about what looks so, nobody is told.
fn is_notice(reverse_path: &ReversePath, header: &Header) -> bool {
    let says = |name: &str, test: &dyn Fn(&str) -> bool| {
        header.fields().any(|field| {
            field.name.eq_ignore_ascii_case(name.as_bytes())
                && test(&String::from_utf8_lossy(field.value).trim().to_ascii_lowercase())
        })
    };
    *reverse_path == ReversePath::Null
        || says("auto-submitted", &|value| !value.starts_with("no"))
        || says("content-type", &|value| value.starts_with("multipart/report"))
        || says("tls-report-domain", &|_| true)
        || says("subject", &|value| value.starts_with("report domain:"))
}

/// The part that programs read (RFC 5965 3, RFC 6591 3).
fn feedback(hostname: &str, author: &Domain, finding: &Finding, failed: &Failed<'_>) -> String {
    let delivery = match failed.decided {
        Err(reason) if !reason.is_transient() => "reject",
        Ok((Handling::Deliver, _)) => "delivered",
        Ok((Handling::Quarantine(_), _)) => "policy",
        Err(_) => "other",
    };
    let aligned = match (finding.dkim_aligned, finding.spf_aligned) {
        (true, true) => "dkim, spf",
        (true, false) => "dkim",
        (false, true) => "spf",
        (false, false) => "none",
    };
    let mut out = String::from("Feedback-Type: auth-failure\r\nVersion: 1\r\n");
    // Writing to a string does not fail.
    let _ = write!(
        out,
        "User-Agent: Postern/{}\r\nAuth-Failure: dmarc\r\nIdentity-Alignment: {aligned}\r\nDelivery-Result: {delivery}\r\n\
         Source-IP: {}\r\nReported-Domain: {author}\r\nOriginal-Mail-From: {}\r\nArrival-Date: {}\r\n\
         Authentication-Results: {}\r\n",
        env!("CARGO_PKG_VERSION"),
        failed.client.to_canonical(),
        results::plain(&format!("<{}>", failed.reverse_path), b""),
        date::rfc5322(failed.arrival_ms / 1000),
        in_one_line(results::value(hostname, &failed.judgement.results))
    );
    let signature = failed.judgement.results.iter().find(|result| result.method == "dkim" && &*result.result != "none");
    for (name, property) in [("DKIM-Domain", "header.d"), ("DKIM-Selector", "header.s")] {
        if let Some((_, value)) = signature.and_then(|found| found.properties.iter().find(|(known, _)| *known == property)) {
            let _ = write!(out, "{name}: {}\r\n", results::plain(value, b""));
        }
    }
    if let Some(id) = failed.id {
        let _ = write!(out, "Original-Envelope-Id: {id}\r\n");
    }
    out
}

/// As many readers want it; not where the line would be longer than one may be (RFC 5322 2.1.1).
fn in_one_line(value: String) -> String {
    if value.len() < 900 { value.replace("\r\n\t", " ") } else { value }
}

/// The header, up to a whole field, without those that name whom it was for.
fn cut(header: &Header) -> Vec<u8> {
    let mut out = Vec::new();
    for field in header.fields().filter(|field| !field.name.is_empty()) {
        let names_recipient = [&b"to"[..], b"cc", b"bcc", b"delivered-to", b"x-original-to", b"envelope-to", b"received"];
        if names_recipient.iter().any(|name| field.name.eq_ignore_ascii_case(name)) {
            continue;
        }
        if out.len() + field.octets.len() > HEADER_OCTETS {
            break;
        }
        // What is no ASCII has no place in a part of seven bits.
        out.extend(field.octets.iter().map(|octet| if octet.is_ascii() { *octet } else { b'?' }));
    }
    out
}

async fn send(daemon: &Daemon, generation: &Generation, prepared: &Prepared) -> Result<(), String> {
    let Some(reporter) = &generation.site().reports.failure else { return Ok(()) };
    let found = destinations(daemon, prepared).await;
    for (place, why) in &found.refused {
        tracing::info!(domain = %prepared.domain, place = &**place, why = &**why, "no failure report goes there");
    }
    for to in found.allowed {
        let now = now_ms();
        let id = daemon.spool.fresh_id(now);
        let octets = message(generation.site().hostname.as_str(), &reporter.from, &to, id.id(), now / 1000, prepared);
        let report = generated::report(generation, (id, now), to, octets)?;
        let (id, to) = (report.id.id(), report.recipient.to_string());
        daemon.spool.append(report).await.map_err(|error| error.to_string())?;
        tracing::info!(%id, to, domain = %prepared.domain, "failure report queued");
    }
    Ok(())
}

/// Where it may go; where DNS does not say so, it does not go.
async fn destinations(daemon: &Daemon, prepared: &Prepared) -> Destinations {
    let mut transcript = Transcript::default();
    let deadline = fetch::deadline();
    loop {
        // RFC 9991: the leave of others is asked as for aggregate reports.
        match destination::aggregate(&prepared.domain, &prepared.places, &transcript) {
            Ok(found) => return found,
            Err(question) => drop(fetch::fetch(&*daemon.dns, question, &mut transcript, deadline).await),
        }
    }
}

fn message(hostname: &str, from: &Mailbox, to: &Mailbox, id: QueueId, now_seconds: u64, prepared: &Prepared) -> Vec<u8> {
    let boundary = format!("=_{id}");
    let Prepared { domain, feedback, header, .. } = prepared;
    let mut octets = format!(
        "From: <{from}>\r\n\
         To: <{to}>\r\n\
         Subject: DMARC failure report for {domain}\r\n\
         Date: {}\r\n\
         Message-ID: <{id}@{hostname}>\r\n\
         Auto-Submitted: auto-generated\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=feedback-report;\r\n\tboundary=\"{boundary}\"\r\n\
         \r\n\
         This is a message in MIME format.\r\n\
         \r\n--{boundary}\r\n\
         Content-Type: text/plain; charset=us-ascii\r\n\
         \r\n\
         This is a report on a message in the name of {domain} that failed DMARC here.\r\n\
         The record of that domain asks for it. What follows is for programs.\r\n\
         \r\n--{boundary}\r\n\
         Content-Type: message/feedback-report\r\n\
         \r\n\
         {feedback}\
         \r\n--{boundary}\r\n\
         Content-Type: text/rfc822-headers\r\n\
         \r\n",
        date::rfc5322(now_seconds)
    )
    .into_bytes();
    octets.extend_from_slice(header);
    octets.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_go_out_in_an_hour() {
        let pace = Pace::default();
        let domain = |n: u32| Domain::parse(&format!("d{n}.example")).unwrap();
        let count = |domain: &Domain, now| (0..50).filter(|_| pace.admits(domain, now)).count();
        assert_eq!(count(&domain(0), 0), DOMAIN_LIMIT as usize);
        assert_eq!((1..50).map(|n| count(&domain(n), 1)).sum::<usize>(), (LIMIT - DOMAIN_LIMIT) as usize);
        assert_eq!(count(&domain(0), HOUR_MS), DOMAIN_LIMIT as usize);
    }

    #[test]
    fn nothing_is_told_about_what_looks_like_a_notice() {
        let sender = ReversePath::parse("x@a.example").unwrap();
        let header = |text: &str| Header::new(text.as_bytes().to_vec());
        assert!(!is_notice(&sender, &header("From: x@a.example\r\nAuto-Submitted: no\r\n\r\n")));
        assert!(is_notice(&ReversePath::Null, &header("From: x@a.example\r\n\r\n")));
        for field in [
            "Auto-Submitted: auto-replied",
            "Content-Type: Multipart/Report; report-type=feedback-report",
            "Subject: Report Domain: a.example",
            "TLS-Report-Domain: a.example",
        ] {
            assert!(is_notice(&sender, &header(&format!("{field}\r\n\r\n"))), "{field}");
        }
    }

    #[test]
    fn the_header_goes_out_without_recipients() {
        let long = "X-Long: x\r\n".repeat(5000);
        let header =
            Header::new(format!("From: \u{e4}@a.example\r\nTo: b@c.example\r\nReceived: for <b@c.example>\r\n{long}").into());
        let told = String::from_utf8(cut(&header)).unwrap();
        assert!(told.starts_with("From: ??@a.example\r\nX-Long"), "{}", &told[..40]);
        assert!(told.len() <= HEADER_OCTETS && told.ends_with("\r\n"));
    }
}
