//! What is changed in the header of every message that comes in.

use super::{ListenerKind, Origin};
use std::fmt;

/// One change (`header_checks` with PREPEND and IGNORE).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeaderEdit {
    /// What is done.
    pub change: HeaderChange,
    /// To which mail.
    pub at: Service,
    /// Where it was said.
    pub origin: Origin,
}

/// What is done to a header. What is removed goes first, whatever the order in the site: nobody takes out what was just put in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HeaderChange {
    /// This field is added at the end: name, then value, both printable ASCII.
    Add(Box<str>, Box<str>),
    /// Every field of this name is taken out, in whatever case it is written.
    Remove(Box<str>),
}

impl HeaderChange {
    /// Fields that say where a message came from, whose it is, and who vouches for it: the site has no say in them.
    const UNTOUCHABLE: [&str; 8] = [
        "from",
        "received",
        "return-path",
        "dkim-signature",
        "arc-seal",
        "arc-message-signature",
        "arc-authentication-results",
        "authentication-results",
    ];

    /// Reads a whole field, `Name: value`.
    pub fn parse_add(text: &str) -> Option<HeaderChange> {
        let (name, value) = text.split_once(':')?;
        let value = value.trim();
        let is_value = !value.is_empty() && value.len() <= 900 && value.bytes().all(|octet| (b' '..=b'~').contains(&octet));
        (is_name(name) && is_value).then(|| HeaderChange::Add(name.into(), value.into()))
    }

    /// Reads the name of a field that is to go.
    pub fn parse_remove(text: &str) -> Option<HeaderChange> {
        is_name(text).then(|| HeaderChange::Remove(text.into()))
    }

    /// The name of the field.
    pub fn name(&self) -> &str {
        match self {
            HeaderChange::Add(name, _) | HeaderChange::Remove(name) => name,
        }
    }

    /// Whether the site may say this of its mail.
    pub fn is_allowed(&self) -> bool {
        !HeaderChange::UNTOUCHABLE.iter().any(|name| name.eq_ignore_ascii_case(self.name()))
    }
}

/// RFC 5322 2.2: printable ASCII without a colon.
fn is_name(text: &str) -> bool {
    (1..=76).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_graphic() && octet != b':')
}

impl fmt::Display for HeaderChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeaderChange::Add(name, value) => write!(f, "add {name}: {value}"),
            HeaderChange::Remove(name) => write!(f, "remove {name}"),
        }
    }
}

/// Which mail something is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Service {
    /// Mail from other hosts.
    Mx,
    /// Mail from users.
    Submission,
    /// All mail.
    All,
}

impl Service {
    /// Every service.
    pub const ALL: [Service; 3] = [Service::Mx, Service::Submission, Service::All];

    /// The word of the site language.
    pub fn as_str(self) -> &'static str {
        match self {
            Service::Mx => "mx",
            Service::Submission => "submission",
            Service::All => "all",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Service> {
        Service::ALL.into_iter().find(|service| service.as_str() == word)
    }

    /// Whether mail that came in by such a listener is meant.
    pub fn covers(self, kind: ListenerKind) -> bool {
        match self {
            Service::All => true,
            Service::Submission => kind.requires_login(),
            Service::Mx => !kind.requires_login(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_strictly() {
        assert_eq!(HeaderChange::parse_add("X-Site:  example ").unwrap(), HeaderChange::Add("X-Site".into(), "example".into()));
        for text in ["X-Site", "X Site: a", ": a", "X-Site: ", "X-Site: a\r\nBcc: b@c", "X-Site: \u{e4}"] {
            assert_eq!(HeaderChange::parse_add(text), None, "{text:?}");
        }
        assert_eq!(HeaderChange::parse_remove("X:"), None);
        assert!(!HeaderChange::Remove("FROM".into()).is_allowed());
        assert!(HeaderChange::Remove("X-Originating-IP".into()).is_allowed());
    }
}
