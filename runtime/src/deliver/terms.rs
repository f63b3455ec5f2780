//! On which terms a host is met: the site's level, and what DANE (RFC 7672) and MTA-STS (RFC 8461) make of it.
//!
//! The site's level says what is wanted. `dane`, `dane-or-verify` and `published` depend on what the receiver has published, so
//! they become one of the others for each host: `dane` where its TLSA records can be gone by, `verify` where an MTA-STS policy
//! is enforced, and so on. Whatever cannot be found out makes the mail wait, and never lowers the level.

use super::dane;
use super::target::Target;
use crate::daemon::Daemon;
use crate::dns::secure::{Ability, Proven, Tlsa};
use crate::report::tls::{PolicyType, ResultType};
use postern_schema::name::{Domain, HostName};
use postern_schema::record::{MtaStsMode, ReceivedPolicy};
use postern_schema::reply::Reply;
use postern_schema::site::TlsLevel;
use std::sync::Arc;

/// How one host is met.
#[derive(Clone, Debug)]
pub struct Terms {
    /// What the session must have: none, may, encrypt, verify or dane.
    pub level: TlsLevel,
    /// Whose word that is.
    pub policy: Policy,
}

/// Who says how much protection there must be.
#[derive(Clone, Debug)]
pub enum Policy {
    /// The site, or nobody.
    Site,
    /// The host's TLSA records.
    Dane(Arc<Dane>),
    /// The domain's MTA-STS policy.
    Sts(Arc<ReceivedPolicy>),
}

/// The TLSA records of a host.
#[derive(Clone, Debug)]
pub struct Dane {
    /// The name that they stand below.
    pub base: Domain,
    /// All of them, also those that nobody can go by.
    pub records: Vec<Tlsa>,
    /// What a certificate may be for (RFC 7672 3.2.2).
    pub names: Vec<Domain>,
}

/// Why a host is not met at all.
#[derive(Clone, Debug)]
pub struct Refused {
    /// What stands for its reply.
    pub reply: Reply,
    /// What the receiver's TLS report calls it.
    pub result: ResultType,
    /// Whose word it was.
    pub policy: Policy,
}

impl Terms {
    /// What the site says and nothing else.
    fn of_site(level: TlsLevel) -> Terms {
        Terms { level, policy: Policy::Site }
    }

    /// The TLSA records, where they are what is gone by.
    pub fn dane(&self) -> Option<&Dane> {
        match &self.policy {
            Policy::Dane(dane) => Some(dane),
            Policy::Site | Policy::Sts(_) => None,
        }
    }

    /// Whether it is to be noted what an authority would have said of the host: its domain tests its policy.
    pub fn is_witnessed(&self) -> bool {
        self.level == TlsLevel::May && matches!(self.policy, Policy::Sts(_))
    }
}

impl Policy {
    /// One word for the log.
    pub fn as_str(&self) -> &'static str {
        match self {
            Policy::Site => "site",
            Policy::Dane(_) => "dane",
            Policy::Sts(_) => "mta-sts",
        }
    }

    /// As a TLS report calls it.
    pub fn kind(&self) -> PolicyType {
        match self {
            Policy::Site => PolicyType::NoPolicyFound,
            Policy::Dane(_) => PolicyType::Tlsa,
            Policy::Sts(_) => PolicyType::Sts,
        }
    }
}

/// What holds for all hosts of a destination.
pub struct Outset {
    level: TlsLevel,
    domain: Option<Domain>,
    /// Why no host can have DANE, where that is so.
    no_dane: Option<Arc<str>>,
    sts: Option<Arc<ReceivedPolicy>>,
}

/// What TLSA records there are.
enum Found {
    Records(Dane),
    Absent(Arc<str>),
}

impl Outset {
    /// Asks what the receiver has published for all of its hosts, where the level depends on it.
    ///
    /// # Errors
    /// The reply that stands for what cannot be known now.
    pub async fn find(daemon: &Daemon, target: &Target) -> Result<Outset, Refused> {
        let (level, domain) = (target.tls, target.domain.clone());
        let mut outset = Outset { level, domain: domain.clone(), no_dane: None, sts: None };
        if !matches!(level, TlsLevel::Published | TlsLevel::DaneOrVerify | TlsLevel::Dane) {
            return Ok(outset);
        }
        outset.no_dane = match daemon.validator.ability().await {
            Ability::Proven => None,
            Ability::Missing(why) => Some(why),
            Ability::Unknown => Some("the resolver was not asked yet".into()),
        };
        if let (None, Some(domain)) = (&outset.no_dane, &domain) {
            // RFC 7672 2.2.1: hosts that anybody could have put there have no DANE.
            match daemon.validator.mx(domain).await {
                Proven::Secure { .. } | Proven::Nothing => {}
                Proven::Insecure => outset.no_dane = Some(format!("the MX of {domain} is not signed").into()),
                Proven::Bogus => return Err(forged(&format!("the MX of {domain}"))),
                Proven::Failed(why) => return Err(unproven(&why)),
            }
        }
        if let (TlsLevel::Published, Some(domain)) = (level, &domain) {
            outset.sts = daemon.sts.policy(daemon, domain).await.filter(|policy| policy.mode != MtaStsMode::None);
        }
        Ok(outset)
    }

