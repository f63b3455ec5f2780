//! Addresses that turn into others on their way through the site: `rewrite`, `masquerade`, `archive` and `srs`. In which order they
//! act is for [`crate::decide`]; what an address of a domain of ours stands for is [`super::AddressKind`].

use super::{Origin, RoutePattern, SecretName, Service};
use crate::name::{Domain, LocalPart, Mailbox};
use std::fmt;

/// Everything that a site rewrites.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rewriting {
    /// One address for another, in source order; of a stage the narrowest counts, and of equal ones the first.
    pub rewrites: Vec<Rewrite>,
    /// Host names that are hidden behind their domain.
    pub masquerades: Vec<Masquerade>,
    /// Copies for those who keep mail.
    pub archives: Vec<Archive>,
    /// The sender of mail that is forwarded; `None`: nothing is forwarded in the name of the site.
    pub srs: Option<Srs>,
}

/// One address for another (`canonical_maps`, `smtp_generic_maps`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rewrite {
    /// Which addresses of a message.
    pub place: Place,
    /// What is replaced.
    pub from: Whose,
    /// What takes its place.
    pub to: Whose,
    /// When, and in which mail.
    pub at: Stage,
    /// What divides a user from a detail in `from`: a detail goes over to the new address.
    pub delimiter: Option<char>,
    /// Where it was said.
    pub origin: Origin,
}

/// An address, or every address of a domain. As what takes the place of an address, a domain takes its local part over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Whose {
    /// One address.
    Mailbox(Mailbox),
    /// `@example.com`: all of the domain.
    Domain(Domain),
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Whose::Mailbox(mailbox) => mailbox.fmt(f),
            Whose::Domain(domain) => write!(f, "@{domain}"),
        }
    }
}

/// When a rewriting acts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// As mail comes in by these services (canonical(5)).
    Arrival(Service),
    /// As mail leaves for other sites (generic(5)).
    Egress,
}

impl Stage {
    /// The word of the site language.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Arrival(service) => service.as_str(),
            Stage::Egress => "egress",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Stage> {
        if word == Stage::Egress.as_str() { Some(Stage::Egress) } else { Service::parse(word).map(Stage::Arrival) }
    }
}

/// Which addresses of a message are meant (`canonical_classes`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The envelope sender, and the fields that name senders.
    Sender,
    /// The envelope recipients, and the fields that name recipients.
    Recipient,
    /// Both.
    Both,
    /// The envelope sender alone.
    EnvelopeSender,
    /// The envelope recipients alone.
    EnvelopeRecipient,
    /// The From field alone.
    HeaderFrom,
}

impl Place {
    /// Every place.
    pub const ALL: [Place; 6] =
        [Place::Sender, Place::Recipient, Place::Both, Place::EnvelopeSender, Place::EnvelopeRecipient, Place::HeaderFrom];

    /// The word of the site language.
    pub fn as_str(self) -> &'static str {
        match self {
            Place::Sender => "sender",
            Place::Recipient => "recipient",
            Place::Both => "both",
            Place::EnvelopeSender => "envelope-sender",
            Place::EnvelopeRecipient => "envelope-recipient",
            Place::HeaderFrom => "header-from",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Place> {
        Place::ALL.into_iter().find(|place| place.as_str() == word)
    }

    /// Whether an address that stands there is meant.
    pub fn covers(self, slot: Slot) -> bool {
        match self {
            Place::Both => true,
            Place::Sender => matches!(slot, Slot::EnvelopeSender | Slot::From | Slot::Senders),
            Place::Recipient => matches!(slot, Slot::EnvelopeRecipient | Slot::Recipients),
            Place::EnvelopeSender => slot == Slot::EnvelopeSender,
            Place::EnvelopeRecipient => slot == Slot::EnvelopeRecipient,
            Place::HeaderFrom => slot == Slot::From,
        }
    }
}

/// Where one address of a message stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Slot {
    /// MAIL.
    EnvelopeSender,
    /// RCPT.
    EnvelopeRecipient,
    /// From.
    From,
    /// Sender, Reply-To and the others that name who sent it.
    Senders,
    /// To, Cc and the others that name whom it is for.
    Recipients,
}

