//! Reports to others about mail that came in their name or went to them. None is sent unless the site says so.

use super::Origin;
use crate::name::Mailbox;

/// What is reported, and in whose name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reports {
    /// Who reports, for people; `None`: the host.
    pub organization: Option<Box<str>>,
    /// To domains with a DMARC record: what came in their name (RFC 9990).
    pub dmarc: Option<Reporter>,
    /// To domains with a TLS report record: how sessions with their hosts were protected (RFC 8460).
    pub tls: Option<Reporter>,
    /// To domains whose DMARC record asks for it: of each message that fails, as it comes (RFC 9991).
    pub failure: Option<Reporter>,
}

/// The author of a kind of report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reporter {
    /// Stands in From, and is whom to ask. Its domain signs.
    pub from: Mailbox,
    /// Where it was said.
    pub origin: Origin,
}

/// The kinds of report.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ReportKind {
    /// Aggregate reports of DMARC.
    Dmarc,
    /// Reports on TLS.
    Tls,
}

impl ReportKind {
    /// Every kind.
    pub const ALL: [ReportKind; 2] = [ReportKind::Dmarc, ReportKind::Tls];

    /// The word of the site language and of the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            ReportKind::Dmarc => "dmarc",
            ReportKind::Tls => "tls",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<ReportKind> {
        ReportKind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl Reports {
    /// Who writes reports of that kind; `None`: nobody.
    pub fn reporter(&self, kind: ReportKind) -> Option<&Reporter> {
        match kind {
            ReportKind::Dmarc => self.dmarc.as_ref(),
            ReportKind::Tls => self.tls.as_ref(),
        }
    }
}
