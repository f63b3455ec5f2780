//! What a command is about where either a site or a snapshot will do: both become a [`Model`].

use super::Failure;
use super::site::refuse;
use crate::compile::{CompileOptions, compile};
use crate::addresses::AddressBook;
use crate::model::Model;
use postern_schema::decide::{Lookup, LookupFailed};
use postern_schema::name::{Domain, LocalPart};
use postern_schema::snapshot::codec::Stored;
use postern_schema::snapshot::{Snapshot, Table, key};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Whether a path means a snapshot: a `.mdb` file, a link to one, or a folder.
pub fn is_snapshot(path: &Path) -> bool {
    let file = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    file.extension().is_some_and(|extension| extension == "mdb") || file.is_dir()
}

/// The site behind a path. A site that does not compile has its errors shown.
pub fn open(path: &Path) -> Result<Model, Failure> {
    if is_snapshot(path) {
        let snapshot = Snapshot::open(path)?;
        return read(&snapshot).map_err(|error| Failure::missing(format!("{} makes no sense: {error}", path.display())));
    }
    let mut compiled = compile(path, &CompileOptions::default())?;
    compiled.model.take().ok_or_else(|| refuse(path, &compiled))
}

/// Everything that a snapshot holds.
///
/// # Errors
/// [`LookupFailed`] where an entry makes no sense.
pub fn read(snapshot: &Snapshot) -> Result<Model, LookupFailed> {
    let mut domains = BTreeMap::new();
    let mut addresses = AddressBook::default();
    for (name, value) in snapshot.entries(Table::Domains)? {
        let entry = Stored::decode(&value)?;
        domains.insert(domain(&name)?, Arc::new(entry));
    }
    for (name, value) in snapshot.entries(Table::Addresses)? {
        let (at, local) = key::split_address(&name).ok_or_else(damaged_key)?;
        let local = LocalPart::from_content(local).map_err(|_| damaged_key())?;
        addresses.insert(&domain(at.as_bytes())?, &local, &Stored::decode(&value)?);
    }
    Ok(Model { site: snapshot.site().clone(), domains, addresses: Arc::new(addresses) })
}

fn domain(name: &[u8]) -> Result<Domain, LookupFailed> {
    std::str::from_utf8(name).ok().and_then(|name| Domain::parse(name).ok()).ok_or_else(damaged_key)
}

fn damaged_key() -> LookupFailed {
    LookupFailed("a key is no name".into())
}
