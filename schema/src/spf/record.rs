//! The text of an SPF record (RFC 7208 4.6.1, 5, 12). A record is read whole before any of it is evaluated: an error in its last
//! term is an error of the record.

use super::macros::MacroString;
use ipnet::IpNet;
use std::net::IpAddr;

/// A record.
pub(super) struct Record {
    pub terms: Vec<Term>,
    pub redirect: Option<MacroString>,
    pub explanation: Option<MacroString>,
}

/// A mechanism and what it means if it matches.
pub(super) struct Term {
    pub qualifier: Qualifier,
    pub mechanism: Mechanism,
    /// As it was written.
    pub text: Box<str>,
}

#[derive(Clone, Copy)]
pub(super) enum Qualifier {
    Pass,
    Fail,
    SoftFail,
    Neutral,
}

pub(super) enum Mechanism {
    All,
    Include(MacroString),
    A(Target),
    Mx(Target),
    Ptr(Option<MacroString>),
    Ip(IpNet),
    Exists(MacroString),
}

/// `:domain/24//64`, each part optional.
pub(super) struct Target {
    pub domain: Option<MacroString>,
    four: u8,
    six: u8,
}

impl Target {
    /// Whether the client is in the network of that size around an address.
    pub fn covers(&self, client: IpAddr, address: IpAddr) -> bool {
        let prefix = if address.is_ipv4() { self.four } else { self.six };
        IpNet::new(address, prefix).is_ok_and(|network| network.contains(&client))
    }
}

/// Whether a text is an SPF record (RFC 7208 4.5): the version alone, or followed by a space.
pub fn is_spf(text: &str) -> bool {
    let version = crate::record::Spf::VERSION;
    text.get(..version.len()).is_some_and(|start| start.eq_ignore_ascii_case(version))
        && matches!(text.as_bytes().get(version.len()), None | Some(b' '))
}

impl Record {
    /// Reads a text that [`is_spf`].
    ///
    /// # Errors
    /// The first term that is none.
    pub fn parse(text: &str) -> Result<Record, &str> {
        let mut record = Record { terms: Vec::new(), redirect: None, explanation: None };
        for term in text.split(' ').skip(1).filter(|term| !term.is_empty()) {
            record.take(term).ok_or(term)?;
        }
        Ok(record)
    }

    fn take(&mut self, term: &str) -> Option<()> {
        if let Some((name, value)) = modifier(term) {
            let slot = match name.to_ascii_lowercase().as_str() {
                "redirect" => &mut self.redirect,
                "exp" => &mut self.explanation,
                // RFC 7208 6: an unknown one is passed over, but must be well formed.
                _ => return MacroString::parse(value).map(drop),
            };
            // RFC 7208 6: each of the two at most once.
            if slot.is_some() {
                return None;
            }
            *slot = Some(MacroString::parse_domain(value)?);
            return Some(());
        }
        let (qualifier, rest) = match term.split_at_checked(1)? {
            ("+", rest) => (Qualifier::Pass, rest),
            ("-", rest) => (Qualifier::Fail, rest),
            ("~", rest) => (Qualifier::SoftFail, rest),
            ("?", rest) => (Qualifier::Neutral, rest),
            _ => (Qualifier::Pass, term),
        };
        self.terms.push(Term { qualifier, mechanism: mechanism(rest)?, text: term.into() });
        Some(())
    }
}

/// `name=value`, with a name of letters, digits, `-`, `_` and `.` that begins with a letter.
fn modifier(term: &str) -> Option<(&str, &str)> {
    let (name, value) = term.split_once('=')?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    is_name.then_some((name, value))
}

fn mechanism(text: &str) -> Option<Mechanism> {
    let (name, rest) = text.split_at(text.find([':', '/']).unwrap_or(text.len()));
    let argument = || rest.strip_prefix(':');
    match name.to_ascii_lowercase().as_str() {
        "all" if rest.is_empty() => Some(Mechanism::All),
        "include" => Some(Mechanism::Include(MacroString::parse_domain(argument()?)?)),
        "exists" => Some(Mechanism::Exists(MacroString::parse_domain(argument()?)?)),
        "a" => Some(Mechanism::A(target(rest)?)),
        "mx" => Some(Mechanism::Mx(target(rest)?)),
        "ptr" if rest.is_empty() => Some(Mechanism::Ptr(None)),
        "ptr" => Some(Mechanism::Ptr(Some(MacroString::parse_domain(argument()?)?))),
        "ip4" => network(argument()?, IpAddr::is_ipv4, 32),
        "ip6" => network(argument()?, IpAddr::is_ipv6, 128),
        _ => None,
    }
}

fn network(text: &str, is_family: fn(&IpAddr) -> bool, most: u8) -> Option<Mechanism> {
    let (address, size) = match text.split_once('/') {
        Some((address, size)) => (address, prefix(size, most)?),
        None => (text, most),
    };
    let address = address.parse().ok().filter(is_family)?;
    IpNet::new(address, size).ok().map(Mechanism::Ip)
}

fn target(rest: &str) -> Option<Target> {
    let (rest, six) = match rest.rsplit_once("//") {
        Some((rest, size)) => (rest, prefix(size, 128)?),
        None => (rest, 128),
    };
    // A domain-spec cannot end in digits behind a slash, so the last slash with nothing but digits behind it begins a size.
    let (rest, four) = match rest.rsplit_once('/') {
        Some((rest, size)) if !size.contains(['.', '}', '{']) => (rest, prefix(size, 32)?),
        _ => (rest, 32),
    };
    let domain = match rest {
        "" => None,
        rest => Some(MacroString::parse_domain(rest.strip_prefix(':')?)?),
    };
    Some(Target { domain, four, six })
}

/// A number without leading zeros (RFC 7208 5.6).
fn prefix(text: &str, most: u8) -> Option<u8> {
    let is_number = text == "0" || (!text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit()));
    text.parse().ok().filter(|size| is_number && *size <= most)
}
