//! A report as a message: a word to people, and the report itself, compressed. Aggregate reports of DMARC are an attachment
//! (RFC 9990), reports on TLS a multipart/report (RFC 8460 5.3).

use super::day::Day;
use crate::queue::QueueId;
use crate::queue::date;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use postern_schema::name::{Domain, Mailbox};
use postern_schema::site::ReportKind;
use std::io::{self, Write};

/// The column that Base64 is broken at (RFC 2045 6.8).
const COLUMNS: usize = 76;

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// Its kind.
    pub kind: ReportKind,
    /// Whom it is about.
    pub domain: &'a str,
    /// The day that it is about.
    pub day: Day,
    /// Our host.
    pub hostname: &'a Domain,
    /// Who writes it.
    pub from: &'a Mailbox,
    /// Tells reports apart.
    pub report_id: &'a str,
    /// XML or JSON.
    pub text: &'a str,
}

/// The message to one address.
///
/// # Errors
/// It cannot be compressed.
pub fn message(report: &Report<'_>, to: &Mailbox, id: QueueId, now_seconds: u64) -> io::Result<Vec<u8>> {
    let Report { kind, domain, day, hostname, from, report_id, .. } = report;
    let boundary = format!("=_{id}");
    let about = match kind {
        ReportKind::Dmarc => "mail that came to us in the name of",
        ReportKind::Tls => "how our connections to mail hosts were protected, for mail to",
    };
    let (outer, inner, extension, fields) = match kind {
        ReportKind::Dmarc => ("multipart/mixed;", "application/gzip", "xml.gz", String::new()),
        ReportKind::Tls => (
            "multipart/report; report-type=\"tlsrpt\";",
            "application/tlsrpt+gzip",
            "json.gz",
            format!("TLS-Report-Domain: {domain}\r\nTLS-Report-Submitter: {hostname}\r\n"),
        ),
    };
    let file = format!("{hostname}!{domain}!{}!{}.{extension}", day.start(), day.last_second());
    let mut octets = format!(
        "From: <{from}>\r\n\
         To: <{to}>\r\n\
         Subject: Report Domain: {domain}\r\n\tSubmitter: {hostname}\r\n\tReport-ID: <{report_id}>\r\n\
         Date: {}\r\n\
         Message-ID: <{id}@{hostname}>\r\n\
         Auto-Submitted: auto-generated\r\n\
         {fields}\
         MIME-Version: 1.0\r\n\
         Content-Type: {outer}\r\n\tboundary=\"{boundary}\"\r\n\
         \r\n\
         This is a message in MIME format.\r\n\
         \r\n--{boundary}\r\n\
         Content-Type: text/plain; charset=us-ascii\r\n\
         \r\n\
         This is a report on {about}\r\n\
         {domain}, on {day} (UTC). The attachment is for programs.\r\n\
         \r\n--{boundary}\r\n\
         Content-Type: {inner};\r\n\tname=\"{file}\"\r\n\
         Content-Disposition: attachment;\r\n\tfilename=\"{file}\"\r\n\
         Content-Transfer-Encoding: base64\r\n\
         \r\n",
        date::rfc5322(now_seconds)
    )
    .into_bytes();
    let encoded = BASE64.encode(compressed(report.text)?);
    for line in encoded.as_bytes().chunks(COLUMNS) {
        octets.extend_from_slice(line);
        octets.extend_from_slice(b"\r\n");
    }
    octets.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    Ok(octets)
}

fn compressed(text: &str) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}
