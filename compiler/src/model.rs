//! The compiled site in memory: what every rule has passed, and what is written into the snapshot. It answers the same
//! [`Lookup`] as the snapshot does, so `explain`, `test` and the rules decide with the daemon's own functions.

use crate::addresses::AddressBook;
use postern_schema::decide::{Lookup, LookupFailed};
use postern_schema::name::Domain;
use postern_schema::site::{AddressEntry, DomainEntry, Site};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A site without spans.
#[derive(Clone, Debug)]
pub struct Model {
    /// All that is small.
    pub site: Site,
    /// Every domain, by name.
    pub domains: BTreeMap<Domain, Arc<DomainEntry>>,
    /// Every address of every domain.
    pub addresses: Arc<AddressBook>,
}

impl Lookup for Model {
    fn site(&self) -> &Site {
        &self.site
    }

    fn domain(&self, name: &Domain) -> Result<Option<Arc<DomainEntry>>, LookupFailed> {
        Ok(self.domains.get(name).cloned())
    }

    fn address(&self, domain: &Domain, folded_local: &str) -> Result<Option<AddressEntry>, LookupFailed> {
        Ok(self.addresses.find_in(domain, folded_local).map(|address| address.to_entry()))
    }
}
