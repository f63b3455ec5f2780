//! SPF: records that no receiver can evaluate, that let too many pass, or that do not cover what the site sends.

pub mod egress_unsaid;
pub mod include_of_nobody;
pub mod neutral;
pub mod said_twice;
pub mod too_long;
pub mod too_many_lookups;
pub mod wide_range;

use super::Subject;
use crate::emit::dns::spf_of;
use crate::source::Span;
use postern_schema::name::Domain;
use postern_schema::record::{Spf, SpfTerm};
use postern_schema::site::DomainClass;

/// The record of every domain that sends and of which one can be given: with the place of its `spf`, or else of its name.
fn records<'a>(subject: &'a Subject<'_>) -> impl Iterator<Item = (&'a Domain, Span, Spf)> {
    let sending = subject
        .draft
        .domain_nodes()
        .filter(|domain| domain.class.value != DomainClass::Parked && !domain.class.value.is_backup());
    sending.filter_map(|domain| {
        let entry = subject.model.domains.get(&domain.name.value)?;
        let spf = spf_of(&subject.model.site, &entry.name, &entry.publication.spf).ok()?;
        Some((&domain.name.value, domain.publication.spf.as_ref().map_or(domain.name.span, |spf| spf.span), spf))
    })
}

/// The names that a record includes.
fn includes(record: &Spf) -> impl Iterator<Item = &Domain> {
    record.terms.iter().filter_map(|term| match term {
        SpfTerm::Include(name) => Some(name),
        SpfTerm::Network(_) | SpfTerm::OwnAddresses | SpfTerm::AddressesOf(_) => None,
    })
}

/// The first few names of a list.
fn and_others(domains: &[&Domain]) -> String {
    const SHOWN: usize = 4;
    let names: Vec<&str> = domains.iter().take(SHOWN).map(|domain| domain.as_str()).collect();
    match domains.len().saturating_sub(SHOWN) {
        0 => names.join(", "),
        more => format!("{}, and {more} more", names.join(", ")),
    }
}
