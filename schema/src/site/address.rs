//! The addresses of the domains that mail is taken for.

use super::Origin;
use crate::name::Mailbox;

/// What one address of a domain is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddressEntry {
    /// What it is.
    pub kind: AddressKind,
    /// Where it was said.
    pub origin: Origin,
}

/// A mailbox, or other addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AddressKind {
    /// Mail is kept here.
    Mailbox {
        /// The most that it holds, in octets; `None`: the site's limit.
        quota_octets: Option<u64>,
    },
    /// Mail goes to others instead; each is looked up in its turn.
    Alias(Vec<Forward>),
    /// The host behind a relay domain has it.
    Relayed,
    /// Mail is sent on to another site, in the name of whoever wrote it (`forward`).
    Forward {
        /// Where to.
        targets: Vec<Forward>,
        /// Whether it leaves with a sender of this site (SRS), so that SPF passes there.
        srs: bool,
        /// Whether a mailbox of that name keeps a copy.
        keep_copy: bool,
    },
    /// An address of a mailing list: its manager takes it as it is, detail and all.
    List {
        /// The transport that leads to the manager.
        transport: Box<str>,
    },
}

/// One target of an alias.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Forward {
    /// The whole address: a bare local part was qualified with its domain by the compiler.
    pub mailbox: Mailbox,
}
