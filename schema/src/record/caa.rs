//! Who may issue certificates (RFC 8659, RFC 8657, RFC 9495).

use super::{RecordData, ReportUri, Text};
use crate::name::Domain;
use std::fmt;

/// One authority that may issue for a domain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaaIssuer {
    /// The authority's domain.
    pub issuer: Domain,
    /// What it may issue.
    pub certificates: Certificates,
    /// The account that may ask (RFC 8657 3).
    pub account: Option<Box<str>>,
    /// How control must be shown (RFC 8657 4): `dns-01` and the like.
    pub method: Option<Box<str>>,
    /// Whether it may issue for wildcards.
    pub wildcards: bool,
    /// Whether a lasting record shows control of the domain to it (draft-ietf-acme-dns-persist); of use with an account alone.
    pub persist: bool,
    /// Where it says what it refused (RFC 8659 4.4).
    pub reports: Option<ReportUri>,
}

/// What certificates are for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Certificates {
    /// Hosts: `issue`, and `issuewild` for wildcards.
    #[default]
    Hosts,
    /// Mail addresses, by S/MIME: `issuemail` (RFC 9495).
    Mail,
    /// Marks that BIMI shows: `issuevmc` (draft-fetch-validation-vmc-wchuang).
    Marks,
}

impl Certificates {
    /// Reads the word of the site language.
    pub fn parse(word: &str) -> Option<Certificates> {
        match word {
            "hosts" => Some(Certificates::Hosts),
            "mail" => Some(Certificates::Mail),
            "marks" => Some(Certificates::Marks),
            _ => None,
        }
    }

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Certificates::Hosts => "hosts",
            Certificates::Mail => "mail",
            Certificates::Marks => "marks",
        }
    }

    fn tag(self) -> &'static str {
        match self {
            Certificates::Hosts => "issue",
            Certificates::Mail => "issuemail",
            Certificates::Marks => "issuevmc",
        }
    }
}

impl CaaIssuer {
    /// The records of a domain with these issuers: nobody else may issue, and wildcards only who may.
    pub fn records(issuers: &[CaaIssuer]) -> Vec<RecordData> {
        let record = |tag: &str, value: String| RecordData::Caa { critical: false, tag: tag.into(), value: value.into() };
        let mut found: Vec<RecordData> =
            issuers.iter().map(|issuer| record(issuer.certificates.tag(), issuer.to_string())).collect();
        let of_hosts = || issuers.iter().filter(|issuer| issuer.certificates == Certificates::Hosts);
        let wild = of_hosts().filter(|issuer| issuer.wildcards);
        found.extend(wild.map(|issuer| record("issuewild", issuer.to_string())));
        // RFC 8659 4.3: without `issuewild`, `issue` would hold for wildcards too.
        if of_hosts().next().is_some() && !of_hosts().any(|issuer| issuer.wildcards) {
            found.push(record("issuewild", ";".to_owned()));
        }
        found.extend(issuers.iter().filter_map(|issuer| issuer.reports.as_ref()).map(|uri| record("iodef", uri.to_string())));
        found.sort();
        found.dedup();
        found
    }

    /// What stands at `_validation-persist.` and the domain, if it is asked for: which authority may take it for control of the
    /// domain, and who must ask.
    pub fn persistent(&self) -> Option<Text> {
        let account = self.account.as_ref().filter(|_| self.persist)?;
        let policy = if self.wildcards { "; policy=wildcard" } else { "" };
        Some(Text(format!("{}; accounturi={account}{policy}", self.issuer).into()))
    }
}

impl fmt::Display for CaaIssuer {
    /// The value of `issue`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.issuer)?;
        if let Some(account) = &self.account {
            write!(f, "; accounturi={account}")?;
        }
        if let Some(method) = &self.method {
            write!(f, "; validationmethods={method}")?;
        }
        Ok(())
    }
}
