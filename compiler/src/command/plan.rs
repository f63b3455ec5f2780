//! `postern plan`: what would change between two sites, before it does.

mod text;

use super::subject::{self, Subject};
use super::{Failure, Status, complain, print, spool};
use crate::plan::{Plan, QueuedMessage, compare, handovers, shrink};
use clap::Args;
use postern_schema::name::Domain;
use postern_schema::snapshot::plan_digest;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The arguments of `plan`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// What is in force: a site file, a snapshot, or a folder with `current`
    old: PathBuf,
    /// What is to be: a site file, a snapshot, or a folder with `current`
    new: PathBuf,
    /// Show what becomes of queued messages: those of a state folder; or of a file with what `posternd queue list --json` says, or -
    /// for standard input
    #[arg(long, value_name = "DIR|FILE")]
    queue: Option<PathBuf>,
    /// Let more than 30 % of the domains go
    #[arg(long)]
    allow_shrink: bool,
    /// Let keys of DKIM and TLSA change in a way that could lose mail
    #[arg(long)]
    allow_key_steps: bool,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// What a program reads.
#[derive(Serialize)]
struct Document<'a> {
    /// What `posternd reload --plan` takes.
    digest: &'a str,
    #[serde(flatten)]
    plan: &'a Plan,
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let (old, new) = (Subject::open(&arguments.old)?, Subject::open(&arguments.new)?);
    let queue = arguments.queue.as_deref().map(read_queue).transpose()?;
    let plan = compare(&old.model, &new.model, queue.as_deref());
    let digest = plan_digest(&old.digest, &new.digest);
    print(&if arguments.json {
        let document = serde_json::to_string_pretty(&Document { digest: &digest, plan: &plan });
        document.map_err(|error| Failure::internal(error.to_string()))? + "\n"
    } else {
        text::describe(&plan, &digest)
    })?;
    let domains: Vec<&Domain> = old.model.domains.keys().collect();
    if let Some(shrink) = shrink(&domains, |domain| new.model.domains.contains_key(*domain)).filter(|_| !arguments.allow_shrink) {
        complain(&shrink.to_string());
        return Ok(Status::Refused);
    }
    if !arguments.allow_key_steps && super::build::complain_of_keys(&handovers(&old.model, &new.model, &new.undated)) {
        return Ok(Status::Refused);
    }
    Ok(if plan.is_empty() { Status::Fine } else { Status::Different })
}

fn read_queue(given: &Path) -> Result<Vec<QueuedMessage>, Failure> {
    let text = if given.is_dir() { spool::ask(&["list"], Some(given))? } else { subject::read_input(given)? };
    serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("{} is not what `posternd queue list --json` says: {error}", given.display())))
}
