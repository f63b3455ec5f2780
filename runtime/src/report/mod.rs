//! Reports to others about their mail: what is seen in a day (UTC) is counted, and sent when the day is over; and what fails, as it
//! comes. Nothing is counted or sent unless the site says so.
//!
//! | module | what it is |
//! |---|---|
//! | [`day`] | days, as reports count them |
//! | [`failure`] | one message that failed, told as it comes (RFC 9991) |
//! | [`journal`] | what was seen in a day, counted, on disk and bounded |
//! | [`dmarc`] | what came in the name of a domain (RFC 9990) |
//! | [`tls`] | how sessions with the hosts of others were protected (RFC 8460) |
//! | [`mail`] | a report as a message |
//! | [`send`] | when it goes, and to whom |

pub mod day;
pub mod dmarc;
pub mod failure;
pub mod journal;
pub mod mail;
pub mod send;
pub mod tls;

pub use send::run;

use day::Day;
use journal::Journal;
use postern_schema::name::{Domain, Mailbox};
use postern_schema::site::{ReportKind, Site};
use std::io;
use std::path::Path;

/// What is collected for reports.
#[derive(Debug)]
pub struct Reports {
    dmarc: Journal<dmarc::Row>,
    tls: Journal<tls::Row>,
    failures: failure::Pace,
}

/// Who reports, as a report says it.
#[derive(Clone, Copy, Debug)]
pub struct Metadata<'a> {
    /// For people.
    pub organization: &'a str,
    /// Whom to ask.
    pub contact: &'a str,
    /// Tells reports apart.
    pub report_id: &'a str,
    /// The day.
    pub day: Day,
}

/// A report that is written, but for the addresses that it goes to.
#[derive(Debug)]
pub struct Prepared<'a> {
    kind: ReportKind,
    domain: &'a str,
    day: Day,
    hostname: &'a Domain,
    /// Who writes it.
    pub from: &'a Mailbox,
    /// Tells it from others; the same whenever it is written.
    pub report_id: String,
    /// XML or JSON.
    pub text: String,
    /// The addresses in the record of the domain; for TLS, they are in a record of their own.
    pub places: Vec<Box<str>>,
}

impl Prepared<'_> {
    /// What its message is made of.
    pub fn report(&self) -> mail::Report<'_> {
        let Prepared { kind, domain, day, hostname, from, .. } = *self;
        mail::Report { kind, domain, day, hostname, from, report_id: &self.report_id, text: &self.text }
    }
}

/// What was seen of a domain in a day, in short.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Whose report it goes into.
    pub domain: Box<str>,
    /// Messages or sessions.
    pub count: u64,
    /// Whether its report needs nothing more.
    pub is_done: bool,
}

impl Reports {
    /// Collects in a folder, which is made when there is something to keep.
    pub fn new(folder: &Path) -> Reports {
        Reports {
            dmarc: Journal::new(folder, ReportKind::Dmarc),
            tls: Journal::new(folder, ReportKind::Tls),
            failures: failure::Pace::default(),
        }
    }

    /// Notes how one attempt to open a session with a mail host of a domain ended, for the domain's TLS report; nothing if the site
    /// sends none. Not for mail that the server itself wrote: a report must not lead to a report.
    ///
    /// `domain` is whose mail was to be delivered: its report holds the session.
    pub fn record_tls(&self, site: &Site, domain: &str, session: tls::Session<'_>, now_ms: u64) {
        if site.reports.tls.is_some() {
            self.tls.record(domain, session.into(), now_ms);
        }
    }

    /// Notes a message that was judged, for the reports of its authors' domains; nothing if the site sends none.
    pub fn record_dmarc(&self, site: &Site, judged: &dmarc::Judged<'_>, now_ms: u64) {
        if site.reports.dmarc.is_some() {
            dmarc::rows(judged).into_iter().for_each(|(domain, row)| self.dmarc.record(domain.as_str(), row, now_ms));
        }
    }

    /// Makes durable what was noted.
    pub fn sync(&self) {
        self.dmarc.sync();
        self.tls.sync();
    }

    /// The days of which something is kept, oldest first.
    pub fn days(&self, kind: ReportKind) -> Vec<Day> {
        match kind {
            ReportKind::Dmarc => self.dmarc.days(),
            ReportKind::Tls => self.tls.days(),
        }
    }

    /// What was seen in a day, by domain.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn summaries(&self, kind: ReportKind, day: Day) -> io::Result<Vec<Summary>> {
        Ok(match kind {
            ReportKind::Dmarc => summaries(self.dmarc.book(day)?),
            ReportKind::Tls => summaries(self.tls.book(day)?),
        })
    }

    /// The domains whose report for a day is still to go out.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn open(&self, kind: ReportKind, day: Day) -> io::Result<Vec<Box<str>>> {
        let open = self.summaries(kind, day)?.into_iter().filter(|summary| !summary.is_done);
        Ok(open.map(|summary| summary.domain).collect())
    }

    /// Notes that a report needs nothing more, durably.
    ///
    /// # Errors
    /// It is not noted.
    pub fn finish(&self, kind: ReportKind, day: Day, domain: &str) -> io::Result<()> {
        match kind {
            ReportKind::Dmarc => self.dmarc.finish(day, domain),
            ReportKind::Tls => self.tls.finish(day, domain),
        }
    }

    /// Forgets a day.
    fn forget(&self, kind: ReportKind, day: Day) {
        let forgotten = match kind {
            ReportKind::Dmarc => self.dmarc.forget(day),
            ReportKind::Tls => self.tls.forget(day),
        };
        if let Err(error) = forgotten {
            tracing::warn!(%error, kind = kind.as_str(), %day, "an old day of reports cannot be removed");
        }
    }

    /// Writes the report of a domain for a day, as it would be if the day were over; `None` where the site sends none, or nothing
    /// was seen.
    ///
    /// # Errors
    /// What was seen cannot be read.
    pub fn prepare<'a>(&self, site: &'a Site, kind: ReportKind, day: Day, domain: &'a str) -> io::Result<Option<Prepared<'a>>> {
        let Some(reporter) = site.reports.reporter(kind) else { return Ok(None) };
        let report_id = format!("{}.{day}.{domain}@{}", kind.as_str(), site.hostname);
        let contact = reporter.from.to_string();
        let organization = site.reports.organization.as_deref().unwrap_or(site.hostname.as_str());
        let metadata = Metadata { organization, contact: &contact, report_id: &report_id, day };
        let written = match kind {
            ReportKind::Dmarc => self.dmarc.book(day)?.domains.get(domain).and_then(|rows| {
                let record = dmarc::record_of(rows)?;
                Some((dmarc::xml(&metadata, domain, &record, rows), record.reports))
            }),
            ReportKind::Tls => self.tls.book(day)?.domains.get(domain).map(|rows| (tls::json(&metadata, rows), Vec::new())),
        };
        Ok(written.map(|(text, places)| Prepared {
            kind,
            domain,
            day,
            hostname: &site.hostname,
            from: &reporter.from,
            report_id,
            text,
            places,
        }))
    }
}

fn summaries<T>(book: journal::Book<T>) -> Vec<Summary> {
    let journal::Book { domains, done, .. } = book;
    let sum = |(domain, rows): (Box<str>, std::collections::BTreeMap<T, u64>)| {
        let is_done = done.contains(&domain);
        Summary { domain, count: rows.values().sum(), is_done }
    };
    domains.into_iter().map(sum).collect()
}
