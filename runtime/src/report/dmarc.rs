//! Aggregate reports of DMARC (RFC 9990): what came in the name of a domain, from where, and what became of it.

use super::Metadata;
use crate::authentication::header::Header;
use crate::authentication::judge::Judgement;
use crate::authentication::results::MethodResult;
use postern_schema::decide::{DmarcFact, Handling, Reason};
use postern_schema::dmarc::{Finding, Record};
use postern_schema::name::{Domain, ReversePath};
use postern_schema::record::DmarcPolicy;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::IpAddr;

/// A record that is longer than this is not reported on: it would be kept with every row.
const RECORD_OCTETS: usize = 1000;
/// Names from elsewhere are cut here.
const NAME_OCTETS: usize = 255;

/// What became of a message (RFC 9990).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Disposition {
    /// It failed, and was let through.
    None,
    /// It passed.
    Pass,
    /// It failed, and was marked.
    Quarantine,
    /// It failed, and was refused.
    Reject,
}

/// Why that is not what the domain asked for (RFC 9990).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Override {
    /// The site has its own mind.
    LocalPolicy,
    /// Somebody whom the site trusts vouches for what the message was before (ARC).
    TrustedForwarder,
    /// The domain only tests.
    PolicyTestMode,
}

/// A message as it is counted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Row {
    /// The domain's record of that moment.
    pub record: Box<str>,
    /// The client.
    pub source: IpAddr,
    /// What became of it.
    pub disposition: Disposition,
    /// Why not what was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Override>,
    /// Whether a signature vouches.
    pub dkim_aligned: bool,
    /// Whether SPF does.
    pub spf_aligned: bool,
    /// The author's domain.
    pub header_from: Box<str>,
    /// The domain of the reverse-path; empty for the null path.
    pub envelope_from: Box<str>,
    /// Every signature.
    pub dkim: Vec<Signature>,
    /// What SPF was asked about.
    pub spf_domain: Box<str>,
    /// What it said.
    pub spf_result: Box<str>,
}

/// A signature and its result (RFC 8601 2.7.1).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Signature {
    /// `d=`.
    pub domain: Box<str>,
    /// `s=`.
    pub selector: Box<str>,
    /// In one word.
    pub result: Box<str>,
}

/// A message that was judged and decided.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// The client.
    pub client: IpAddr,
    /// The reverse-path.
    pub reverse_path: &'a ReversePath,
    /// What was found.
    pub judgement: &'a Judgement,
    /// What was decided, and why; `Err`: the refusal.
    pub decided: Result<(&'a Handling, Reason), Reason>,
}

/// The rows that a message makes, each with the domain that its report goes to; none where nobody wants one.
pub fn rows(judged: &Judged<'_>) -> Vec<(Domain, Row)> {
    let author = |(author, finding): &(Domain, Finding)| {
        let (domain, record) = finding.record.as_ref()?;
        let wants = !record.reports.is_empty() && record.text.len() <= RECORD_OCTETS;
        wants.then(|| (domain.clone(), row(judged, author, finding, record)))
    };
    judged.judgement.authors.iter().filter_map(author).collect()
}

fn row(judged: &Judged<'_>, author: &Domain, finding: &Finding, record: &Record) -> Row {
    let disposition = match judged.decided {
        _ if finding.passes() => Disposition::Pass,
        Err(Reason::DmarcFailed) => Disposition::Reject,
        Ok((Handling::Quarantine(_), Reason::DmarcQuarantine)) => Disposition::Quarantine,
        // What was refused for another reason was not refused for the domain's sake.
        Ok(_) | Err(_) => Disposition::None,
    };
    let asked = match finding.policy {
        DmarcPolicy::None => Disposition::None,
        DmarcPolicy::Quarantine => Disposition::Quarantine,
        DmarcPolicy::Reject => Disposition::Reject,
    };
    let because = match disposition {
        Disposition::Pass => None,
        _ if matches!(judged.decided, Ok((_, Reason::ArcTrusted))) => Some(Override::TrustedForwarder),
        _ if disposition != asked => Some(Override::LocalPolicy),
        _ if record.testing => Some(Override::PolicyTestMode),
        _ => None,
    };
    let judgement = judged.judgement;
    Row {
        record: record.text.clone(),
        source: judged.client,
        disposition,
        because,
        dkim_aligned: finding.dkim_aligned,
        spf_aligned: finding.spf_aligned,
        header_from: author.as_str().into(),
        envelope_from: judged.reverse_path.mailbox().map(|mailbox| cut(&mailbox.host.to_string())).unwrap_or_default(),
        dkim: judgement.results.iter().filter_map(signature).collect(),
        spf_domain: cut(&judgement.spf.domain),
        spf_result: judgement.spf.result.as_str().into(),
    }
}

