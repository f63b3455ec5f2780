//! Which address leads to which: the graph of aliases, forwards, patterns, catch-alls, alias domains and rewritten recipients. Its edges are the answers of
//! [`postern_schema::decide::resolve`], the function that the daemon expands with; only the walk is ours.
//!
//! A pattern has no end of inputs. Its edges are followed from witnesses, local parts that its expression matches, so a loop
//! that is reported is one that a real address takes.

mod walk;
mod witness;

pub use witness::{samples, witnesses};

use crate::addresses::{Address, AddressBook, AddressId, Form, HostId, Target, folded};
use crate::lower::draft::{DomainDraft, PatternDraft, SiteDraft};
use crate::model::Model;
use crate::source::{Span, Spanned};
use postern_schema::decide::Lookup;
use postern_schema::name::{HostName, LocalPart, Mailbox};
use postern_schema::site::{DomainClass, Quarantine, Slot, Stage, Whose};
use walk::{Walk, Walked};

/// The graph of one site.
#[derive(Debug)]
pub struct AddressGraph {
    /// Every loop, once, beginning with what stands first in the site; of a very long one, its beginning.
    pub loops: Vec<Circle>,
    /// Loops that are not in `loops`, since there are so many.
    pub more_loops: usize,
    /// For each declared address, the most that it can lead to.
    fan_out: Vec<u32>,
    /// The targets that lie in a domain of the site and are not declared, by alias and position, in order.
    undeclared: Vec<(AddressId, u32)>,
    standings: Standings,
}

/// What can be said of an address without asking the daemon's decision.
#[derive(Clone, Copy)]
pub enum Direct<'a> {
    /// Not in a domain of the site.
    Elsewhere,
    /// It is declared.
    Declared(Address<'a>),
    /// Neither: a detail, a pattern, a catch-all, an alias domain; or nobody.
    Undeclared,
}

/// For each host of the book, whether it is a local domain: the first question of every look-up, answered once for a million.
#[derive(Debug)]
struct Standings(Vec<Standing>);

#[derive(Clone, Copy, Debug)]
enum Standing {
    Local,
    Other,
    Elsewhere,
}

impl Standings {
    fn new(book: &AddressBook, model: &Model) -> Standings {
        let standing = |name: &HostName| match name.domain().and_then(|domain| model.domains.get(domain)) {
            Some(entry) if entry.class == DomainClass::Local => Standing::Local,
            Some(_) => Standing::Other,
            None => Standing::Elsewhere,
        };
        Standings(book.hosts().map(|(_, name)| standing(name)).collect())
    }

    fn is_elsewhere(&self, host: HostId) -> bool {
        matches!(self.0[host.index()], Standing::Elsewhere)
    }

    /// The first step of [`postern_schema::decide::resolve`], and no other.
    fn direct<'a>(&self, book: &'a AddressBook, host: HostId, local: &str) -> Direct<'a> {
        match self.0[host.index()] {
            Standing::Elsewhere => Direct::Elsewhere,
            Standing::Other => Direct::Undeclared,
            Standing::Local => book.find(host, &folded(local)).map_or(Direct::Undeclared, Direct::Declared),
        }
    }
}

/// A way that does not end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Circle {
    /// What it leads through.
    pub hops: Vec<Hop>,
    /// Whether its patterns make a new address every time, so that it never comes back to one that it was at.
    pub grows: bool,
}

/// One edge of a loop: the address, and what sends its mail on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hop {
    /// The address that is resolved.
    pub address: Mailbox,
    /// The place of the entry that resolves it.
    pub span: Span,
    /// What kind of entry that is.
    pub role: Role,
}

/// What an address written in the site is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// A target of an alias.
    Alias,
    /// A target of a forward.
    Forward,
    /// What a `rewrite` makes of recipients.
    Rewrite,
    /// Who gets copies.
    Archive,
    /// The target of a pattern, where it has no groups.
    Pattern,
    /// The target of a catch-all.
    CatchAll,
    /// The site's postmaster.
    Postmaster,
    /// Where mail is set aside.
    Quarantine,
}

impl Role {
    /// That of the targets of an address.
    pub fn of(address: &Address<'_>) -> Role {
        if address.form() == Form::Forward { Role::Forward } else { Role::Alias }
    }

    /// "alias target", for messages.
    pub fn describe(self) -> &'static str {
        match self {
            Role::Alias => "alias target",
            Role::Forward => "forward target",
            Role::Rewrite => "rewritten recipient",
            Role::Archive => "archive",
            Role::Pattern => "pattern target",
            Role::CatchAll => "catch-all",
            Role::Postmaster => "postmaster",
            Role::Quarantine => "quarantine",
        }
    }
}

