//! What a book says of one address: [`Address`] and [`Target`], both no more than a place in it.

use super::{AddressBook, AddressId, Forwarding, HostId, Kind, StoredTarget};
use crate::source::{Span, Spanned};
use postern_schema::name::{Domain, HostName, LocalPart, Mailbox};
use postern_schema::site::{AddressEntry, AddressKind, Forward, Origin};
use std::fmt;

/// An address of the site.
#[derive(Clone, Copy)]
pub struct Address<'a> {
    book: &'a AddressBook,
    id: AddressId,
}

/// What an address is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Mail is kept here.
    Mailbox,
    /// Mail goes to others.
    Alias,
    /// Mail is sent on to another site.
    Forward,
    /// A list manager has it.
    List,
    /// The host behind a relay domain has it.
    Relayed,
}

/// One target of an alias.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    book: &'a AddressBook,
    stored: &'a StoredTarget,
}

impl<'a> Address<'a> {
    pub(super) fn new(book: &'a AddressBook, id: AddressId) -> Address<'a> {
        Address { book, id }
    }

    fn entry(&self) -> &'a super::Entry {
        &self.book.entries[self.id.0 as usize]
    }

    /// Its position among all declarations.
    pub fn id(&self) -> AddressId {
        self.id
    }

    /// The domain that it lies in.
    pub fn host(&self) -> HostId {
        self.entry().host
    }

    /// The domain that it lies in, by name.
    pub fn host_name(&self) -> &'a HostName {
        self.book.host_name(self.host())
    }

    /// The domain that it lies in; `None` never comes of a site, which has no address in a literal.
    pub fn domain(&self) -> Option<&'a Domain> {
        self.host_name().domain()
    }

    /// The local part, folded.
    pub fn local(&self) -> &'a str {
        self.book.read(self.entry().local)
    }

    /// What it is.
    pub fn form(&self) -> Form {
        match self.entry().kind {
            Kind::Mailbox | Kind::Quota => Form::Mailbox,
            Kind::Alias => Form::Alias,
            Kind::Forward(_) => Form::Forward,
            Kind::List => Form::List,
            Kind::Relayed => Form::Relayed,
        }
    }

    /// Whether mail goes to others: an alias or a forward.
    pub fn is_alias(&self) -> bool {
        matches!(self.form(), Form::Alias | Form::Forward)
    }

    /// How it is sent on, of a forward.
    pub fn forwarding(&self) -> Option<Forwarding> {
        match self.entry().kind {
            Kind::Forward(how) => Some(how),
            _ => None,
        }
    }

    /// The transport that leads to the manager, of a list.
    pub fn list_transport(&self) -> Option<&'a str> {
        let entry = self.entry();
        (entry.kind == Kind::List).then(|| &*self.book.transports[entry.first as usize])
    }

    /// Whether mail is kept here.
    pub fn is_mailbox(&self) -> bool {
        self.form() == Form::Mailbox
    }

    /// Where its mail goes; nowhere else where it is a mailbox.
    pub fn targets(&self) -> impl ExactSizeIterator<Item = Target<'a>> + use<'a> {
        let entry = self.entry();
        let (first, count) = (entry.first as usize, entry.count as usize);
        let stored =
            if matches!(entry.kind, Kind::Alias | Kind::Forward(_)) { &self.book.targets[first..first + count] } else { &[] };
        let book = self.book;
        stored.iter().map(move |stored| Target { book, stored })
    }

    /// The most that the mailbox holds, in octets, where it was said.
    pub fn quota_octets(&self) -> Option<Spanned<u64>> {
        let entry = self.entry();
        (entry.kind == Kind::Quota).then(|| self.book.quotas[entry.first as usize].clone())
    }

    /// Where its local part stands.
    pub fn span(&self) -> Span {
        self.entry().place.span()
    }

    /// The line of its node or row.
    pub fn origin(&self) -> Origin {
        Origin { file: self.entry().file, line: self.entry().line }
    }

    /// The whole address, folded; `None` where folding has made the local part too long to be one, so that nobody reaches it.
    pub fn mailbox(&self) -> Option<Mailbox> {
        let local = LocalPart::from_content(self.local()).ok()?;
        Some(Mailbox::new(local, self.host_name().clone()))
    }

    /// What the daemon knows of it.
    pub fn to_kind(&self) -> AddressKind {
        let targets = || self.targets().map(|target| Forward { mailbox: target.mailbox() }).collect();
        match self.entry().kind {
            Kind::Mailbox | Kind::Quota => AddressKind::Mailbox { quota_octets: self.quota_octets().map(|quota| quota.value) },
            Kind::Relayed => AddressKind::Relayed,
            Kind::Alias => AddressKind::Alias(targets()),
            Kind::Forward(how) => AddressKind::Forward { targets: targets(), srs: how.srs(), keep_copy: how.keep_copy() },
            Kind::List => AddressKind::List { transport: self.list_transport().unwrap_or_default().into() },
        }
    }

    /// The same, with its line.
    pub fn to_entry(&self) -> AddressEntry {
        AddressEntry { kind: self.to_kind(), origin: self.origin() }
    }
}

impl<'a> Target<'a> {
    /// Where it lies.
    pub fn host(&self) -> HostId {
        self.stored.host
    }

    /// Where it lies, by name.
    pub fn host_name(&self) -> &'a HostName {
        self.book.host_name(self.host())
    }

    /// Where it lies, in the form that names are compared by.
    pub fn host_text(&self) -> &'a str {
        &self.book.host_texts[self.stored.host.0 as usize]
    }

    /// Its local part, as it was written.
    pub fn local(&self) -> &'a str {
        self.book.read(self.stored.local)
    }

    /// Where it stands.
    pub fn span(&self) -> Span {
        self.stored.place.span()
    }

    /// The whole address.
    pub fn mailbox(&self) -> Mailbox {
        let local = LocalPart::from_content(self.local()).unwrap_or_else(|_| unreachable!("it was a local part when it came in"));
        Mailbox::new(local, self.host_name().clone())
    }
}

impl fmt::Display for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mailbox() {
            Some(mailbox) => mailbox.fmt(f),
            None => write!(f, "{}@{}", self.local(), self.host_name()),
        }
    }
}

impl fmt::Debug for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.mailbox().fmt(f)
    }
}

impl fmt::Debug for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
