//! What a command is about where either a site or a snapshot will do: both become a [`Model`].

use super::Failure;
use super::site::refuse;
use crate::addresses::AddressBook;
use crate::compile::{CompileOptions, Compiled, compile};
use crate::emit::publish;
use crate::model::Model;
use crate::plan::undated;
use postern_schema::decide::{Lookup, LookupFailed};
use postern_schema::name::{Domain, LocalPart};
use postern_schema::site::Selector;
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

/// The snapshot behind a path; in the state folder of a daemon, the one that it serves.
pub fn open_snapshot(path: &Path) -> Result<Snapshot, Failure> {
    let served = path.join("site");
    let is_state = !path.join("current").exists() && served.join("current").exists();
    Ok(Snapshot::open(if is_state { &served } else { path })?)
}

/// A site or snapshot, and the digest that it has or would have.
pub struct Subject {
    /// The site.
    pub model: Model,
    /// The digest of its snapshot.
    pub digest: String,
    /// Keys whose removal has no date; a snapshot holds no dates, and is not asked for them.
    pub undated: Vec<(Domain, Selector)>,
}

impl Subject {
    /// The site behind a path. A site that does not compile has its errors shown.
    pub fn open(path: &Path) -> Result<Subject, Failure> {
        if is_snapshot(path) {
            let snapshot = open_snapshot(path)?;
            let digest = snapshot.digest().to_owned();
            return Ok(Subject { model: read_all(&snapshot, path)?, digest, undated: Vec::new() });
        }
        let (compiled, model) = compile_site(path)?;
        let digest = publish::digest(&model, &compiled.sources.digests())?;
        let undated = compiled.draft.as_ref().map(undated).unwrap_or_default();
        Ok(Subject { model, digest, undated })
    }
}

/// The site behind a path. A site that does not compile has its errors shown.
pub fn open(path: &Path) -> Result<Model, Failure> {
    if is_snapshot(path) { read_all(&open_snapshot(path)?, path) } else { Ok(compile_site(path)?.1) }
}

/// The same; and the site as far as it says anything where rules refuse it, with their findings: who wants to know why does not want to
/// mend it first.
pub fn open_refused(path: &Path) -> Result<(Model, Option<Failure>), Failure> {
    if is_snapshot(path) {
        return Ok((open(path)?, None));
    }
    let mut compiled = compile(path, &CompileOptions::default())?;
    if let Some(model) = compiled.model.take() {
        return Ok((model, None));
    }
    let refused = refuse(path, &compiled);
    match compiled.draft.filter(|draft| draft.gaps.is_empty()) {
        Some(draft) => Ok((draft.to_model(&compiled.sources), Some(refused))),
        None => Err(refused),
    }
}

fn compile_site(path: &Path) -> Result<(Compiled, Model), Failure> {
    let mut compiled = compile(path, &CompileOptions::default())?;
    match compiled.model.take() {
        Some(model) => Ok((compiled, model)),
        None => Err(refuse(path, &compiled)),
    }
}

fn read_all(snapshot: &Snapshot, path: &Path) -> Result<Model, Failure> {
    read(snapshot).map_err(|error| Failure::missing(format!("{} makes no sense: {error}", path.display())))
}

/// The text of a file, or of standard input where it is called `-`.
pub fn read_input(file: &Path) -> Result<String, Failure> {
    let text = if file == Path::new("-") { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) };
    text.map_err(|error| Failure::missing(format!("{} cannot be read: {error}", file.display())))
}

/// Everything that a snapshot holds.
///
/// # Errors
/// [`LookupFailed`] where an entry makes no sense.
pub fn read(snapshot: &Snapshot) -> Result<Model, LookupFailed> {
    let mut addresses = AddressBook::default();
    for (name, value) in snapshot.entries(Table::Addresses)? {
        let (at, local) = key::split_address(&name).ok_or_else(damaged_key)?;
        let local = LocalPart::from_content(local).map_err(|_| damaged_key())?;
        addresses.insert(&domain(at.as_bytes())?, &local, &Stored::decode(&value)?);
    }
    Ok(Model { addresses: Arc::new(addresses), ..without_addresses(snapshot)? })
}

/// What a snapshot holds but for addresses, of which there may be millions.
///
/// # Errors
/// As for [`read`].
pub fn without_addresses(snapshot: &Snapshot) -> Result<Model, LookupFailed> {
    let mut domains = BTreeMap::new();
    for (name, value) in snapshot.entries(Table::Domains)? {
        domains.insert(domain(&name)?, Arc::new(Stored::decode(&value)?));
    }
    Ok(Model { site: snapshot.site().clone(), domains, addresses: Arc::default() })
}

fn domain(name: &[u8]) -> Result<Domain, LookupFailed> {
    std::str::from_utf8(name).ok().and_then(|name| Domain::parse(name).ok()).ok_or_else(damaged_key)
}

fn damaged_key() -> LookupFailed {
    LookupFailed("a key is no name".into())
}
