//! Typed DNS records and their presentation forms (RFC 1035 5.1): the only place that spells DNS text.
//!
//! A [`Record`] in hand is well formed: its owner fits into DNS, its names are A-labels, its texts split where they must.
//! What a site needs is for the compiler to derive; what the records mean to mail is said in [`Spf`], [`Dmarc`],
//! [`DkimKey`] and their kin. Nothing here asks DNS anything.

mod bimi;
mod caa;
mod dkim;
mod dmarc;
mod mta_sts;
mod pacc;
mod report_uri;
mod spf;
mod text;

pub use bimi::Bimi;
pub use caa::{CaaIssuer, Certificates};
pub use dkim::DkimKey;
pub use dmarc::{Dmarc, DmarcPolicy, ReportPermission};
pub use mta_sts::{MtaStsMode, MtaStsPolicy, MtaStsRecord, PolicyError, ReceivedPolicy};
pub use pacc::PaccDigest;
pub use report_uri::{ReportUri, TlsReport};
pub use spf::{Spf, SpfAll, SpfTerm};
pub use text::Text;

use crate::name::{DOMAIN_MAX_OCTETS, Domain};
use std::cmp::Ordering;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The name that a record stands at: lower case, A-labels, no trailing dot. Unlike a [`Domain`], its first label may be `*`
/// (RFC 4592).
///
/// Ordered as zones are (RFC 4034 6.1): by label from the right, so that a name comes before all that lies below it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Owner(Box<str>);

impl Owner {
    /// The owner `domain` itself.
    pub fn at(domain: &Domain) -> Owner {
        Owner(domain.as_str().into())
    }

    /// A name below a domain: `_dmarc`, `*._domainkey`. `None` if the whole would be longer than DNS allows.
    pub fn below(labels: &str, domain: &Domain) -> Option<Owner> {
        let name = format!("{labels}.{domain}");
        (name.len() <= DOMAIN_MAX_OCTETS).then(|| Owner(name.into()))
    }

    /// The name under which an address is looked up in reverse (RFC 1035 3.5, RFC 3596 2.5).
    pub fn reverse(address: IpAddr) -> Owner {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, d] = address.octets();
                Owner(format!("{d}.{c}.{b}.{a}.in-addr.arpa").into())
            }
            IpAddr::V6(address) => {
                let nibbles = address.octets().into_iter().rev().map(|octet| format!("{:x}.{:x}.", octet & 15, octet >> 4));
                Owner((nibbles.collect::<String>() + "ip6.arpa").into())
            }
        }
    }

    /// The name without a trailing dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands in front of a zone's name: empty for the zone itself, `None` for a name outside of it.
    pub fn relative_to(&self, zone: &Domain) -> Option<&str> {
        let head = self.0.strip_suffix(zone.as_str())?;
        if head.is_empty() { Some(head) } else { head.strip_suffix('.') }
    }

    /// Whether a label begins with `_`: such a name belongs to the protocol that the label names (RFC 8552), and nobody keeps
    /// other texts there.
    pub fn is_underscored(&self) -> bool {
        self.0.split('.').any(|label| label.starts_with('_'))
    }
}

impl Ord for Owner {
    fn cmp(&self, other: &Owner) -> Ordering {
        self.0.rsplit('.').cmp(other.0.rsplit('.'))
    }
}

impl PartialOrd for Owner {
    fn partial_cmp(&self, other: &Owner) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Owner {
    /// Absolute: with the trailing dot.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.", self.0)
    }
}

/// One record. Its class is IN.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Record {
    /// Where it stands.
    pub owner: Owner,
    /// What it says.
    pub data: RecordData,
    /// How long it may be cached, in seconds; the same for all records of one owner and kind (RFC 2181 5.2).
    pub ttl_seconds: u32,
}

/// The types that a mail site needs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum RecordKind {
    /// RFC 1035 3.4.1.
    A,
    /// RFC 3596 2.1.
    Aaaa,
    /// RFC 8659.
    Caa,
    /// RFC 1035 3.3.1.
    Cname,
    /// RFC 1035 3.3.9.
    Mx,
    /// RFC 1035 3.3.12.
    Ptr,
    /// RFC 2782.
    Srv,
    /// RFC 6698.
    Tlsa,
    /// RFC 1035 3.3.14.
    Txt,
}

