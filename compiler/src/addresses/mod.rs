//! Every address of a site in one table, from KDL and from table files alike: [`AddressBook`]. A million of them take some
//! seventy octets each: hosts are interned, local parts lie in one text, places are numbers.
//!
//! The draft and the model share one book. Rules walk it in the order of declaration and with places; the decisions ask it by
//! domain and folded local part; the snapshot is written from [`AddressBook::in_order`].

mod order;
mod view;

pub use view::{Address, Form, Target};

use crate::source::{Span, Spanned};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Slot;
use postern_schema::name::{Domain, HostName, LocalPart};
use postern_schema::site::{AddressEntry, AddressKind, Forward, Origin};
use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// A host in an [`AddressBook`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct HostId(u32);

/// An address in an [`AddressBook`]: its position in the order of declaration.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct AddressId(u32);

impl HostId {
    /// Its position among the hosts.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl AddressId {
    /// Its position among the declarations.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where a mail address is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Written {
    /// The stretch; its length is cut at 65,535 octets.
    pub span: Span,
    /// The line of the node or row that it belongs to.
    pub origin: Origin,
}

/// Every address of a site. See the module.
#[derive(Clone, Debug, Default)]
pub struct AddressBook {
    hosts: Vec<HostName>,
    /// The text of each, which is also its key.
    host_texts: Vec<Arc<str>>,
    /// How many addresses are declared in each host.
    counts: Vec<u32>,
    host_ids: HashMap<Arc<str>, HostId>,
    /// The local parts: of addresses folded, of targets as written.
    texts: String,
    entries: Vec<Entry>,
    targets: Vec<StoredTarget>,
    quotas: Vec<Spanned<u64>>,
    /// The transports of lists, each once.
    transports: Vec<Box<str>>,
    /// The first entry of each key.
    index: HashTable<AddressId>,
    /// Entries whose key another had before, with that other.
    repeated: Vec<(AddressId, AddressId)>,
    hasher: RandomState,
}

/// A stretch of [`AddressBook::texts`]. A local part has at most 255 octets, and three times as many once it is folded.
#[derive(Clone, Copy, Debug)]
struct Text {
    start: u32,
    octets: u16,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    start: u32,
    octets: u16,
    source: u16,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    host: HostId,
    /// Into `targets` of an alias or forward; into `quotas` of a mailbox with a quota; into `transports` of a list.
    first: u32,
    count: u32,
    line: u32,
    place: Place,
    local: Text,
    file: u16,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Mailbox,
    Quota,
    Alias,
    Forward(Forwarding),
    List,
    Relayed,
}

/// How a forward goes about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Forwarding {
    /// The sender stays.
    Plain,
    /// The sender stays, and so does a copy.
    Copy,
    /// The sender becomes one of the site.
    Srs,
    /// The same, and a copy stays.
    SrsAndCopy,
}

impl Forwarding {
    /// By its two properties.
    pub fn new(srs: bool, keep_copy: bool) -> Forwarding {
        match (srs, keep_copy) {
            (false, false) => Forwarding::Plain,
            (false, true) => Forwarding::Copy,
            (true, false) => Forwarding::Srs,
            (true, true) => Forwarding::SrsAndCopy,
        }
    }

    /// Whether the sender becomes one of the site.
    pub fn srs(self) -> bool {
        matches!(self, Forwarding::Srs | Forwarding::SrsAndCopy)
    }

    /// Whether a copy stays.
    pub fn keep_copy(self) -> bool {
        matches!(self, Forwarding::Copy | Forwarding::SrsAndCopy)
    }
}

#[derive(Clone, Copy, Debug)]
struct StoredTarget {
    host: HostId,
    place: Place,
    local: Text,
}

impl Place {
    fn of(span: Span) -> Place {
        Place { start: span.start, octets: span.length.min(u32::from(u16::MAX)) as u16, source: span.source.0 }
    }

    fn span(self) -> Span {
        Span { source: crate::source::SourceId(self.source), start: self.start, length: u32::from(self.octets) }
    }
}

