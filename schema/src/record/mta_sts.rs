//! MTA-STS (RFC 8461): that mail to a domain goes to these hosts only, and over TLS.

mod received;

pub use received::{PolicyError, ReceivedPolicy};

use crate::name::Domain;
use sha2::{Digest, Sha256};
use std::fmt;
use std::time::Duration;

/// The policy file at `https://mta-sts.DOMAIN/.well-known/mta-sts.txt` (RFC 8461 3.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MtaStsPolicy {
    /// How strict it is.
    pub mode: MtaStsMode,
    /// How long others may keep it: whole seconds, [`MtaStsPolicy::LONGEST`] at most.
    pub max_age: Duration,
    /// The hosts that take mail for the domain.
    pub hosts: Vec<Domain>,
}

/// How strict a policy is (RFC 8461 5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum MtaStsMode {
    /// Withdrawn.
    None,
    /// Senders report what would have failed.
    Testing,
    /// Senders do not deliver without verified TLS.
    Enforce,
}

impl MtaStsMode {
    /// Every mode, the mildest first.
    pub const ALL: [MtaStsMode; 3] = [MtaStsMode::None, MtaStsMode::Testing, MtaStsMode::Enforce];

    /// The word in the file and in the site language.
    pub fn as_str(self) -> &'static str {
        match self {
            MtaStsMode::None => "none",
            MtaStsMode::Testing => "testing",
            MtaStsMode::Enforce => "enforce",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<MtaStsMode> {
        MtaStsMode::ALL.into_iter().find(|mode| mode.as_str() == text)
    }
}

impl fmt::Display for MtaStsMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl MtaStsPolicy {
    /// The path of the file.
    pub const PATH: &str = "/.well-known/mta-sts.txt";
    /// The longest `max_age` (RFC 8461 3.2).
    pub const LONGEST: Duration = Duration::from_secs(31_557_600);

    /// The record that announces the file. Its id is made of the file's content, so it changes when, and only when, that does.
    pub fn record(&self) -> MtaStsRecord {
        let digest = Sha256::digest(self.to_string());
        MtaStsRecord { id: digest[..10].iter().map(|octet| format!("{octet:02x}")).collect::<String>().into() }
    }
}

impl fmt::Display for MtaStsPolicy {
    /// The text of the file; every line ends as RFC 8461 3.2 writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "version: STSv1\r\nmode: {}\r\n", self.mode)?;
        self.hosts.iter().try_for_each(|host| write!(f, "mx: {host}\r\n"))?;
        write!(f, "max_age: {}\r\n", self.max_age.as_secs())
    }
}

/// The record at `_mta-sts.DOMAIN` (RFC 8461 3.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MtaStsRecord {
    /// 1 to 32 letters and digits.
    pub id: Box<str>,
}

impl MtaStsRecord {
    /// What every such record begins with.
    pub const VERSION: &str = "v=STSv1";
}

impl fmt::Display for MtaStsRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; id={};", MtaStsRecord::VERSION, self.id)
    }
}
