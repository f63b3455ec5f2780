//! The domains of a site. One domain has one class; what it does not accept is refused.

use super::{DkimSigner, Origin, Publication};
use crate::name::{Domain, Mailbox};
use regex::{Regex, RegexBuilder};
use std::fmt;

/// A domain of the site.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DomainEntry {
    /// The domain.
    pub name: Domain,
    /// How its recipients are found.
    pub class: DomainClass,
    /// The transport that takes mail for its mailboxes.
    pub transport: Box<str>,
    /// Who gets mail for an unknown local part.
    pub catch_all: Option<(Mailbox, Origin)>,
    /// What divides a user from a detail (`recipient_delimiter`); `None`: nothing does.
    pub delimiter: Option<char>,
    /// Rewriting of unknown local parts; first match wins, before the catch-all.
    pub patterns: Vec<Pattern>,
    /// Its DKIM keys, in source order.
    pub signers: Vec<DkimSigner>,
    /// What it publishes of itself.
    pub publication: Publication,
    /// Where it was said.
    pub origin: Origin,
}

/// The address class of a domain, in the words of Postfix's ADDRESS_CLASS_README.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DomainClass {
    /// Mailboxes and aliases here (`virtual_mailbox_domains`, `virtual_alias_domains`, `mydestination`).
    Local,
    /// Every address has its counterpart in another local domain (`virtual_alias_domains` with `@a @b`).
    AliasOf(Domain),
    /// Takes no mail and sends none.
    Parked,
    /// Mail is taken on behalf of another host and handed on to it (`relay_domains`).
    Relay(Onward),
}

/// How a relay domain takes mail and hands it on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Onward {
    /// Where to; `None`: where the routes lead.
    pub via: Option<NextHop>,
    /// Whether only the recipients are taken that the site lists (`relay_recipient_maps`).
    pub listed: bool,
}

/// The host behind a relay domain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NextHop {
    /// A `relay` of the site.
    Relay(Box<str>),
    /// A `transport` of the site (`relay_transport`).
    Transport(Box<str>),
}

impl NextHop {
    /// Its name in the site.
    pub fn name(&self) -> &str {
        match self {
            NextHop::Relay(name) | NextHop::Transport(name) => name,
        }
    }
}

impl DomainClass {
    /// Whether this host is no more than a further MX of the domain, as its routes lead to the others: what else the domain
    /// publishes is for the site to say that has its mailboxes.
    pub fn is_backup(&self) -> bool {
        matches!(self, DomainClass::Relay(Onward { via: None, .. }))
    }
}

impl fmt::Display for DomainClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DomainClass::Local => f.write_str("local"),
            DomainClass::AliasOf(domain) => write!(f, "alias-of {domain}"),
            DomainClass::Parked => f.write_str("parked"),
            DomainClass::Relay(_) => f.write_str("relay"),
        }
    }
}

/// A rewriting of local parts by pattern (`regexp:` in `virtual_alias_maps`).
#[derive(Clone, Debug)]
pub struct Pattern {
    expression: Regex,
    target: Box<str>,
    /// Where it was said.
    pub origin: Origin,
}

impl Pattern {
    /// The largest compiled expression, in octets: bounds the memory that one line of a site can take.
    pub const SIZE_LIMIT_OCTETS: usize = 1 << 20;

    /// Takes a regular expression over the folded local part (linear in time, as the `regex` crate's all are) and the address
    /// that results from it, in which `{1}` to `{9}` stand for groups.
    ///
    /// # Errors
    /// The expression's own error, if it is none.
    pub fn new(expression: &str, target: &str, origin: Origin) -> Result<Pattern, regex::Error> {
        let expression = RegexBuilder::new(expression).size_limit(Pattern::SIZE_LIMIT_OCTETS).build()?;
        Ok(Pattern { expression, target: target.into(), origin })
    }

    /// The expression, as written.
    pub fn expression(&self) -> &str {
        self.expression.as_str()
    }

    /// The target, as written.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The address that a local part turns into; `None` where the expression does not match. The result is text: a group may
    /// hold what makes it no address.
    pub fn apply(&self, folded_local: &str) -> Option<String> {
        let groups = self.expression.captures(folded_local)?;
        let mut result = String::new();
        let mut rest = &*self.target;
        while let Some(open) = rest.find('{') {
            result.push_str(&rest[..open]);
            match rest.as_bytes().get(open + 1..open + 3) {
                Some(&[digit @ b'1'..=b'9', b'}']) => {
                    result.push_str(groups.get(usize::from(digit - b'0')).map_or("", |group| group.as_str()));
                    rest = &rest[open + 3..];
                }
                _ => {
                    result.push('{');
                    rest = &rest[open + 1..];
                }
            }
        }
        result.push_str(rest);
        Some(result)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.expression() == other.expression() && self.target == other.target && self.origin == other.origin
    }
}

impl Eq for Pattern {}
