//! `postern build`: the snapshot and the DNS records of a site, published into a folder.

use super::progress::ProgressLine;
use super::site::{self, Deny, SiteArguments};
use super::{Failure, Status, complain, print};
use crate::emit::{dns, publish};
use crate::model::Model;
use crate::plan::{Shrink, shrink};
use crate::report::Counts;
use clap::Args;
use postern_schema::name::Domain;
use postern_schema::snapshot::{Snapshot, Table};
use std::path::{Path, PathBuf};

/// The arguments of `build`.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    site: SiteArguments,
    /// The folder that gets the snapshot, the link `current` to it, and `dns/`, which is replaced as a whole
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Write nothing: exit with status 2 if DIR is not what would be written
    #[arg(long)]
    check: bool,
    /// Publish although more than 30 % of the domains of the snapshot in force are gone
    #[arg(long)]
    allow_shrink: bool,
    /// Fail on what is otherwise let pass
    #[arg(long, value_enum)]
    deny: Option<Deny>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let compiled = arguments.site.compile()?;
    site::show_warnings(&arguments.site.path, &compiled);
    let status = site::judge(&compiled, arguments.deny);
    let model = match (&compiled.model, status) {
        (Some(model), Status::Fine) => model,
        _ => {
            let counts = Counts::of(&compiled.diagnostics);
            let message = format!("{} was not built: {counts}", arguments.site.path.display());
            return Err(Failure { status, message });
        }
    };
    let sources = compiled.sources.digests();
    let records = dns::every_format(&dns::derive(model));
    let line = ProgressLine::start();
    line.progress().stage(|| format!("writing {} addresses", model.addresses.len()));
    if !arguments.check {
        if let Some(shrink) = shrink_of(&arguments.out, model).filter(|_| !arguments.allow_shrink) {
            return Err(Failure::refused(shrink.to_string()));
        }
        let digest = publish::publish(model, &sources, &records, &arguments.out)?;
        drop(line);
        return print(&format!("{digest}\n")).map(|()| Status::Fine);
    }
    let digest = publish::digest(model, &sources)?;
    drop(line);
    let differences = publish::differences(&digest, &records, &arguments.out);
    differences.iter().for_each(|difference| complain(difference));
    print(&format!("{digest}\n"))?;
    Ok(if differences.is_empty() { Status::Fine } else { Status::Different })
}

/// Whether the site lacks too many of the domains that are in force there. A snapshot that cannot be read guards nothing: one of
/// another format must be replaceable.
fn shrink_of(out: &Path, model: &Model) -> Option<Shrink> {
    let snapshot = Snapshot::open(out).ok()?;
    let domains: Vec<Vec<u8>> = snapshot.entries(Table::Domains).ok()?.into_iter().map(|(name, _)| name).collect();
    shrink(&domains, |name| {
        let domain = std::str::from_utf8(name).ok().and_then(|name| Domain::parse(name).ok());
        domain.is_some_and(|domain| model.domains.contains_key(&domain))
    })
}
