//! Draft of domains and the addresses in them.

use super::Setting;
use crate::source::{Span, Spanned};
use postern_schema::name::{Domain, LocalPart, Mailbox};
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
    /// In source order; two may have the same local part, which a rule reports.
    pub addresses: Vec<AddressDraft>,
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

/// `mailbox`, `alias`, or a row of a table.
#[derive(Clone, Debug)]
pub struct AddressDraft {
    /// The node or row.
    pub span: Span,
    /// The local part.
    pub local: Spanned<LocalPart>,
    /// What it is.
    pub form: AddressForm,
}

/// What an address is.
#[derive(Clone, Debug)]
pub enum AddressForm {
    /// Mail is kept here.
    Mailbox {
        /// The most that it holds, in octets.
        quota_octets: Option<Spanned<u64>>,
    },
    /// Mail goes to others; bare local parts are already qualified.
    Alias(Vec<Spanned<Mailbox>>),
}

impl DomainDraft {
    /// The first address of that folded local part.
    pub fn address(&self, folded_local: &str) -> Option<&AddressDraft> {
        self.addresses.iter().find(|address| address.local.value.folded() == folded_local)
    }
}
