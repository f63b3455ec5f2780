//! `postern key`: DKIM keys from their making to their end. The only command that writes into a site, and the only one that
//! makes secrets; what it changes, it changes at the places that the compiler names, and takes back if the site then does not
//! compile.

mod edit;
mod list;
mod new;
mod rotate;

use super::site::SiteArguments;
use super::{Failure, Status};
use crate::certificate::Date;
use crate::compile::Compiled;
use crate::lower::draft::{DomainDraft, SiteDraft};
use clap::{Args, Subcommand};
use postern_schema::name::Domain;
use std::time::{SystemTime, UNIX_EPOCH};

/// The arguments of `key`.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Make a key pair: the private half into the credentials folder, the public half into the site
    New(new::Arguments),
    /// Take every step that is due: a published key signs, its predecessor retires, a retired one leaves DNS
    Rotate(rotate::Arguments),
    /// Say where each key stands and what comes next
    List(list::Arguments),
}

/// The day that it is: as the arguments say, or by the system's clock, in UTC.
fn today(site: &SiteArguments) -> Date {
    // A clock before 1970 is not set.
    let seconds = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    site.today.unwrap_or_else(|| Date::of_unix_time(seconds()))
}

fn domain(text: &str) -> Result<Domain, String> {
    Domain::parse(text).map_err(|error| error.to_string())
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    match &arguments.command {
        Command::New(arguments) => new::run(arguments),
        Command::Rotate(arguments) => rotate::run(arguments),
        Command::List(arguments) => list::run(arguments),
    }
}

/// A site that compiles, with its places.
fn compiled(site: &SiteArguments) -> Result<(Compiled, SiteDraft), Failure> {
    let (mut compiled, _) = site.model()?;
    // A site with a model has a draft.
    let draft = compiled.draft.take().ok_or_else(|| Failure::refused("the site could not be read"))?;
    Ok((compiled, draft))
}

/// The domains that are asked for: one, or all that have keys. A node with several names is one domain here.
fn chosen<'a>(draft: &'a SiteDraft, name: Option<&Domain>) -> Result<Vec<&'a DomainDraft>, Failure> {
    match name {
        Some(name) => match draft.domain(name) {
            Some(domain) => Ok(vec![domain]),
            None => Err(Failure::usage(format!("{name} is no domain of this site"))),
        },
        None => Ok(draft.domain_nodes().filter(|domain| !domain.signers.is_empty()).collect()),
    }
}
