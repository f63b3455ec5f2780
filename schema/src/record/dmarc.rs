//! What a domain asks of receivers whose checks of a message failed (RFC 9989).

use super::ReportUri;
use std::fmt;

/// A DMARC record. The tags `pct`, `rf` and `ri` of RFC 7489 are gone (RFC 9989), so they cannot be said here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dmarc {
    /// For the domain, and for its subdomains unless they say otherwise.
    pub policy: DmarcPolicy,
    /// For subdomains; `None`: as `policy`.
    pub subdomains: Option<DmarcPolicy>,
    /// For subdomains that do not exist in DNS; `None`: as `subdomains`.
    pub nonexistent: Option<DmarcPolicy>,
    /// Asks receivers to be one step milder than the policies say.
    pub testing: bool,
    /// It is an organisation of its own: nobody looks for one above it, and nothing above it is aligned with it (`psd=n`, RFC 9989 4.10).
    pub organization: bool,
    /// Where aggregate reports go.
    pub reports: Vec<ReportUri>,
}

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum DmarcPolicy {
    /// Nothing.
    None,
    /// Put the message aside.
    Quarantine,
    /// Refuse the message.
    Reject,
}

impl DmarcPolicy {
    /// Every policy, the mildest first.
    pub const ALL: [DmarcPolicy; 3] = [DmarcPolicy::None, DmarcPolicy::Quarantine, DmarcPolicy::Reject];

    /// The word in the record and in the site language.
    pub fn as_str(self) -> &'static str {
        match self {
            DmarcPolicy::None => "none",
            DmarcPolicy::Quarantine => "quarantine",
            DmarcPolicy::Reject => "reject",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<DmarcPolicy> {
        DmarcPolicy::ALL.into_iter().find(|policy| policy.as_str() == text)
    }
}

impl fmt::Display for DmarcPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Dmarc {
    /// What every DMARC record begins with, in exactly this case (RFC 9989).
    pub const VERSION: &str = "v=DMARC1";

    /// One policy for the domain and all below it, and nothing else.
    pub fn plain(policy: DmarcPolicy) -> Dmarc {
        Dmarc { policy, subdomains: None, nonexistent: None, testing: false, organization: false, reports: Vec::new() }
    }

    /// Whether a text is a DMARC record.
    pub fn is_one(text: &str) -> bool {
        text.starts_with(Dmarc::VERSION)
    }
}

impl fmt::Display for Dmarc {
    /// Receivers that follow RFC 7489 know no `np` and take `sp` for it, so `np` is said even where `sp` says the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; p={}", Dmarc::VERSION, self.policy)?;
        if let Some(policy) = self.subdomains {
            write!(f, "; sp={policy}")?;
        }
        if let Some(policy) = self.nonexistent {
            write!(f, "; np={policy}")?;
        }
        if self.testing {
            f.write_str("; t=y")?;
        }
        if self.organization {
            f.write_str("; psd=n")?;
        }
        ReportUri::write_list(&self.reports, f)
    }
}

/// Says at a receiver's name that it takes reports about another domain (RFC 9990).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReportPermission;

impl fmt::Display for ReportPermission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Dmarc::VERSION)
    }
}