/// The lower case of a local part; most are written in it.
pub fn folded(local: &str) -> Cow<'_, str> {
    if local.bytes().all(|octet| octet.is_ascii() && !octet.is_ascii_uppercase()) {
        Cow::Borrowed(local)
    } else {
        Cow::Owned(local.to_lowercase())
    }
}

impl AddressBook {
    /// Makes room for so many declarations more.
    pub fn reserve(&mut self, more: usize) {
        self.entries.reserve(more);
        let (entries, texts) = (&self.entries, &self.texts);
        self.index.reserve(more, |id| self.hasher.hash_one(key_of(*id, entries, texts)));
    }

    /// The host of that name, which is noted if it is new.
    pub fn host(&mut self, name: &HostName) -> HostId {
        let text = name.to_string();
        if let Some(id) = self.host_ids.get(text.as_str()) {
            return *id;
        }
        // No more hosts than octets of source, which are counted in 32 bits.
        let id = HostId(self.hosts.len() as u32);
        self.hosts.push(name.clone());
        self.counts.push(0);
        let text: Arc<str> = text.into();
        self.host_texts.push(Arc::clone(&text));
        self.host_ids.insert(text, id);
        id
    }

    /// The host that is known by this text, in the form that names are compared by. Whoever finds none parses the text.
    pub fn known_host(&self, text: &str) -> Option<HostId> {
        self.host_ids.get(text).copied()
    }

    /// The name of a host.
    pub fn host_name(&self, id: HostId) -> &HostName {
        &self.hosts[id.0 as usize]
    }

    /// Every host that an address or target lies in.
    pub fn hosts(&self) -> impl Iterator<Item = (HostId, &HostName)> {
        self.hosts.iter().enumerate().map(|(index, name)| (HostId(index as u32), name))
    }

    /// Adds a target to the alias that [`AddressBook::alias`] will close.
    pub fn target(&mut self, host: HostId, local: &LocalPart, span: Span) {
        let local = self.text(local.as_str());
        self.targets.push(StoredTarget { host, place: Place::of(span), local });
    }

    /// How many targets have been added; for [`AddressBook::alias`].
    pub fn targets_so_far(&self) -> usize {
        self.targets.len()
    }

    /// Declares an alias of the targets that were added since there were so many.
    pub fn alias(&mut self, domain: HostId, local: &LocalPart, written: Written, targets_before: usize) {
        let count = self.targets.len() - targets_before;
        self.declare(domain, local, written, Kind::Alias, targets_before as u32, count as u32);
    }

    /// Declares a forward to the targets that were added since there were so many.
    pub fn forward(&mut self, domain: HostId, local: &LocalPart, written: Written, targets_before: usize, how: Forwarding) {
        let count = self.targets.len() - targets_before;
        self.declare(domain, local, written, Kind::Forward(how), targets_before as u32, count as u32);
    }

    /// Declares an address of a mailing list, whose manager is behind a transport.
    pub fn list(&mut self, domain: HostId, local: &LocalPart, written: Written, transport: &str) {
        let known = self.transports.iter().position(|known| **known == *transport);
        let first = known.unwrap_or_else(|| {
            self.transports.push(transport.into());
            self.transports.len() - 1
        });
        self.declare(domain, local, written, Kind::List, first as u32, 0);
    }

    /// Declares a mailbox.
    pub fn mailbox(&mut self, domain: HostId, local: &LocalPart, written: Written, quota_octets: Option<Spanned<u64>>) {
        let first = self.quotas.len() as u32;
        let kind = if quota_octets.is_some() { Kind::Quota } else { Kind::Mailbox };
        self.quotas.extend(quota_octets);
        self.declare(domain, local, written, kind, first, 0);
    }

    /// Declares an address that the host behind a relay domain has.
    pub fn relayed(&mut self, domain: HostId, local: &LocalPart, written: Written) {
        self.declare(domain, local, written, Kind::Relayed, 0, 0);
    }

