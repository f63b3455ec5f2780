//! Reports to others about their mail: what is seen in a day (UTC) is counted, and sent when the day is over.
//!
//! | module | what it is |
//! |---|---|
//! | [`day`] | days, as reports count them |
//! | [`journal`] | what was seen in a day, counted, on disk and bounded |
//! | [`tls`] | how sessions with the hosts of others were protected (RFC 8460) |

pub mod day;
pub mod journal;
pub mod tls;

use crate::daemon::Daemon;
use journal::Journal;
use postern_schema::site::{ReportKind, Site};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long what is counted may be lost with the power.
const SYNC_PAUSE: Duration = Duration::from_secs(5);

/// What is collected for reports.
#[derive(Debug)]
pub struct Reports {
    tls: Journal<tls::Row>,
}

impl Reports {
    /// Collects in a folder, which is made when there is something to keep.
    pub fn new(folder: &Path) -> Reports {
        Reports { tls: Journal::new(folder, ReportKind::Tls) }
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

    /// Makes durable what was noted.
    pub fn sync(&self) {
        self.tls.sync();
    }
}

/// Keeps what is noted durable.
pub async fn run(daemon: Arc<Daemon>) {
    loop {
        tokio::time::sleep(SYNC_PAUSE).await;
        tokio::task::block_in_place(|| daemon.reports.sync());
    }
}
