//! `postern build`: the snapshot and the DNS records of a site, published into a folder.

use super::progress::ProgressLine;
use super::site::{self, Deny, SiteArguments};
use super::{Failure, Status, complain, print, subject};
use crate::emit::{dns, publish};
use crate::lower::draft::SiteDraft;
use crate::model::Model;
use crate::plan::{Handover, Shrink, handovers, shrink, undated};
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
    /// Publish although keys of DKIM or TLSA change in a way that could lose mail
    #[arg(long)]
    allow_key_steps: bool,
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
        if !arguments.allow_key_steps && complain_of_keys(&handovers_of(&arguments.out, model, compiled.draft.as_ref())) {
            return Err(Failure::refused(format!("{} was not built", arguments.site.path.display())));
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

/// Says each step of keys that is too much at once, and how to take it all the same; whether there is one.
pub(super) fn complain_of_keys(steps: &[Handover]) -> bool {
    steps.iter().for_each(|step| complain(&step.to_string()));
    if !steps.is_empty() {
        complain("where that is meant, or where nothing was deployed yet, say --allow-key-steps");
    }
    !steps.is_empty()
}

/// What keys would not survive of the step from the snapshot in force there. One that cannot be read guards nothing.
fn handovers_of(out: &Path, model: &Model, draft: Option<&SiteDraft>) -> Vec<Handover> {
    let undated = draft.map(undated).unwrap_or_default();
    let in_force = Snapshot::open(out).ok().and_then(|snapshot| subject::without_addresses(&snapshot).ok());
    in_force.map_or_else(Vec::new, |old| handovers(&old, model, &undated))
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
