//! What a domain asks of receivers whose checks of a message failed (RFC 9989).

use std::fmt;

/// A DMARC record. The tags `pct`, `rf` and `ri` of RFC 7489 are gone (RFC 9989), so they cannot be said here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dmarc {
    /// For the domain, and for its subdomains unless they say otherwise.
    pub policy: DmarcPolicy,
    /// For subdomains that do not exist in DNS; `None`: as `policy`.
    pub nonexistent: Option<DmarcPolicy>,
}

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum DmarcPolicy {
    /// Nothing.
    None,
    /// Refuse the message.
    Reject,
}

impl fmt::Display for DmarcPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DmarcPolicy::None => "none",
            DmarcPolicy::Reject => "reject",
        })
    }
}

impl Dmarc {
    /// What every DMARC record begins with, in exactly this case (RFC 9989).
    const VERSION: &str = "v=DMARC1";

    /// Whether a text is a DMARC record.
    pub fn is_one(text: &str) -> bool {
        text.starts_with(Dmarc::VERSION)
    }
}

impl fmt::Display for Dmarc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; p={}", Dmarc::VERSION, self.policy)?;
        match self.nonexistent {
            Some(policy) => write!(f, "; np={policy}"),
            None => Ok(()),
        }
    }
}
