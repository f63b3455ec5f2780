//! The names that mail is addressed with: [`Domain`], [`HostName`], [`LocalPart`], [`Mailbox`], [`ReversePath`].
//!
//! A value in hand is valid: every one of them is made by a `parse` that refuses what RFC 5321 4.1.2 (and RFC 6531 3.3 for
//! UTF-8) refuses. Nothing here asks whether a name exists. Both crates and every test use this file; nobody else parses names.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest domain name, in octets of its text form without the trailing dot (RFC 1035 2.3.4, RFC 5321 4.5.3.1.2).
pub const DOMAIN_MAX_OCTETS: usize = 253;
/// Longest local part, in octets of its unquoted content. RFC 5321 4.5.3.1.1 names 64, and asks in 4.5.3.1 to impose none where
/// one can: senders of bulk mail, and every forwarder that speaks for them (SRS), use more. A path has at most 256 (4.5.3.1.3).
pub const LOCAL_PART_MAX_OCTETS: usize = 255;
/// Longest local part of an address that a site declares, in octets (RFC 5321 4.5.3.1.1).
pub const DECLARED_LOCAL_PART_MAX_OCTETS: usize = 64;

/// A fully qualified domain name: A-labels, lower case, no trailing dot, 1 to 253 octets.
///
/// Two spellings of one internationalised name are equal, since both are kept as A-labels (RFC 5890 2.3.2.1). A single label
/// (`localhost`) is a valid `Domain`; whether a site may use one is for the rules to say.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Domain(Box<str>);

impl Domain {
    /// Reads a domain in either form, with or without one trailing dot, in any case.
    ///
    /// # Errors
    /// [`NameError`] says which label or length is at fault. An IP address is refused: it is a [`HostName`], not a domain.
    pub fn parse(text: &str) -> Result<Domain, NameError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.is_ascii() && !text.split('.').any(|label| has_ace_prefix(label.as_bytes())) {
            check_ascii(text)?;
            return Ok(Domain(text.to_ascii_lowercase().into_boxed_str()));
        }
        // Longer input cannot become a name of 253 octets: refused before the conversion does any work on it.
        if text.len() > 4 * DOMAIN_MAX_OCTETS {
            return Err(NameError::TooLong { octets: text.len(), limit_octets: DOMAIN_MAX_OCTETS });
        }
        let ascii =
            idna::domain_to_ascii_cow(text.as_bytes(), idna::AsciiDenyList::STD3).map_err(|_| NameError::NotInternational)?;
        check_ascii(&ascii)?;
        Ok(Domain(ascii.into_owned().into_boxed_str()))
    }

    /// The A-label form: lower case, no trailing dot. This is the form that DNS, keys and comparisons use.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The U-label form for people; equal to [`Domain::as_str`] where no label is internationalised.
    pub fn unicode(&self) -> String {
        idna::domain_to_unicode(&self.0).0
    }

    /// The domain one label up, or `None` at the top.
    pub fn parent(&self) -> Option<Domain> {
        self.0.split_once('.').map(|(_, rest)| Domain(rest.into()))
    }

    /// Whether `self` equals `other` or lies below it.
    pub fn is_within(&self, other: &Domain) -> bool {
        self.0.strip_suffix(&*other.0).is_some_and(|head| head.is_empty() || head.ends_with('.'))
    }

    /// Whether the name has at least two labels, as a name seen by strangers must (RFC 5321 2.3.5).
    pub fn is_fully_qualified(&self) -> bool {
        self.0.contains('.')
    }
}

fn has_ace_prefix(label: &[u8]) -> bool {
    label.len() >= 4 && label[..4].eq_ignore_ascii_case(b"xn--")
}

fn check_ascii(text: &str) -> Result<(), NameError> {
    if text.len() > DOMAIN_MAX_OCTETS {
        return Err(NameError::TooLong { octets: text.len(), limit_octets: DOMAIN_MAX_OCTETS });
    }
    let mut last = "";
    for label in text.split('.') {
        last = label;
        let bytes = label.as_bytes();
        if bytes.is_empty() {
            return Err(NameError::EmptyLabel);
        }
        if bytes.len() > 63 {
            return Err(NameError::LabelTooLong { label: label.into() });
        }
        // An underscore is no host name (RFC 1123 2.1) but occurs in mail domains that work, so it is let through here.
        if let Some(bad) = label.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '-' && *c != '_') {
            return Err(NameError::BadCharacter { character: bad });
        }
        if bytes[0] == b'-' || bytes[bytes.len() - 1] == b'-' {
            return Err(NameError::Hyphen { label: label.into() });
        }
    }
    // RFC 3696 2: a top-level label is never all digits; this also keeps addresses from passing as names.
    if last.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NameError::IsAddress);
    }
    Ok(())
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A host as SMTP names one: a [`Domain`] or an address literal (RFC 5321 4.1.3), printed in brackets.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HostName {
    /// A name to be looked up.
    Domain(Domain),
    /// An address, written `[192.0.2.1]` or `[IPv6:2001:db8::1]`.
    Literal(IpAddr),
}

