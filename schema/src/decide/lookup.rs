//! How decisions read a site: one trait, implemented by the snapshot reader and by the compiler's site in memory.

use crate::name::Domain;
use crate::site::{AddressEntry, DomainEntry, Site};
use std::fmt;
use std::sync::Arc;

/// A site that can be asked. Implementations answer from what they hold and never wait for anything but a page of memory.
pub trait Lookup {
    /// All that is small.
    fn site(&self) -> &Site;

    /// The domain of that name, if it is one of the site's.
    ///
    /// # Errors
    /// [`LookupFailed`] if the store is damaged: the caller answers 451 and never takes it for "no".
    fn domain(&self, name: &Domain) -> Result<Option<Arc<DomainEntry>>, LookupFailed>;

    /// The address of that folded local part (lower case, no quotes) in a domain of the site.
    ///
    /// # Errors
    /// As for [`Lookup::domain`].
    fn address(&self, domain: &Domain, folded_local: &str) -> Result<Option<AddressEntry>, LookupFailed>;
}

/// The store could not be read. What it says is for the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LookupFailed(pub Box<str>);

impl fmt::Display for LookupFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LookupFailed {}
