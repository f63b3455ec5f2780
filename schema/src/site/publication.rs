//! What a domain says of itself in DNS beyond what follows from the site: policies that its owner chooses.

use crate::name::Domain;
use crate::record::{Bimi, CaaIssuer, Dmarc, MtaStsMode, MtaStsPolicy, SpfAll, TlsReport};
use ipnet::IpNet;
use std::time::Duration;

/// Everything that the blocks of a domain say about its records.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Publication {
    /// `spf`.
    pub spf: SpfPolicy,
    /// `dmarc`.
    pub dmarc: Option<Dmarc>,
    /// `mta-sts`.
    pub mta_sts: Option<MtaSts>,
    /// `tls-report`.
    pub tls_report: Option<TlsReport>,
    /// `dane`; the keys that the chain in the site's folder holds are not repeated here.
    pub dane: Option<Vec<Pin>>,
    /// `caa`.
    pub caa: Vec<CaaIssuer>,
    /// `autoconfig`.
    pub autoconfig: Option<Autoconfig>,
    /// `bimi`.
    pub bimi: Option<Bimi>,
    /// `wildcard`: names below that do not exist take no mail and send none.
    pub wildcard: bool,
}

/// What the SPF record holds beside the site's own egress.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpfPolicy {
    /// Further addresses that send.
    pub addresses: Vec<IpNet>,
    /// Records of others.
    pub includes: Vec<Domain>,
    /// What becomes of everybody else.
    pub all: SpfAll,
}

impl Default for SpfPolicy {
    /// The site's own egress and `~all`.
    fn default() -> SpfPolicy {
        SpfPolicy { addresses: Vec::new(), includes: Vec::new(), all: SpfAll::SoftFail }
    }
}

/// `mta-sts`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MtaSts {
    /// How strict the policy is.
    pub mode: MtaStsMode,
    /// How long others may keep it.
    pub max_age: Duration,
    /// The web server that serves the file; `None`: this host.
    pub web_host: Option<Domain>,
}

impl MtaSts {
    /// The policy, given the host that takes mail.
    pub fn policy(&self, host: &Domain) -> MtaStsPolicy {
        MtaStsPolicy { mode: self.mode, max_age: self.max_age, hosts: vec![host.clone()] }
    }
}

/// A key that a TLSA record announces by its SHA-256 (RFC 7672 3.1).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Pin {
    /// Whose key it is.
    pub of: PinOf,
    /// The SHA-256 of the `SubjectPublicKeyInfo`.
    pub sha256: [u8; 32],
}

/// Whose key is announced.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PinOf {
    /// The host's own: usage 3.
    Host,
    /// That of an authority in its chain: usage 2.
    Authority,
}

/// What users log in as, as a mail program is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LoginName {
    /// What stands before the `@` of their address.
    #[default]
    LocalPart,
    /// Their whole address.
    Address,
}

impl LoginName {
    /// Reads the word of the site language.
    pub fn parse(word: &str) -> Option<LoginName> {
        match word {
            "local-part" => Some(LoginName::LocalPart),
            "address" => Some(LoginName::Address),
            _ => None,
        }
    }
}

/// `autoconfig`: where users read their mail. Where they send it follows from the listeners.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Autoconfig {
    /// The web server that answers; `None`: this host.
    pub web_host: Option<Domain>,
    /// What users log in as.
    pub login: LoginName,
    /// IMAP over TLS: host and port.
    pub imap: Option<(Domain, u16)>,
    /// POP3 over TLS: host and port.
    pub pop3: Option<(Domain, u16)>,
    /// JMAP: host and port.
    pub jmap: Option<(Domain, u16)>,
    /// CalDAV over TLS: host and port.
    pub caldav: Option<(Domain, u16)>,
    /// CardDAV over TLS: host and port.
    pub carddav: Option<(Domain, u16)>,
    /// Whether the settings are offered by PACC too (draft-ietf-mailmaint-pacc).
    pub pacc: bool,
}