impl HostName {
    /// Reads `example.com`, `[192.0.2.1]` or `[IPv6:2001:db8::1]`; general address literals of other kinds are refused.
    ///
    /// # Errors
    /// [`NameError`], as for [`Domain::parse`], or [`NameError::BadLiteral`].
    pub fn parse(text: &str) -> Result<HostName, NameError> {
        match text.strip_prefix('[') {
            None => Domain::parse(text).map(HostName::Domain),
            Some(rest) => parse_literal(rest).map(HostName::Literal).ok_or(NameError::BadLiteral),
        }
    }

    /// The domain, unless this is an address literal.
    pub fn domain(&self) -> Option<&Domain> {
        match self {
            HostName::Domain(domain) => Some(domain),
            HostName::Literal(_) => None,
        }
    }
}

fn parse_literal(rest: &str) -> Option<IpAddr> {
    let inner = rest.strip_suffix(']')?;
    match inner.get(..5) {
        // RFC 5321 4.1.3: the tag is case-insensitive, as every ABNF string is (RFC 5234 2.3).
        Some(tag) if tag.eq_ignore_ascii_case("IPv6:") => inner[5..].parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        _ => inner.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostName::Domain(domain) => domain.fmt(f),
            HostName::Literal(IpAddr::V4(address)) => write!(f, "[{address}]"),
            HostName::Literal(IpAddr::V6(address)) => write!(f, "[IPv6:{address}]"),
        }
    }
}

impl fmt::Debug for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The part of an address before the `@`, kept as its content without quotes, in the case that it was written in.
///
/// `"a b"` is kept as `a b` and printed with quotes again. `Eq` is exact; a site compares with [`LocalPart::folded`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocalPart(Box<str>);

impl LocalPart {
    /// Reads a dot-string or a quoted string (RFC 5321 4.1.2), UTF-8 allowed in both (RFC 6531 3.3).
    ///
    /// # Errors
    /// [`NameError::Empty`], [`NameError::TooLong`] or [`NameError::BadLocalPart`].
    pub fn parse(text: &str) -> Result<LocalPart, NameError> {
        let content = match text.strip_prefix('"') {
            Some(rest) => unquote(rest).ok_or(NameError::BadLocalPart)?,
            None if is_dot_string(text) => text.into(),
            None if text.is_empty() => return Err(NameError::Empty),
            None => return Err(NameError::BadLocalPart),
        };
        LocalPart::from_content(&content)
    }

    /// Takes content as it is, without quotes: any text but control characters, 1 to 255 octets.
    ///
    /// # Errors
    /// [`NameError`] for an empty, over-long or control-carrying content.
    pub fn from_content(content: &str) -> Result<LocalPart, NameError> {
        if content.is_empty() {
            return Err(NameError::Empty);
        }
        if content.len() > LOCAL_PART_MAX_OCTETS {
            return Err(NameError::TooLong { octets: content.len(), limit_octets: LOCAL_PART_MAX_OCTETS });
        }
        if content.chars().any(char::is_control) {
            return Err(NameError::BadLocalPart);
        }
        Ok(LocalPart(content.into()))
    }

    /// The content, without quotes, in the case that it was written in.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that sites compare by: lower case. RFC 5321 2.4 leaves the case of a local part to its own host; like
    /// nearly every host, a Postern site ignores it.
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }

    /// Whether every octet is ASCII, so that no SMTPUTF8 is needed (RFC 6531 3.4).
    pub fn is_ascii(&self) -> bool {
        self.0.is_ascii()
    }
}

fn is_dot_string(text: &str) -> bool {
    !text.is_empty() && text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

/// RFC 5322 3.2.3, with UTF-8 beyond ASCII (RFC 6532 3.2).
fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || (!c.is_ascii() && !c.is_control())
}

/// The content of a quoted string whose opening quote is already gone; `None` unless the closing quote ends the text.
fn unquote(rest: &str) -> Option<String> {
    let mut content = String::with_capacity(rest.len());
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '"' => return chars.next().is_none().then_some(content),
            '\\' => content.push(chars.next()?),
            c => content.push(c),
        }
    }
}

impl fmt::Display for LocalPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_dot_string(&self.0) {
            return f.write_str(&self.0);
        }
        f.write_str("\"")?;
        for c in self.0.chars() {
            if c == '"' || c == '\\' {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        f.write_str("\"")
    }
}

impl fmt::Debug for LocalPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An address: a local part at a domain or address literal (RFC 5321 4.1.2 `Mailbox`).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mailbox {
    /// What stands before the `@`.
    pub local: LocalPart,
    /// What stands after it.
    pub host: HostName,
}

impl Mailbox {
    /// Reads `local@domain`, `"quoted local"@domain` or `local@[address]`, without angle brackets or source route.
    ///
    /// # Errors
    /// [`NameError::NoAt`] where there is no `@`; else the error of the half at fault.
    pub fn parse(text: &str) -> Result<Mailbox, NameError> {
        // The last `@`: a quoted local part may hold others, a domain may not.
        let (local, host) = text.rsplit_once('@').ok_or(NameError::NoAt)?;
        Ok(Mailbox { local: LocalPart::parse(local)?, host: HostName::parse(host)? })
    }

