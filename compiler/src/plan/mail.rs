//! What a change means for mail: asked of the decisions of both sites, and put side by side.

use crate::model::Model;
use crate::reach::{self, Cell};
use crate::rules::probe::recipients_elsewhere;
use postern_schema::decide::{Answer, Resolved, RouteFacts, SentAs, Trace, resolve, route};
use postern_schema::name::{Domain, HostName, LocalPart, Mailbox, ReversePath};
use postern_schema::site::RoutePattern;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The most addresses that an effect names.
const EXAMPLES: usize = 10;

/// What changes for the addresses of one domain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AddressEffect {
    /// The domain.
    pub domain: String,
    /// How many addresses are accepted that were not.
    pub accepted: usize,
    /// How many addresses are refused that were not.
    pub refused: usize,
    /// Some of them.
    pub examples: Vec<String>,
    /// Whether mail to an address that nobody has is accepted from now on; `None`: as before.
    pub unknown_accepted: Option<bool>,
}

/// Mail that takes another way.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct RouteEffect {
    /// A sender; empty for the null path.
    pub from: String,
    /// A recipient.
    pub to: String,
    /// Its way before: `relay:ses, tls verify`; the reason where there was none.
    pub old: String,
    /// Its way from now on.
    pub new: String,
}

/// A class of clients that may reach a class of recipients from now on, or no longer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RelayEffect {
    /// The listener.
    pub listener: String,
    /// The clients, for people.
    pub client: String,
    /// The class of recipients.
    pub recipient: reach::RecipientKind,
    /// Before; `None`: there was no such class.
    pub old: Option<&'static str>,
    /// From now on; `None`: there is no such class.
    pub new: Option<&'static str>,
}

/// By domain, in order. An entry that goes may leave its address to a pattern or catch-all, so each is asked for.
pub(super) fn addresses(old: &Model, new: &Model) -> Vec<AddressEffect> {
    let mut asked: BTreeMap<&Domain, BTreeSet<&str>> = BTreeMap::new();
    for model in [old, new] {
        for domain in model.domains.keys() {
            asked.entry(domain).or_default();
        }
        for address in model.addresses.declared() {
            if let Some(domain) = address.domain() {
                asked.entry(domain).or_default().insert(address.local());
            }
        }
    }
    let effects = asked.into_iter().map(|(domain, locals)| {
        let mut effect =
            AddressEffect { domain: domain.to_string(), accepted: 0, refused: 0, examples: Vec::new(), unknown_accepted: None };
        for local in locals {
            let (before, after) = (accepts(old, domain, local), accepts(new, domain, local));
            if before != after {
                *(if after { &mut effect.accepted } else { &mut effect.refused }) += 1;
                if effect.examples.len() < EXAMPLES {
                    effect.examples.push(format!("{local}@{domain}"));
                }
            }
        }
        let unknown = |model: &Model| accepts(model, domain, &nobody(old, new, domain));
        effect.unknown_accepted = Some(unknown(new)).filter(|after| *after != unknown(old));
        effect
    });
    effects.filter(|effect| effect.accepted + effect.refused > 0 || effect.unknown_accepted.is_some()).collect()
}

/// A local part that neither site knows.
fn nobody(old: &Model, new: &Model, domain: &Domain) -> String {
    let is_free = |local: &String| [old, new].iter().all(|model| model.addresses.find_in(domain, local).is_none());
    (0_u64..).map(|n| format!("nobody{n}")).find(is_free).unwrap_or_default()
}

fn accepts(model: &Model, domain: &Domain, local: &str) -> bool {
    let Some(mailbox) = mailbox(local, domain) else { return false };
    matches!(
        resolve(&mailbox, model, &mut Trace::default()),
        Ok(Resolved::Mailbox(_)
            | Resolved::Others { .. }
            | Resolved::Forwarded { .. }
            | Resolved::Listed(..)
            | Resolved::Relayed(_))
    )
}

fn mailbox(local: &str, domain: &Domain) -> Option<Mailbox> {
    Some(Mailbox::new(LocalPart::from_content(local).ok()?, HostName::Domain(domain.clone())))
}

/// One sender and one recipient for each kind that a route of either site tells apart.
pub(super) fn routes(old: &Model, new: &Model) -> Vec<RouteEffect> {
    let recipients: BTreeSet<String> =
        [old, new].iter().flat_map(|model| recipients_elsewhere(model)).map(|recipient| recipient.to_string()).collect();
    let senders: Vec<ReversePath> = senders(old, new);
    let mut effects = Vec::new();
    for recipient in recipients.iter().filter_map(|recipient| Mailbox::parse(recipient).ok()) {
        for sender in &senders {
            let (before, after) = (way(old, sender, &recipient), way(new, sender, &recipient));
            if before != after {
                effects.push(RouteEffect { from: sender.to_string(), to: recipient.to_string(), old: before, new: after });
            }
        }
    }
    effects
}

fn senders(old: &Model, new: &Model) -> Vec<ReversePath> {
    let named = [old, new].into_iter().flat_map(|model| &model.site.routes).filter_map(|route| match &route.from {
        RoutePattern::Any => None,
        RoutePattern::Domain(domain) => Some(domain.to_string()),
        RoutePattern::Below(parent) => Some(format!("any.{parent}")),
    });
    let domains: BTreeSet<String> = named.chain([new.site.origin_domain.to_string()]).collect();
    let parse = |domain: String| ReversePath::parse(&format!("someone@{domain}")).ok();
    [ReversePath::Null].into_iter().chain(domains.into_iter().filter_map(parse)).collect()
}

/// Where mail goes, with its protection, in one line.
pub(super) fn way(model: &Model, sender: &ReversePath, recipient: &Mailbox) -> String {
    let Answer::Verdict(verdict) = route(&RouteFacts { reverse_path: sender, recipient, sent_as: &SentAs::Sender }, model) else {
        return "undecided".to_owned();
    };
    let reason = verdict.reason;
    match verdict.disposition.accepted() {
        None => reason.to_string(),
        Some(hop) => match hop.destination.tls() {
            Some(tls) => format!("{}, tls {tls}", hop.destination),
            None => hop.destination.to_string(),
        },
    }
}

/// The cells of both tables that differ in what is done.
pub(super) fn relaying(old: &Model, new: &Model) -> Vec<RelayEffect> {
    let index = |model: &Model| -> BTreeMap<(String, String, reach::RecipientKind), &'static str> {
        let key = |cell: &Cell| (cell.listener.clone(), cell.client.to_string(), cell.recipient);
        // Of several recipients elsewhere the one that is let through counts.
        let mut cells: BTreeMap<_, &'static str> = BTreeMap::new();
        for cell in reach::table(model) {
            let known = cells.entry(key(&cell)).or_insert(cell.disposition);
            if cell.disposition == "accept" {
                *known = cell.disposition;
            }
        }
        cells
    };
    let (before, after) = (index(old), index(new));
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let effect = |key: &(String, String, reach::RecipientKind)| {
        let (old, new) = (before.get(key).copied(), after.get(key).copied());
        let accepts = |verdict: Option<&str>| verdict == Some("accept");
        (accepts(old) != accepts(new)).then(|| RelayEffect {
            listener: key.0.clone(),
            client: key.1.clone(),
            recipient: key.2,
            old,
            new,
        })
    };
    keys.into_iter().filter_map(effect).collect()
}
