//! `postern key rotate`: every step that is due today, written into the site with its date.

use super::super::site::SiteArguments;
use super::super::{Failure, Status, print};
use super::edit::Edit;
use super::list::next;
use super::{chosen, compiled, domain, today};
use crate::certificate::Date;
use crate::life::Next;
use crate::lower::draft::{DomainDraft, SignerDraft};
use clap::Args;
use postern_schema::name::Domain;
use postern_schema::site::SigningState;

/// The arguments of `key rotate`.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    site: SiteArguments,
    /// The keys of this domain alone
    #[arg(long, value_name = "D", value_parser = domain)]
    domain: Option<Domain>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let (compiled, draft) = compiled(&arguments.site)?;
    let today = today(&arguments.site);
    let mut edit = Edit::default();
    let mut text = String::new();
    for domain in chosen(&draft, arguments.domain.as_ref())? {
        for signer in &domain.signers {
            let name = format!("{}._domainkey.{}", signer.selector.value, domain.name.value);
            match next(&draft, domain, signer, today) {
                Next::Now(into, why) => {
                    text += &format!("{name}: {} -> {into}: {why}\n", signer.state.value);
                    step(&mut edit, signer, into, today);
                    if into == SigningState::Active {
                        for old in predecessors(domain, signer) {
                            text += &format!(
                                "{}._domainkey.{}: active -> retired: {} takes over\n",
                                old.selector.value, domain.name.value, signer.selector.value
                            );
                            step(&mut edit, old, SigningState::Retired, today);
                        }
                    }
                }
                Next::From(date, into, why) => {
                    text += &format!("{name}: {} until {date}, then {into}: {why}\n", signer.state.value)
                }
                Next::Rest(why) => text += &format!("{name}: {}: {why}\n", signer.state.value),
            }
        }
    }
    if !arguments.dry_run && !edit.is_empty() {
        edit.apply(&compiled.sources, &arguments.site)?;
        text += "The site is changed. Build it, publish its DNS records, and reload the daemon.\n";
    }
    print(if text.is_empty() { "no keys: make one with `postern key new`\n" } else { &text })?;
    Ok(Status::Fine)
}

/// The keys that a new one takes over from: those of its algorithm, so that a second algorithm goes on beside it.
fn predecessors<'a>(domain: &'a DomainDraft, new: &SignerDraft) -> impl Iterator<Item = &'a SignerDraft> {
    let algorithm = new.public_key.value.public.algorithm();
    domain.signers.iter().filter(move |signer| {
        signer.state.value == SigningState::Active && signer.public_key.value.public.algorithm() == algorithm
    })
}

/// Writes the state, and the day on which it began.
fn step(edit: &mut Edit, signer: &SignerDraft, into: SigningState, today: Date) {
    edit.replace(signer.state.span, format!("\"{into}\""));
    let (name, said) = match into {
        SigningState::Active => ("activated", &signer.dates.activated),
        SigningState::Retired => ("retired", &signer.dates.retired),
        _ => ("removed", &signer.dates.removed),
    };
    match said {
        Some(said) => edit.replace(said.span, format!("\"{today}\"")),
        None => edit.append(signer.span, &format!(" {name}=\"{today}\"")),
    }
}