    /// Takes an entry of which only the line is known, as a snapshot has it.
    pub fn insert(&mut self, domain: &Domain, folded_local: &LocalPart, entry: &AddressEntry) {
        let nowhere = Span { source: crate::source::SourceId(entry.origin.file), start: 0, length: 0 };
        let written = Written { span: nowhere, origin: entry.origin };
        let domain = self.host(&HostName::Domain(domain.clone()));
        match &entry.kind {
            AddressKind::Mailbox { quota_octets } => {
                self.mailbox(domain, folded_local, written, quota_octets.map(|quota| Spanned::new(quota, nowhere)));
            }
            AddressKind::Alias(targets) => {
                let before = self.insert_targets(targets, nowhere);
                self.alias(domain, folded_local, written, before);
            }
            AddressKind::Forward { targets, srs, keep_copy } => {
                let before = self.insert_targets(targets, nowhere);
                self.forward(domain, folded_local, written, before, Forwarding::new(*srs, *keep_copy));
            }
            AddressKind::List { transport } => self.list(domain, folded_local, written, transport),
            AddressKind::Relayed => self.relayed(domain, folded_local, written),
        }
    }

    /// How many targets there were before these.
    fn insert_targets(&mut self, targets: &[Forward], span: Span) -> usize {
        let before = self.targets_so_far();
        for target in targets {
            let host = self.host(&target.mailbox.host);
            self.target(host, &target.mailbox.local, span);
        }
        before
    }

    fn text(&mut self, content: &str) -> Text {
        let start = self.texts.len() as u32;
        self.texts.push_str(content);
        Text { start, octets: content.len() as u16 }
    }

    fn read(&self, text: Text) -> &str {
        &self.texts[text.start as usize..text.start as usize + usize::from(text.octets)]
    }

    fn declare(&mut self, host: HostId, local: &LocalPart, written: Written, kind: Kind, first: u32, count: u32) {
        let id = AddressId(self.entries.len() as u32);
        let local = self.text(&folded(local.as_str()));
        self.counts[host.0 as usize] += 1;
        let Origin { file, line } = written.origin;
        self.entries.push(Entry { host, first, count, line, place: Place::of(written.span), local, file, kind });
        let (entries, texts) = (&self.entries, &self.texts);
        let key = |id: AddressId| key_of(id, entries, texts);
        let hash = |id: &AddressId| self.hasher.hash_one(key(*id));
        match self.index.entry(hash(&id), |other| key(*other) == key(id), hash) {
            Slot::Occupied(earlier) => self.repeated.push((id, *earlier.get())),
            Slot::Vacant(place) => drop(place.insert(id)),
        }
    }

    /// The address of that folded local part; of two with one key, the first.
    pub fn find(&self, host: HostId, folded_local: &str) -> Option<Address<'_>> {
        let wanted = (host, folded_local);
        let found = self.index.find(self.hasher.hash_one(wanted), |id| key_of(*id, &self.entries, &self.texts) == wanted);
        found.map(|id| self.address(*id))
    }

    /// The same by the name of the domain.
    pub fn find_in(&self, domain: &Domain, folded_local: &str) -> Option<Address<'_>> {
        self.known_host(domain.as_str()).and_then(|host| self.find(host, folded_local))
    }

    /// An address that was declared.
    pub fn address(&self, id: AddressId) -> Address<'_> {
        Address::new(self, id)
    }

    /// Every declaration, in order, those of a key that was declared before among them.
    pub fn declared(&self) -> impl Iterator<Item = Address<'_>> {
        (0..self.entries.len() as u32).map(|id| self.address(AddressId(id)))
    }

    /// The declarations of a key that was declared before, each with the first one.
    pub fn repeated(&self) -> impl Iterator<Item = (Address<'_>, Address<'_>)> {
        self.repeated.iter().map(|(second, first)| (self.address(*second), self.address(*first)))
    }

    /// How many addresses there are: those with one key count once.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// How many addresses are declared in a host.
    pub fn count_in(&self, host: HostId) -> usize {
        self.counts[host.0 as usize] as usize
    }

    /// How many declarations there are.
    pub fn declarations(&self) -> usize {
        self.entries.len()
    }
}

/// Host and folded local part of an entry.
fn key_of<'a>(id: AddressId, entries: &[Entry], texts: &'a str) -> (HostId, &'a str) {
    let Entry { host, local, .. } = entries[id.0 as usize];
    (host, &texts[local.start as usize..local.start as usize + usize::from(local.octets)])
}

#[cfg(test)]
mod tests;
