//! Which hosts send mail in a domain's name (RFC 7208).

use super::Text;
use crate::name::Domain;
use std::fmt;
use std::net::IpAddr;

/// An SPF record: terms that pass, and what is said of everything else. A name has one at most (RFC 7208 3.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spf {
    /// What passes, in the order in which it is tried.
    pub terms: Vec<SpfTerm>,
    /// What holds for the rest; always said, since silence would mean "neutral" (RFC 7208 4.7).
    pub all: SpfAll,
}

/// A term that passes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SpfTerm {
    /// One address.
    Ip(IpAddr),
    /// The addresses of the record's own name: one lookup.
    OwnAddresses,
    /// The addresses of another name: one lookup.
    AddressesOf(Domain),
}

/// What is said of a sender that no term passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpfAll {
    /// `-all`: it is not authorised (RFC 7208 8.4).
    Fail,
    /// `~all`: it is probably not, so look at DKIM and DMARC before refusing (RFC 7208 8.5).
    SoftFail,
}

impl Spf {
    /// What every SPF record begins with (RFC 7208 4.5).
    pub const VERSION: &str = "v=spf1";
}

impl Text {
    /// Of two SPF records, the one that holds while the other is replaced by it: its own terms, then those of the other, then its
    /// own end. A name may have one alone (RFC 7208 3.2), and mail of both is under way.
    pub fn with_terms_of(&self, other: &Text) -> Text {
        let is_end = |term: &&str| term.trim_start_matches(['+', '-', '~', '?']) == "all";
        let own: Vec<&str> = self.as_str().split(' ').collect();
        let others = other.as_str().split(' ').filter(|term| !own.contains(term) && !is_end(term));
        let (ends, terms): (Vec<&str>, Vec<&str>) = own.iter().copied().partition(is_end);
        let all: Vec<&str> = terms.into_iter().chain(others).chain(ends).collect();
        Text(all.join(" ").into())
    }
}

impl fmt::Display for Spf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Spf::VERSION)?;
        for term in &self.terms {
            match term {
                SpfTerm::Ip(IpAddr::V4(address)) => write!(f, " ip4:{address}")?,
                SpfTerm::Ip(IpAddr::V6(address)) => write!(f, " ip6:{address}")?,
                SpfTerm::OwnAddresses => f.write_str(" a")?,
                SpfTerm::AddressesOf(name) => write!(f, " a:{name}")?,
            }
        }
        f.write_str(match self.all {
            SpfAll::Fail => " -all",
            SpfAll::SoftFail => " ~all",
        })
    }
}