fn signature(result: &MethodResult) -> Option<Signature> {
    let value = |wanted: &str| result.properties.iter().find(|(name, _)| *name == wanted).map(|(_, value)| cut(value));
    if result.method != "dkim" {
        return None;
    }
    Some(Signature { domain: value("header.d")?, selector: value("header.s")?, result: result.result.clone() })
}

fn cut(text: &str) -> Box<str> {
    text[..text.floor_char_boundary(NAME_OCTETS)].into()
}

/// The record that most of a day's mail met with; the report shows it, and goes where it says.
pub fn record_of(rows: &BTreeMap<Row, u64>) -> Option<Record> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    rows.iter().for_each(|(row, count)| *counts.entry(&row.record).or_default() += count);
    let (text, _) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    Record::parse(text)
}

/// The report, in XML (RFC 9990).
pub fn xml(metadata: &Metadata<'_>, domain: &str, record: &Record, rows: &BTreeMap<Row, u64>) -> String {
    let mut out = Xml(String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
    out.0.push_str("<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\">\n");
    out.leaf(1, "version", "1.0");
    out.open(1, "report_metadata");
    out.leaf(2, "org_name", metadata.organization);
    out.leaf(2, "email", metadata.contact);
    out.leaf(2, "report_id", metadata.report_id);
    out.open(2, "date_range");
    out.leaf(3, "begin", &metadata.day.start().to_string());
    out.leaf(3, "end", &metadata.day.last_second().to_string());
    out.close(2, "date_range");
    out.leaf(2, "generator", concat!("Postern ", env!("CARGO_PKG_VERSION")));
    out.close(1, "report_metadata");
    out.policy(domain, record);
    rows.iter().for_each(|(row, count)| out.record(row, *count));
    out.0.push_str("</feedback>\n");
    out.0
}

struct Xml(String);

impl Xml {
    fn line(&mut self, depth: usize, text: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{:1$}{text}", "", 2 * depth);
    }

    fn open(&mut self, depth: usize, name: &str) {
        self.line(depth, &format!("<{name}>"));
    }

    fn close(&mut self, depth: usize, name: &str) {
        self.line(depth, &format!("</{name}>"));
    }

    fn leaf(&mut self, depth: usize, name: &str, value: &str) {
        self.line(depth, &format!("<{name}>{}</{name}>", escaped(value)));
    }

    fn policy(&mut self, domain: &str, record: &Record) {
        let alignment = |strict| if strict { "s" } else { "r" };
        self.open(1, "policy_published");
        self.leaf(2, "domain", domain);
        self.leaf(2, "p", record.policy.as_str());
        if let Some(policy) = record.subdomains {
            self.leaf(2, "sp", policy.as_str());
        }
        if let Some(policy) = record.nonexistent {
            self.leaf(2, "np", policy.as_str());
        }
        self.leaf(2, "adkim", alignment(record.strict_dkim));
        self.leaf(2, "aspf", alignment(record.strict_spf));
        self.leaf(2, "testing", if record.testing { "y" } else { "n" });
        self.leaf(2, "discovery_method", "treewalk");
        self.close(1, "policy_published");
    }

    fn record(&mut self, row: &Row, count: u64) {
        let word = |aligned| if aligned { "pass" } else { "fail" };
        let disposition = match row.disposition {
            Disposition::None => "none",
            Disposition::Pass => "pass",
            Disposition::Quarantine => "quarantine",
            Disposition::Reject => "reject",
        };
        self.open(1, "record");
        self.open(2, "row");
        self.leaf(3, "source_ip", &row.source.to_string());
        self.leaf(3, "count", &count.to_string());
        self.open(3, "policy_evaluated");
        self.leaf(4, "disposition", disposition);
        self.leaf(4, "dkim", word(row.dkim_aligned));
        self.leaf(4, "spf", word(row.spf_aligned));
        if let Some(because) = row.because {
            self.open(4, "reason");
            self.leaf(
                5,
                "type",
                match because {
                    Override::LocalPolicy => "local_policy",
                    Override::TrustedForwarder => "trusted_forwarder",
                    Override::PolicyTestMode => "policy_test_mode",
                },
            );
            self.close(4, "reason");
        }
        self.close(3, "policy_evaluated");
        self.close(2, "row");
        self.open(2, "identifiers");
        self.leaf(3, "header_from", &row.header_from);
        self.leaf(3, "envelope_from", &row.envelope_from);
        self.close(2, "identifiers");
        self.open(2, "auth_results");
        for signature in &row.dkim {
            self.open(3, "dkim");
            self.leaf(4, "domain", &signature.domain);
            self.leaf(4, "selector", &signature.selector);
            self.leaf(4, "result", &signature.result);
            self.close(3, "dkim");
        }
        self.open(3, "spf");
        self.leaf(4, "domain", &row.spf_domain);
        if !row.envelope_from.is_empty() {
            self.leaf(4, "scope", "mfrom");
        }
        self.leaf(4, "result", &row.spf_result);
        self.close(3, "spf");
        self.close(2, "auth_results");
        self.close(1, "record");
    }
}

/// Text as XML 1.0 may hold it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => out.push('?'),
            other => out.push(other),
        }
    }
    out
}

