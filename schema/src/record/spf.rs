//! Which hosts send mail in a domain's name (RFC 7208).

use super::Text;
use crate::name::Domain;
use ipnet::IpNet;
use std::fmt;

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
    /// A network, or one address.
    Network(IpNet),
    /// The addresses of the record's own name: one lookup.
    OwnAddresses,
    /// The addresses of another name: one lookup.
    AddressesOf(Domain),
    /// Whatever the record of another name passes: one lookup and those of that record.
    Include(Domain),
}

/// What is said of a sender that no term passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpfAll {
    /// `-all`: it is not authorised (RFC 7208 8.4).
    Fail,
    /// `~all`: it is probably not, so look at DKIM and DMARC before refusing (RFC 7208 8.5).
    SoftFail,
    /// `?all`: nothing is said of it, as if there were no record (RFC 7208 8.2).
    Neutral,
}

impl SpfAll {
    /// Every result, the strictest first.
    pub const ALL: [SpfAll; 3] = [SpfAll::Fail, SpfAll::SoftFail, SpfAll::Neutral];

    /// The word of the site language.
    pub fn as_str(self) -> &'static str {
        match self {
            SpfAll::Fail => "fail",
            SpfAll::SoftFail => "softfail",
            SpfAll::Neutral => "neutral",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<SpfAll> {
        SpfAll::ALL.into_iter().find(|all| all.as_str() == word)
    }
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
                SpfTerm::Network(network) => write_network(*network, f)?,
                SpfTerm::OwnAddresses => f.write_str(" a")?,
                SpfTerm::AddressesOf(name) => write!(f, " a:{name}")?,
                SpfTerm::Include(name) => write!(f, " include:{name}")?,
            }
        }
        f.write_str(match self.all {
            SpfAll::Fail => " -all",
            SpfAll::SoftFail => " ~all",
            SpfAll::Neutral => " ?all",
        })
    }
}

/// A single address goes without its prefix length; bits beyond the prefix are not said (RFC 7208 5.6).
fn write_network(network: IpNet, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let family = if network.addr().is_ipv4() { "ip4" } else { "ip6" };
    if network.prefix_len() == network.max_prefix_len() {
        write!(f, " {family}:{}", network.addr())
    } else {
        write!(f, " {family}:{}", network.trunc())
    }
}
