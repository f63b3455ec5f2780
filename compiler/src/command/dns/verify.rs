//! `postern dns verify`: what DNS says today, against what the site needs.

use super::super::site::SiteArguments;
use super::super::{Failure, Status, complain, print};
use crate::emit::dns::derive;
use crate::live::client::{Client, system_resolver};
use crate::live::web::Web;
use crate::live::{Checked, Counts, Outcome, Proof, Verified, verify};
use clap::Args;
use serde_json::json;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::net::{IpAddr, SocketAddr};

/// The arguments of `dns verify`.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    site: SiteArguments,
    /// The resolver that is asked; else the system's
    #[arg(long, value_name = "IP[:PORT]", value_parser = resolver)]
    resolver: Option<SocketAddr>,
    /// For programs
    #[arg(long)]
    json: bool,
}

fn resolver(text: &str) -> Result<SocketAddr, String> {
    let address = text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53));
    address.or_else(|_| text.parse()).map_err(|_| "an address, and a port after a colon if it is not 53; [::1]:5353".to_owned())
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let (_, model) = arguments.site.model()?;
    // A system without the file has a resolver of its own, as the C library takes it.
    let system = || system_resolver(&std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default());
    let client = Client::new(arguments.resolver.unwrap_or_else(system));
    let set = derive(&model);
    let is_watched = io::stderr().is_terminal() && !arguments.json;
    let verified = verify(&client, &Web::of_system(), &model, &set, &mut |done, of| {
        if is_watched && (done % 16 == 0 || done == of) {
            // Nobody watches a standard error that is gone.
            let _ = write!(io::stderr(), "\r{done} of {of} questions{}", if done == of { "\n" } else { "" });
        }
    });
    let counts = verified.counts();
    print(&if arguments.json { json(&verified, counts, &client) } else { human(&verified, counts) })?;
    if counts.cannot_tell > 0 {
        complain(&format!("{} did not answer everything; what is not known is not counted as missing", client.server()));
    }
    Ok(if counts.is_drift() {
        Status::Different
    } else if counts.cannot_tell > 0 {
        Status::Unavailable
    } else {
        Status::Fine
    })
}

fn json(verified: &Verified, counts: Counts, client: &Client) -> String {
    let document = json!({
        "resolver": client.server().to_string(),
        "records": verified.records,
        "proofs": verified.proofs,
        "counts": counts,
    });
    format!("{document:#}\n")
}

/// What is not as it should be, by domain, and how many of each.
fn human(verified: &Verified, counts: Counts) -> String {
    let mut domains: Vec<&str> = verified.records.iter().map(|record| record.domain.as_str()).collect();
    domains.extend(verified.proofs.iter().map(|proof| proof.domain.as_str()));
    domains.sort_unstable();
    domains.dedup();
    let mut text = String::new();
    // Writing to a string does not fail.
    for domain in domains {
        let records = verified.records.iter().filter(|record| record.domain == domain && record.outcome != Outcome::Same);
        let proofs = verified.proofs.iter().filter(|proof| proof.domain == domain && proof.holds != Some(true));
        let lines: Vec<String> = records.map(describe_record).chain(proofs.map(describe_proof)).collect();
        if !lines.is_empty() {
            let _ = writeln!(text, "{domain}\n{}", lines.concat());
        }
    }
    let kinds = [
        (counts.missing, "missing"),
        (counts.different, "different"),
        (counts.foreign, "foreign"),
        (counts.failed, "not true"),
        (counts.cannot_tell, "unknown"),
    ];
    let _ = write!(text, "{} as they should be", counts.same);
    kinds.iter().filter(|(count, _)| *count > 0).for_each(|(count, word)| {
        let _ = write!(text, ", {count} {word}");
    });
    text.push('\n');
    text
}

fn describe_record(record: &Checked) -> String {
    let what = format!("{} {}", record.name, record.kind);
    let (wanted, found) = (record.wanted.as_deref().unwrap_or_default(), record.found.as_deref().unwrap_or_default());
    // What comes from DNS may hold anything, so what would drive a terminal is shown by its number.
    let (wanted, found) = (wanted.escape_debug(), found.escape_debug());
    match record.outcome {
        Outcome::Same => format!("  same       {what} {found}\n"),
        Outcome::Missing => format!("  missing    {what} {wanted}\n"),
        Outcome::Foreign => format!("  foreign    {what} {found}\n"),
        Outcome::Different => format!("  different  {what}\n               wanted {wanted}\n               found  {found}\n"),
        Outcome::CannotTell => format!("  unknown    {what}: {}\n", record.why.as_deref().unwrap_or_default()),
    }
}

fn describe_proof(proof: &Proof) -> String {
    let word = if proof.holds.is_none() { "unknown" } else { "not true" };
    format!("  {word:<10} {}: {}\n", proof.claim, proof.detail.escape_debug())
}
