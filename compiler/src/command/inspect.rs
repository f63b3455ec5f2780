//! `postern inspect`: what a snapshot says of itself, whether it is whole, and what its tables hold.

use super::{Failure, Status, print, subject};
use crate::emit::snapshot::SiteDigest;
use crate::inventory::{self, Item};
use crate::model::Model;
use clap::Args;
use postern_schema::decide::{Lookup, LookupFailed};
use postern_schema::snapshot::{Snapshot, Table, digest_hex};
use std::fmt::Write;
use std::path::PathBuf;

/// The arguments of `inspect`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// A snapshot, or a folder with `current`
    #[arg(value_name = "FILE.mdb")]
    path: PathBuf,
    /// Show the entries of this table
    #[arg(long, value_name = "T", value_parser = table)]
    table: Option<Table>,
}

fn table(name: &str) -> Result<Table, String> {
    let known = || Table::ALL.map(Table::as_str).join(", ");
    Table::parse(name).ok_or_else(|| format!("the tables are {}", known()))
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let snapshot = Snapshot::open(&arguments.path)?;
    let damaged = |error: LookupFailed| Failure::missing(format!("{} makes no sense: {error}", arguments.path.display()));
    let text = match arguments.table {
        None | Some(Table::Header) => {
            let digest = site_digest(&snapshot).map_err(damaged)?;
            if digest != snapshot.header().site_digest {
                let message = format!("{} is not what its header says: the tables have another digest", arguments.path.display());
                return Err(Failure::missing(message));
            }
            describe(&snapshot).map_err(damaged)?
        }
        Some(table) => entries(table, &subject::read(&snapshot).map_err(damaged)?),
    };
    print(&text).map(|()| Status::Fine)
}

/// The digest of the tables, computed anew.
fn site_digest(snapshot: &Snapshot) -> Result<[u8; 32], LookupFailed> {
    let mut digest = SiteDigest::default();
    for table in Table::ALL.into_iter().filter(|table| *table != Table::Header) {
        digest.table(table);
        snapshot.entries(table)?.iter().for_each(|(key, value)| digest.entry(key, value));
    }
    Ok(digest.finish())
}

fn describe(snapshot: &Snapshot) -> Result<String, LookupFailed> {
    let header = snapshot.header();
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(text, "snapshot digest  {}  (verified)", snapshot.digest());
    let _ = writeln!(text, "site digest      {}  (verified)", digest_hex(&header.site_digest));
    let _ = writeln!(text, "format           {}", header.format);
    let _ = writeln!(text, "compiler         {}", header.compiler);
    let _ = writeln!(text, "hostname         {}", snapshot.site().hostname);
    for source in &header.sources {
        let _ = writeln!(text, "source           {}  {}", digest_hex(&source.sha256), source.path);
    }
    for table in Table::ALL.into_iter().filter(|table| *table != Table::Header) {
        let count = snapshot.entries(table)?.len();
        let _ =
            writeln!(text, "table            {:<10}  {count} {}", table.as_str(), if count == 1 { "entry" } else { "entries" });
    }
    Ok(text)
}

/// The entries of one table, a line for each value, in the words of the site language.
fn entries(table: Table, model: &Model) -> String {
    let items: Vec<Item> = match table {
        Table::Domains => model.domains.values().flat_map(|entry| inventory::domain(entry)).collect(),
        Table::Addresses => model.addresses.iter().map(|found| inventory::address(&found)).collect(),
        _ => inventory::settings(&model.site).into_iter().filter(|item| table_of(&item.subject) == table).collect(),
    };
    let mut text = String::new();
    for item in items {
        let _ = writeln!(text, "{item:<56}  # {}", model.site.sources.describe(item.origin));
    }
    text
}

/// The table that holds what the inventory calls so.
fn table_of(subject: &str) -> Table {
    match subject.split(' ').next() {
        Some("listen") => Table::Listeners,
        Some("network") => Table::Networks,
        Some("users") => Table::Users,
        Some("transport") => Table::Transports,
        Some("relay") => Table::Relays,
        Some("route") => Table::Routes,
        Some("destination") => Table::Receivers,
        _ => Table::Settings,
    }
}
