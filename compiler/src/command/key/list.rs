//! `postern key list`: where each key stands.

use super::super::site::SiteArguments;
use super::super::{Failure, Status, print};
use super::{chosen, compiled, domain, today};
use crate::certificate::Date;
use crate::life::{self, Next};
use crate::lower::draft::{DomainDraft, SignerDraft, SiteDraft};
use clap::Args;
use postern_schema::name::Domain;
use postern_schema::site::SigningState;
use serde_json::{Value, json};

/// The arguments of `key list`.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    site: SiteArguments,
    /// The keys of this domain alone
    #[arg(long, value_name = "D", value_parser = domain)]
    domain: Option<Domain>,
    /// For programs
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let (_, draft) = compiled(&arguments.site)?;
    let today = today(&arguments.site);
    let domains = chosen(&draft, arguments.domain.as_ref())?;
    let mut keys: Vec<Value> = Vec::new();
    let mut text = String::new();
    for domain in domains {
        for signer in &domain.signers {
            let next = next(&draft, domain, signer, today);
            text += &line(domain, signer, &next);
            keys.push(object(domain, signer, &next));
        }
    }
    if text.is_empty() {
        text = "no keys: make one with `postern key new`\n".to_owned();
    }
    print(&if arguments.json { format!("{:#}\n", json!({ "today": today.to_string(), "keys": keys })) } else { text })?;
    Ok(Status::Fine)
}

/// What comes next for a key of a domain.
pub(super) fn next(draft: &SiteDraft, domain: &DomainDraft, signer: &SignerDraft, today: Date) -> Next {
    let algorithm = |signer: &SignerDraft| signer.public_key.value.public.algorithm();
    let has_successor = domain.signers.iter().any(|other| {
        other.state.value == SigningState::Active
            && algorithm(other) == algorithm(signer)
            && other.selector != signer.selector
            && other.dates.activated.as_ref().map(|date| date.value) > signer.dates.activated.as_ref().map(|date| date.value)
    });
    life::next(signer.state.value, &signer.dates, draft.queue.lifetime.value, today, has_successor)
}

fn line(domain: &DomainDraft, signer: &SignerDraft, next: &Next) -> String {
    let next = match next {
        Next::Now(into, why) => format!("now {into}: {why}"),
        Next::From(date, into, why) => format!("{into} from {date}: {why}"),
        Next::Rest(why) => (*why).to_owned(),
    };
    let algorithm = signer.public_key.value.public.algorithm();
    let name = format!("{}._domainkey.{}", signer.selector.value, domain.name.value);
    format!("{name}  {algorithm}  {}\n    {next}\n", signer.state.value)
}

fn object(domain: &DomainDraft, signer: &SignerDraft, next: &Next) -> Value {
    let (into, from, why) = match next {
        Next::Now(into, why) => (Some(into.as_str()), None, why),
        Next::From(date, into, why) => (Some(into.as_str()), Some(date.to_string()), why),
        Next::Rest(why) => (None, None, why),
    };
    let date = |date: &Option<crate::source::Spanned<Date>>| date.as_ref().map(|date| date.value.to_string());
    json!({
        "domain": domain.name.value.as_str(),
        "selector": signer.selector.value.as_str(),
        "algorithm": signer.public_key.value.public.algorithm().as_str(),
        "strength": signer.public_key.value.strength.to_string(),
        "key_secret": signer.key.as_ref().map(|key| key.value.as_str()),
        "state": signer.state.value.as_str(),
        "published": date(&signer.dates.published),
        "activated": date(&signer.dates.activated),
        "retired": date(&signer.dates.retired),
        "removed": date(&signer.dates.removed),
        "next": { "state": into, "from": from, "why": why },
    })
}