    /// Puts the two halves together.
    pub fn new(local: LocalPart, host: HostName) -> Mailbox {
        Mailbox { local, host }
    }

    /// The domain, unless the address ends in a literal.
    pub fn domain(&self) -> Option<&Domain> {
        self.host.domain()
    }

    /// The same mailbox with its local part in lower case: equal for two addresses that a site takes for one.
    pub fn folded(&self) -> Mailbox {
        Mailbox { local: LocalPart(self.local.folded().into_boxed_str()), host: self.host.clone() }
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.host)
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The envelope sender: a mailbox, or the null path `<>` of notifications (RFC 5321 4.5.5). Printed without brackets.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum ReversePath {
    /// `<>`: nothing may ever be bounced to it.
    Null,
    /// Where a bounce goes.
    Mailbox(Mailbox),
}

impl ReversePath {
    /// Reads a mailbox, or the null path from an empty text or `<>`.
    ///
    /// # Errors
    /// As for [`Mailbox::parse`].
    pub fn parse(text: &str) -> Result<ReversePath, NameError> {
        match text {
            "" | "<>" => Ok(ReversePath::Null),
            text => Mailbox::parse(text).map(ReversePath::Mailbox),
        }
    }

    /// The mailbox, unless the path is null.
    pub fn mailbox(&self) -> Option<&Mailbox> {
        match self {
            ReversePath::Null => None,
            ReversePath::Mailbox(mailbox) => Some(mailbox),
        }
    }
}

impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReversePath::Null => Ok(()),
            ReversePath::Mailbox(mailbox) => mailbox.fmt(f),
        }
    }
}

/// The envelope recipient of a RCPT command: a mailbox, or the bare `Postmaster` that every host takes (RFC 5321 4.5.1).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ForwardPath {
    /// `<Postmaster>` without a domain, in any case.
    Postmaster,
    /// An ordinary recipient.
    Mailbox(Mailbox),
}

impl ForwardPath {
    /// Reads a mailbox, or `postmaster` without a domain in any case.
    ///
    /// # Errors
    /// As for [`Mailbox::parse`].
    pub fn parse(text: &str) -> Result<ForwardPath, NameError> {
        if text.eq_ignore_ascii_case("postmaster") {
            return Ok(ForwardPath::Postmaster);
        }
        Mailbox::parse(text).map(ForwardPath::Mailbox)
    }
}

impl fmt::Display for ForwardPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ForwardPath::Postmaster => f.write_str("postmaster"),
            ForwardPath::Mailbox(mailbox) => mailbox.fmt(f),
        }
    }
}

/// Why a text is no name. `Display` is one sentence part without a full stop, fit to stand after "because".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameError {
    /// Nothing there.
    Empty,
    /// A mailbox without `@`.
    NoAt,
    /// Over the limit of its kind.
    TooLong {
        /// Its length, in octets.
        octets: usize,
        /// The most that is allowed, in octets.
        limit_octets: usize,
    },
    /// Two dots in a row, or one at the start.
    EmptyLabel,
    /// A label over 63 octets (RFC 1035 2.3.4).
    LabelTooLong {
        /// The label, as written.
        label: Box<str>,
    },
    /// A character that no domain name holds.
    BadCharacter {
        /// The first such character.
        character: char,
    },
    /// A label that begins or ends with a hyphen (RFC 1123 2.1).
    Hyphen {
        /// The label, as written.
        label: Box<str>,
    },
    /// An IP address where a name belongs.
    IsAddress,
    /// Refused by UTS 46, the mapping of internationalised names.
    NotInternational,
    /// Brackets that hold neither an IPv4 address nor `IPv6:` and one (RFC 5321 4.1.3).
    BadLiteral,
    /// A local part that needs quotes and has none, or a control character in it.
    BadLocalPart,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NameError::Empty => f.write_str("it is empty"),
            NameError::NoAt => f.write_str("it has no @"),
            NameError::TooLong { octets, limit_octets } => {
                write!(f, "it is {octets} octets long and {limit_octets} is the most")
            }
            NameError::EmptyLabel => f.write_str("it has an empty label (two dots in a row, or a dot at its start)"),
            NameError::LabelTooLong { label } => write!(f, "its label {label:?} is over 63 octets"),
            NameError::BadCharacter { character } => write!(f, "{character:?} does not occur in domain names"),
            NameError::Hyphen { label } => write!(f, "its label {label:?} begins or ends with a hyphen"),
            NameError::IsAddress => f.write_str("it is an IP address, or ends like one"),
            NameError::NotInternational => f.write_str("it is not a valid internationalised name"),
            NameError::BadLiteral => f.write_str("the brackets do not hold an IPv4 address or IPv6: and one"),
            NameError::BadLocalPart => f.write_str("what stands before the @ needs quotes, or holds a control character"),
        }
    }
}

impl std::error::Error for NameError {}

#[cfg(test)]
mod tests;
