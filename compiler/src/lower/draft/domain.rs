//! Draft of domains. The addresses in them are in [`crate::addresses::AddressBook`].

use super::Setting;
use crate::source::{Span, Spanned};
use postern_schema::name::{Domain, Mailbox};
use postern_schema::site::{DomainClass, Pattern};

/// One name of a `domain` or `parked` node. A node with several names makes several of these.
#[derive(Clone, Debug)]
pub struct DomainDraft {
    /// The node.
    pub span: Span,
    /// The domain.
    pub name: Spanned<Domain>,
    /// How its recipients are found; the place is where that was said, or else the name.
    pub class: Spanned<DomainClass>,
    /// The transport that takes mail for its mailboxes.
    pub transport: Setting<Box<str>>,
    /// Who gets mail for an unknown local part.
    pub catch_all: Option<Spanned<Mailbox>>,
    /// What divides a user from a detail.
    pub delimiter: Setting<Option<char>>,
    /// In order of precedence.
    pub patterns: Vec<PatternDraft>,
}

/// `pattern`.
#[derive(Clone, Debug)]
pub struct PatternDraft {
    /// Where the expression stands.
    pub expression: Span,
    /// Where the target stands.
    pub target: Span,
    /// The compiled pattern.
    pub pattern: Pattern,
}