impl Slot {
    /// The slot of a header field; `None` for one without addresses that are rewritten. Names are compared without case.
    pub fn of_field(name: &[u8]) -> Option<Slot> {
        const SENDERS: [&str; 6] =
            ["sender", "reply-to", "resent-from", "resent-sender", "resent-reply-to", "disposition-notification-to"];
        const RECIPIENTS: [&str; 6] = ["to", "cc", "bcc", "resent-to", "resent-cc", "resent-bcc"];
        let is = |known: &&str| name.eq_ignore_ascii_case(known.as_bytes());
        match () {
            () if is(&"from") => Some(Slot::From),
            () if SENDERS.iter().any(|known| is(known)) => Some(Slot::Senders),
            () if RECIPIENTS.iter().any(|known| is(known)) => Some(Slot::Recipients),
            () => None,
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Slot::EnvelopeSender => "envelope sender",
            Slot::EnvelopeRecipient => "envelope recipient",
            Slot::From => "From",
            Slot::Senders => "Sender and Reply-To",
            Slot::Recipients => "To and Cc",
        })
    }
}

/// Host names that are hidden behind their domain (`masquerade_domains`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Masquerade {
    /// The domain that takes the place of everything below it.
    pub domain: Domain,
    /// Local parts that keep their host, folded (`masquerade_exceptions`).
    pub except: Vec<LocalPart>,
    /// Domains of the site below it: they are more than names of hosts, and stay.
    pub kept: Vec<Domain>,
    /// Where it was said.
    pub origin: Origin,
}

/// A copy for somebody who keeps mail (`always_bcc`, `sender_bcc_maps`, `recipient_bcc_maps`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Archive {
    /// Who gets it.
    pub to: Mailbox,
    /// Of which mail.
    pub when: Archived,
    /// Where it was said.
    pub origin: Origin,
}

/// Which mail is archived.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Archived {
    /// All.
    All,
    /// Mail of these senders.
    From(Selection),
    /// Mail to these recipients.
    To(Selection),
}

/// Some addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Selection {
    /// One.
    Mailbox(Mailbox),
    /// By their domain.
    Pattern(RoutePattern),
}

impl Selection {
    /// Reads an address or a pattern of domains.
    pub fn parse(text: &str) -> Option<Selection> {
        match text.split_once('@') {
            Some((local, _)) if !local.is_empty() => Mailbox::parse(text).ok().map(Selection::Mailbox),
            _ if text == "*" => Some(Selection::Pattern(RoutePattern::Any)),
            _ => match text.strip_prefix('.') {
                Some(parent) => Domain::parse(parent).ok().map(RoutePattern::Below).map(Selection::Pattern),
                None => Domain::parse(text.trim_start_matches('@')).ok().map(RoutePattern::Domain).map(Selection::Pattern),
            },
        }
    }
}

impl Archived {
    /// Reads `from:example.com`, `to:alice@example.com`.
    pub fn parse(text: &str) -> Option<Archived> {
        let (word, selection) = text.split_once(':')?;
        let selection = Selection::parse(selection.trim())?;
        match word {
            "from" => Some(Archived::From(selection)),
            "to" => Some(Archived::To(selection)),
            _ => None,
        }
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Selection::Mailbox(mailbox) => mailbox.fmt(f),
            Selection::Pattern(pattern) => pattern.fmt(f),
        }
    }
}

impl fmt::Display for Archived {
    /// As the site language has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Archived::All => f.write_str("all"),
            Archived::From(selection) => write!(f, "from:{selection}"),
            Archived::To(selection) => write!(f, "to:{selection}"),
        }
    }
}

/// The Sender Rewriting Scheme of a site: under which domain forwarded mail leaves, and what signs its addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Srs {
    /// The domain of the addresses.
    pub domain: Domain,
    /// The credential that holds the secrets, one a line: the first signs, all verify.
    pub secret: SecretName,
    /// Where it was said.
    pub origin: Origin,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_slots() {
        assert!(Place::Sender.covers(Slot::From) && Place::Sender.covers(Slot::Senders));
        assert!(!Place::Sender.covers(Slot::EnvelopeRecipient) && !Place::HeaderFrom.covers(Slot::Senders));
        assert_eq!(Slot::of_field(b"FROM"), Some(Slot::From));
        assert_eq!(Slot::of_field(b"reply-to"), Some(Slot::Senders));
        assert_eq!(Slot::of_field(b"Cc"), Some(Slot::Recipients));
        assert_eq!(Slot::of_field(b"Subject"), None);
    }

    #[test]
    fn what_is_archived_is_read_and_written_alike() {
        for text in ["from:example.com", "to:.example.com", "to:alice@example.com", "from:*"] {
            assert_eq!(Archived::parse(text).map(|archived| archived.to_string()).as_deref(), Some(text));
        }
        for text in ["example.com", "by:example.com", "from:", "to:a b@c"] {
            assert_eq!(Archived::parse(text), None, "{text}");
        }
    }
}