/// Whether a message that DMARC vouches for is a report itself: a report about it would never end (RFC 9990).
pub fn is_report(fact: DmarcFact, header: &Header) -> bool {
    let says = |name: &str, start: &[u8]| {
        header.fields().any(|field| {
            let value = field.value.trim_ascii_start();
            let begins = value.len() >= start.len() && value[..start.len()].eq_ignore_ascii_case(start);
            field.name.eq_ignore_ascii_case(name.as_bytes()) && begins
        })
    };
    fact == DmarcFact::Pass && (says("tls-report-domain", b"") || says("subject", b"report domain:"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::day::Day;

    fn seen(record: &str, header_from: &str) -> Row {
        Row {
            record: record.into(),
            source: "2001:db8::7".parse().unwrap(),
            disposition: Disposition::Quarantine,
            because: Some(Override::LocalPolicy),
            dkim_aligned: false,
            spf_aligned: false,
            header_from: header_from.into(),
            envelope_from: "".into(),
            dkim: vec![Signature { domain: "x.example".into(), selector: "<&>".into(), result: "fail".into() }],
            spf_domain: "a\u{1}b".into(),
            spf_result: "none".into(),
        }
    }

    #[test]
    fn the_record_that_most_mail_met_is_shown() {
        let rows = BTreeMap::from([
            (seen("v=DMARC1; p=none; rua=mailto:a@example.com", "example.com"), 1),
            (seen("v=DMARC1; p=reject; adkim=s; t=y; rua=mailto:b@example.com", "example.com"), 1),
            (seen("v=DMARC1; p=reject; adkim=s; t=y; rua=mailto:b@example.com", "www.example.com"), 1),
        ]);
        let record = record_of(&rows).unwrap();
        assert_eq!(&*record.reports[0], "mailto:b@example.com");
        let day = Day::parse("2026-11-28").unwrap();
        let metadata = Metadata { organization: "A & B", contact: "a@example.com", report_id: "1@example.com", day };
        let report = xml(&metadata, "example.com", &record, &rows);
        for expected in [
            "<org_name>A &amp; B</org_name>",
            "<begin>1795824000</begin>",
            "<end>1795910399</end>",
            "<p>reject</p>",
            "<adkim>s</adkim>",
            "<testing>y</testing>",
            "<source_ip>2001:db8::7</source_ip>",
            "<selector>&lt;&amp;&gt;</selector>",
            "<domain>a?b</domain>",
            "<type>local_policy</type>",
        ] {
            assert!(report.contains(expected), "{expected}\n{report}");
        }
        assert_eq!(report.matches("<record>").count(), 3);
    }

    #[test]
    fn a_report_is_told_by_its_header() {
        let header = |text: &str| Header::new(text.as_bytes().to_vec());
        let report = header("From: a@b.example\r\nSUBJECT:  report domain: example.com Submitter: x\r\n\r\n");
        assert!(is_report(DmarcFact::Pass, &report));
        assert!(!is_report(DmarcFact::None, &report), "whoever lies about it is reported on");
        assert!(is_report(DmarcFact::Pass, &header("TLS-Report-Domain: example.com\r\n\r\n")));
        assert!(!is_report(DmarcFact::Pass, &header("Subject: Report\r\n\r\n")));
    }
}