/// Every address that the site sends mail to but the targets of aliases, with its place, in source order within each kind.
pub fn targets(draft: &SiteDraft) -> Vec<(Role, Spanned<Mailbox>)> {
    let mut found = Vec::new();
    if let Some(postmaster) = draft.host.postmaster.said() {
        found.push((Role::Postmaster, postmaster.map(Mailbox::clone)));
    }
    for domain in &draft.domains {
        for pattern in &domain.patterns {
            // With groups in it the text is no address, or one of many.
            let target = pattern.pattern.target();
            if !target.contains('{')
                && let Ok(target) = Mailbox::parse(target)
            {
                found.push((Role::Pattern, Spanned::new(target, pattern.target)));
            }
        }
        found.extend(domain.catch_all.iter().map(|target| (Role::CatchAll, target.clone())));
    }
    let recipients =
        draft.rewriting.rewrites.iter().filter(|said| said.at != Stage::Egress && said.place.covers(Slot::EnvelopeRecipient));
    found.extend(recipients.filter_map(|said| match &said.to.value {
        Whose::Mailbox(to) => Some((Role::Rewrite, Spanned::new(to.clone(), said.to.span))),
        Whose::Domain(_) => None,
    }));
    found.extend(draft.rewriting.archives.iter().map(|archive| (Role::Archive, archive.to.clone())));
    if let Some(Spanned { value: Quarantine::To(mailbox), span }) = &draft.screen.quarantine {
        found.push((Role::Quarantine, Spanned::new(mailbox.clone(), *span)));
    }
    found
}

/// Addresses that a pattern with groups in its target makes, for local parts that it takes.
pub fn made_by(pattern: &PatternDraft) -> impl Iterator<Item = Mailbox> {
    let has_groups = pattern.pattern.target().contains('{');
    let taken = witnesses(pattern.pattern.expression()).into_iter().filter(move |_| has_groups);
    taken.filter_map(|local| Mailbox::parse(&pattern.pattern.apply(&local.folded())?).ok())
}

impl AddressGraph {
    /// Walks from every alias, every witness of every pattern, and every catch-all.
    pub fn new(draft: &SiteDraft, model: &Model) -> AddressGraph {
        let standings = Standings::new(&draft.addresses, model);
        let mut walk = Walk::new(draft, model, &standings);
        draft.addresses.declared().filter(Address::is_alias).for_each(|alias| walk.follow_alias(alias.id()));
        for domain in &draft.domains {
            let host = HostName::Domain(domain.name.value.clone());
            for pattern in &domain.patterns {
                for witness in witnesses(pattern.pattern.expression()) {
                    walk.follow(Mailbox::new(witness, host.clone()));
                }
            }
            if domain.catch_all.is_some()
                && let Some(unknown) = unknown_local(domain, model)
            {
                walk.follow(Mailbox::new(unknown, host));
            }
        }
        for rewritten in draft.rewriting.rewrites.iter().filter(|said| said.place.covers(Slot::EnvelopeRecipient)) {
            if let Whose::Mailbox(to) = &rewritten.to.value {
                walk.follow(to.clone());
            }
        }
        let Walked { loops, more_loops, fan_out, undeclared } = walk.finish();
        AddressGraph { loops, more_loops, fan_out, undeclared, standings }
    }

    /// What can be said of a target at once.
    pub fn direct<'a>(&self, book: &'a AddressBook, target: &Target<'_>) -> Direct<'a> {
        self.standings.direct(book, target.host(), target.local())
    }

    /// Whether a target lies in no domain of the site.
    pub fn is_elsewhere(&self, target: &Target<'_>) -> bool {
        self.standings.is_elsewhere(target.host())
    }

    /// The targets of aliases that lie in a domain of the site and are not declared, in the order of declaration.
    pub fn undeclared<'a>(&self, book: &'a AddressBook) -> impl Iterator<Item = Target<'a>> {
        self.undeclared.iter().filter_map(|(alias, position)| book.address(*alias).targets().nth(*position as usize))
    }

    /// The most addresses that mail to a declared one can come to, those on the way among them. Where ways meet again, fewer.
    pub fn fan_out(&self, address: AddressId) -> usize {
        self.fan_out[address.index()] as usize
    }
}

/// Local parts that nobody has are as many as one likes; this one is not declared and no pattern takes it.
fn unknown_local(domain: &DomainDraft, model: &Model) -> Option<LocalPart> {
    let free = |local: &LocalPart| {
        let declared = model.address(&domain.name.value, local.as_str()).ok().flatten().is_some();
        !declared && domain.patterns.iter().all(|pattern| pattern.pattern.apply(local.as_str()).is_none())
    };
    (0..64).filter_map(|n| LocalPart::from_content(&format!("nobody{n}")).ok()).find(free)
}

#[cfg(test)]
mod tests;