    /// The terms on which one of the hosts is met, at a port and these addresses.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn terms(&self, daemon: &Daemon, host: &HostName, port: u16, families: Families) -> Result<Terms, Refused> {
        if !matches!(self.level, TlsLevel::Published | TlsLevel::DaneOrVerify | TlsLevel::Dane) {
            return Ok(Terms::of_site(self.level));
        }
        let found = match (&self.no_dane, host) {
            (Some(why), _) => Found::Absent(why.clone()),
            (None, HostName::Literal(_)) => Found::Absent("an address has no TLSA records".into()),
            (None, HostName::Domain(domain)) => self.tlsa(daemon, domain, port, families).await?,
        };
        match (self.level, found) {
            (_, Found::Records(dane)) if !dane::usable(&dane.records).is_empty() => {
                Ok(Terms { level: TlsLevel::Dane, policy: Policy::Dane(Arc::new(dane)) })
            }
            // RFC 7672 2.2: records that say nothing to us say that there is TLS all the same.
            (TlsLevel::Published, Found::Records(dane)) => {
                Ok(Terms { level: TlsLevel::Encrypt, policy: Policy::Dane(Arc::new(dane)) })
            }
            (TlsLevel::Published, Found::Absent(_)) => self.by_sts(host),
            (TlsLevel::DaneOrVerify, _) => Ok(Terms::of_site(TlsLevel::Verify)),
            (_, found) => {
                let (why, result) = match found {
                    Found::Records(_) => ("none of its TLSA records can be gone by".into(), ResultType::TlsaInvalid),
                    Found::Absent(why) => (why, ResultType::DaneRequired),
                };
                let reply = Reply::tls_failed(format!("The site demands DANE of {host}: {why}"));
                Err(Refused { reply, result, policy: Policy::Site })
            }
        }
    }

    fn by_sts(&self, host: &HostName) -> Result<Terms, Refused> {
        let Some(policy) = &self.sts else { return Ok(Terms::of_site(TlsLevel::May)) };
        let level = match (policy.mode, policy.covers(&host.to_string())) {
            (MtaStsMode::Enforce, true) => TlsLevel::Verify,
            // RFC 8461 5.1: a host that the policy does not name gets no mail.
            (MtaStsMode::Enforce, false) => {
                let reply = Reply::tls_failed(format!("The MTA-STS policy of the domain does not name {host}"));
                return Err(Refused { reply, result: ResultType::StsWebpkiInvalid, policy: Policy::Sts(policy.clone()) });
            }
            (MtaStsMode::Testing | MtaStsMode::None, _) => TlsLevel::May,
        };
        Ok(Terms { level, policy: Policy::Sts(policy.clone()) })
    }

    /// The TLSA records of a host whose addresses are signed (RFC 7672 2.2.2).
    async fn tlsa(&self, daemon: &Daemon, host: &Domain, port: u16, families: Families) -> Result<Found, Refused> {
        let mut expanded = None;
        for is_v6 in families.each() {
            match daemon.validator.addresses(host, is_v6).await {
                Proven::Secure { owner, .. } => expanded = owner,
                Proven::Nothing => {}
                Proven::Insecure => return Ok(Found::Absent(format!("the addresses of {host} are not signed").into())),
                Proven::Bogus => return Err(forged(&format!("the address of {host}"))),
                Proven::Failed(why) => return Err(unproven(&why)),
            }
        }
        // RFC 7672 2.2.3: where an alias leads to the host, its own name comes first.
        let bases = expanded.filter(|name| name != host).into_iter().chain([host.clone()]);
        for base in bases {
            match daemon.validator.tlsa(&base, port).await {
                Proven::Secure { records, .. } => {
                    let names = [Some(&base), Some(host), self.domain.as_ref()].into_iter().flatten().cloned().collect();
                    return Ok(Found::Records(Dane { base, records, names }));
                }
                Proven::Nothing | Proven::Insecure => {}
                Proven::Bogus => return Err(forged(&format!("the TLSA records of {base}"))),
                Proven::Failed(why) => return Err(unproven(&why)),
            }
        }
        Ok(Found::Absent(format!("{host} has no TLSA records").into()))
    }
}

/// Which kinds of addresses a host has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Families {
    /// IPv4.
    pub v4: bool,
    /// IPv6.
    pub v6: bool,
}

impl Families {
    fn each(self) -> impl Iterator<Item = bool> {
        [(self.v6, true), (self.v4, false)].into_iter().filter(|(has, _)| *has).map(|(_, is_v6)| is_v6)
    }
}

fn forged(what: &str) -> Refused {
    let reply = Reply::dns_failed(format!("DNSSEC validation failed for {what}"));
    Refused { reply, result: ResultType::DnssecInvalid, policy: Policy::Site }
}

fn unproven(why: &str) -> Refused {
    Refused { reply: Reply::dns_failed(why.to_owned()), result: ResultType::DnssecInvalid, policy: Policy::Site }
}
