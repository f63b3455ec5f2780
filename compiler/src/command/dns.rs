//! `postern dns`: the records that a site needs, on standard output or as files; and whether they are in DNS.

mod verify;

use super::site::SiteArguments;
use super::{Failure, Status, complain, print};
use crate::emit::dns::{Authority, DnsFormat, derive, whole};
use clap::{Args, Subcommand};
use postern_schema::name::{Domain, Mailbox};
use postern_schema::site::Site;
use std::fs;
use std::path::{Path, PathBuf};

/// The arguments of `dns`.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// The site file
    #[arg(value_name = "SITE")]
    path: Option<PathBuf>,
    /// The profile that is in force
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// The tool that the records are for
    #[arg(long, value_enum, default_value = "zone")]
    format: DnsFormat,
    /// The records of this domain of the site alone
    #[arg(long, value_name = "D", value_parser = domain)]
    domain: Option<Domain>,
    /// A name server of the zones, the primary first: with it, `--format zone` writes whole zones
    #[arg(long, value_name = "HOST", value_parser = domain)]
    name_server: Vec<Domain>,
    /// Who answers for the zones; else hostmaster at the site's own domain
    #[arg(long, value_name = "MAILBOX", requires = "name_server", value_parser = mailbox)]
    hostmaster: Option<Mailbox>,
    /// The serial number of the zones, which must grow with each change
    #[arg(long, value_name = "N", requires = "name_server", default_value_t = 1)]
    serial: u32,
    /// Write files into this folder; those of an earlier run are overwritten, others stay
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Compare the records with those in DNS
    Verify(verify::Arguments),
}

fn mailbox(text: &str) -> Result<Mailbox, String> {
    Mailbox::parse(text).map_err(|error| error.to_string())
}

fn domain(text: &str) -> Result<Domain, String> {
    Domain::parse(text).map_err(|error| error.to_string())
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    if let Some(Command::Verify(arguments)) = &arguments.command {
        return verify::run(arguments);
    }
    let Some(path) = &arguments.path else {
        return Err(Failure::usage("say which site: postern dns SITE, or postern dns verify SITE"));
    };
    let (_, model) =
        SiteArguments { path: path.clone(), profile: arguments.profile.clone(), today: None, checkers: Vec::new() }.model()?;
    let mut set = derive(&model);
    if let Some(domain) = &arguments.domain {
        if !model.domains.contains_key(domain) {
            let known: Vec<&str> = model.domains.keys().map(Domain::as_str).take(10).collect();
            let message = format!("{domain} is no domain of this site, which has {}", known.join(", "));
            return Err(Failure::usage(message));
        }
        set = set.only(domain);
    }
    // Whoever reads the records reads the notes in them; a change batch has no place for any.
    if arguments.out.is_some() || arguments.format == DnsFormat::Route53 {
        set.notes.iter().for_each(|note| complain(&format!("note: {}", note.text)));
    }
    let files = match arguments.authority(&model.site)? {
        Some(authority) => whole(&set, &authority),
        None => arguments.format.files(&set),
    };
    match &arguments.out {
        Some(out) => write_files(&[files, set.web_files()].concat(), out)?,
        None => print(&files.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("\n"))?,
    }
    Ok(Status::Fine)
}

impl Arguments {
    /// What makes a zone a whole one, if it is asked for.
    fn authority(&self, site: &Site) -> Result<Option<Authority>, Failure> {
        if self.name_server.is_empty() {
            return Ok(None);
        }
        if self.format != DnsFormat::Zone {
            return Err(Failure::usage("--name-server goes with --format zone: no other format holds a whole zone"));
        }
        let hostmaster = match &self.hostmaster {
            Some(hostmaster) => hostmaster.clone(),
            // The word is a local part, and the domain of a site one.
            None => mailbox(&format!("hostmaster@{}", site.origin_domain)).map_err(Failure::usage)?,
        };
        Ok(Some(Authority { name_servers: self.name_server.clone(), hostmaster, serial: self.serial }))
    }
}

fn write_files(files: &[(PathBuf, String)], out: &Path) -> Result<(), Failure> {
    fs::create_dir_all(out).map_err(|error| Failure::refused(format!("{}: {error}", out.display())))?;
    for (path, text) in files {
        let path = out.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| Failure::refused(format!("{}: {error}", folder.display())))?;
        }
        fs::write(&path, text).map_err(|error| Failure::refused(format!("{}: {error}", path.display())))?;
    }
    Ok(())
}