impl RecordKind {
    /// Its mnemonic.
    pub fn as_str(self) -> &'static str {
        match self {
            RecordKind::A => "A",
            RecordKind::Aaaa => "AAAA",
            RecordKind::Caa => "CAA",
            RecordKind::Cname => "CNAME",
            RecordKind::Mx => "MX",
            RecordKind::Ptr => "PTR",
            RecordKind::Srv => "SRV",
            RecordKind::Tlsa => "TLSA",
            RecordKind::Txt => "TXT",
        }
    }

    /// Every type.
    pub const ALL: [RecordKind; 9] = [
        RecordKind::A,
        RecordKind::Aaaa,
        RecordKind::Caa,
        RecordKind::Cname,
        RecordKind::Mx,
        RecordKind::Ptr,
        RecordKind::Srv,
        RecordKind::Tlsa,
        RecordKind::Txt,
    ];

    /// Reads a mnemonic, in any case.
    pub fn parse(text: &str) -> Option<RecordKind> {
        RecordKind::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(text))
    }

    /// Its number in a question (RFC 1035 3.2.2).
    pub fn number(self) -> u16 {
        match self {
            RecordKind::A => 1,
            RecordKind::Cname => 5,
            RecordKind::Ptr => 12,
            RecordKind::Mx => 15,
            RecordKind::Txt => 16,
            RecordKind::Aaaa => 28,
            RecordKind::Srv => 33,
            RecordKind::Tlsa => 52,
            RecordKind::Caa => 257,
        }
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A host that a service is at, or the root: "there is none" (RFC 7505 3 for MX, RFC 2782 for SRV).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Target {
    /// No such service.
    None,
    /// The host; never an alias.
    Host(Domain),
}

impl fmt::Display for Target {
    /// Absolute: with the trailing dot.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::None => f.write_str("."),
            Target::Host(host) => write!(f, "{host}."),
        }
    }
}

/// What a record says.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum RecordData {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// Who may sign certificates.
    Caa {
        /// Whether an issuer that does not know the tag must refuse.
        critical: bool,
        /// `issue`, `issuewild` or another property.
        tag: Box<str>,
        /// The value of the property.
        value: Box<str>,
    },
    /// The owner is another name for this one.
    Cname(Domain),
    /// Where mail goes.
    Mx {
        /// Lower is tried first.
        preference: u16,
        /// The host.
        exchange: Target,
    },
    /// The name of an address.
    Ptr(Domain),
    /// Where a service is.
    Srv {
        /// Lower is tried first.
        priority: u16,
        /// The share among those of one priority.
        weight: u16,
        /// The port.
        port: u16,
        /// The host.
        target: Target,
    },
    /// The certificate or key of a service.
    Tlsa {
        /// 2: an authority's, 3: the service's own (RFC 7672 3.1 knows no other for SMTP).
        usage: u8,
        /// 0: the whole certificate, 1: its public key.
        selector: u8,
        /// 0: the octets, 1: their SHA-256, 2: their SHA-512.
        matching: u8,
        /// The octets or their digest.
        association: Vec<u8>,
    },
    /// A text.
    Txt(Text),
}

impl RecordData {
    /// The address record of an address.
    pub fn address(address: IpAddr) -> RecordData {
        match address.to_canonical() {
            IpAddr::V4(address) => RecordData::A(address),
            IpAddr::V6(address) => RecordData::Aaaa(address),
        }
    }

    /// Its type.
    pub fn kind(&self) -> RecordKind {
        match self {
            RecordData::A(_) => RecordKind::A,
            RecordData::Aaaa(_) => RecordKind::Aaaa,
            RecordData::Caa { .. } => RecordKind::Caa,
            RecordData::Cname(_) => RecordKind::Cname,
            RecordData::Mx { .. } => RecordKind::Mx,
            RecordData::Ptr(_) => RecordKind::Ptr,
            RecordData::Srv { .. } => RecordKind::Srv,
            RecordData::Tlsa { .. } => RecordKind::Tlsa,
            RecordData::Txt(_) => RecordKind::Txt,
        }
    }
}

impl fmt::Display for RecordData {
    /// As in a zone file, every name absolute.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordData::A(address) => address.fmt(f),
            RecordData::Aaaa(address) => address.fmt(f),
            RecordData::Caa { critical, tag, value } => {
                write!(f, "{} {tag} {}", if *critical { 128 } else { 0 }, text::quoted(value.as_bytes()))
            }
            RecordData::Cname(name) | RecordData::Ptr(name) => write!(f, "{name}."),
            RecordData::Mx { preference, exchange } => write!(f, "{preference} {exchange}"),
            RecordData::Srv { priority, weight, port, target } => write!(f, "{priority} {weight} {port} {target}"),
            RecordData::Tlsa { usage, selector, matching, association } => {
                write!(f, "{usage} {selector} {matching} ")?;
                association.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
            }
            RecordData::Txt(text) => text.fmt(f),
        }
    }
}

impl fmt::Display for Record {
    /// A line of a zone file, every name absolute.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} IN {} {}", self.owner, self.ttl_seconds, self.data.kind(), self.data)
    }
}

#[cfg(test)]
mod tests;
