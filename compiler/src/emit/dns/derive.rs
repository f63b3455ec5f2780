//! From a site to its records. What the site does not say is not made up: where a record would have to guess, a note says
//! what is missing.
//!
//! The defaults are the cautious ones. SPF ends in `~all`, so that a forwarded message still reaches DKIM and DMARC
//! (RFC 7208 8.5). DMARC begins at `p=none`, which every large receiver asks for and which refuses nothing. A parked domain, of
//! which everything is known, gets the strictest of all.
//!
//! [`domain`] has what each domain publishes, [`host`] what the mail host does, [`spf`] who sends in a domain's name.

mod domain;
mod host;
mod spf;

pub use host::{announced, in_use};
pub use spf::{egress, names_relay, spf_of, ways};

use super::{Note, Planned, RecordSet, TTL_SECONDS};
use crate::model::Model;
use postern_schema::name::Domain;
use postern_schema::record::{Owner, Record, RecordData, RecordKind};
use postern_schema::site::DomainClass;
use std::collections::BTreeSet;

/// Every record of a site.
pub fn derive(model: &Model) -> RecordSet {
    let mut deriving = Deriving { model, set: RecordSet::default() };
    for (name, entry) in &model.domains {
        match entry.class {
            DomainClass::Parked => deriving.parked(name, entry),
            DomainClass::Local | DomainClass::AliasOf(_) | DomainClass::Relay(_) => deriving.served(name, entry),
        }
    }
    deriving.host();
    deriving.leave_aliases_alone();
    let mut set = deriving.set;
    set.records.sort();
    set.records.dedup_by(|a, b| a.record == b.record);
    set.reverse.sort();
    set
}

struct Deriving<'a> {
    model: &'a Model,
    set: RecordSet,
}

impl Deriving<'_> {
    fn add(&mut self, domain: &Domain, owner: Option<Owner>, data: RecordData, purpose: &'static str) {
        match owner {
            Some(owner) => {
                let record = Record { owner, data, ttl_seconds: TTL_SECONDS };
                let planned = Planned { zone: self.zone(domain), record, domain: domain.clone(), purpose };
                self.set.records.push(planned);
            }
            None => self.note(domain, format!("{domain} is too long a name for a record below it ({purpose})")),
        }
    }

    fn note(&mut self, domain: &Domain, text: String) {
        self.set.notes.push(Note { domain: domain.clone(), text });
    }

    /// An alias has no other records beside it (RFC 1034 3.6.2): where its name has some already, it is left out.
    fn leave_aliases_alone(&mut self) {
        let is_alias = |planned: &Planned| planned.record.data.kind() == RecordKind::Cname;
        let others = self.set.records.iter().filter(|planned| !is_alias(planned));
        let taken: BTreeSet<Owner> = others.map(|planned| planned.record.owner.clone()).collect();
        let (left, kept) = std::mem::take(&mut self.set.records)
            .into_iter()
            .partition::<Vec<Planned>, _>(|planned| is_alias(planned) && taken.contains(&planned.record.owner));
        self.set.records = kept;
        for planned in left {
            let (name, target) = (planned.record.owner.as_str(), planned.record.data.to_string());
            self.note(
                &planned.domain,
                format!("{name} has records of its own, so it is no alias: let it lead to {target} by its addresses"),
            );
        }
    }

    /// The topmost domain of the site that holds a name. A host outside of every domain is taken to lie in its parent's zone.
    fn zone(&self, name: &Domain) -> Domain {
        let topmost = self.holding(name).last();
        topmost.or_else(|| name.parent().filter(Domain::is_fully_qualified)).unwrap_or_else(|| name.clone())
    }

    /// The domains of the site that hold a name, the nearest first.
    fn holding(&self, name: &Domain) -> impl Iterator<Item = Domain> {
        let ancestors = std::iter::successors(Some(name.clone()), Domain::parent);
        ancestors.filter(|name| self.model.domains.contains_key(name))
    }
}
