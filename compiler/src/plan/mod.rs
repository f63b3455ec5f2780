//! What would change between two sites, before it does: [`compare`]. Moving a line changes nothing; only what is in force counts,
//! and what it means for mail is asked of the daemon's own decisions. Plain data for `postern plan`.

mod handover;
mod mail;
mod queue;
mod records;
mod shrink;

pub use handover::{Handover, handovers, undated};
pub use mail::{AddressEffect, RelayEffect, RouteEffect};
pub use queue::{QueueEffect, QueuedMessage, RecipientEffect};
pub use records::{DnsStep, When};
pub use shrink::{Shrink, shrink};

use crate::addresses::Address;
use crate::inventory::{self, Item};
use crate::model::Model;
use serde::Serialize;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Everything that differs.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Plan {
    /// Values, domains and addresses.
    pub changes: Vec<Change>,
    /// Which addresses are accepted or refused from now on, by domain.
    pub addresses: Vec<AddressEffect>,
    /// Which mail for elsewhere takes another way.
    pub routes: Vec<RouteEffect>,
    /// Who may send to whom from now on, or no longer.
    pub relaying: Vec<RelayEffect>,
    /// What is to be done in DNS, in the order in which it is safe.
    pub dns: Vec<DnsStep>,
    /// What becomes of the messages in the queue; `None` where no queue was shown.
    pub queue: Option<QueueEffect>,
}

/// One difference.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Change {
    /// What it is of: `relay ses`, `domain example.com`.
    pub subject: String,
    /// The name of the value there.
    pub name: String,
    /// Before; `None`: it was not there.
    pub old: Option<String>,
    /// After; `None`: it is gone.
    pub new: Option<String>,
}

impl Plan {
    /// Whether nothing differs. Messages in the queue differ only where something else does.
    pub fn is_empty(&self) -> bool {
        let Plan { changes, addresses, routes, relaying, dns, queue: _ } = self;
        changes.is_empty() && addresses.is_empty() && routes.is_empty() && relaying.is_empty() && dns.is_empty()
    }
}

/// What differs between two sites, and what that means for these messages.
pub fn compare(old: &Model, new: &Model, queue: Option<&[QueuedMessage]>) -> Plan {
    let values = |model: &Model| {
        let domains = model.domains.values().flat_map(|entry| inventory::domain(entry));
        inventory::settings(&model.site).into_iter().chain(domains).collect::<Vec<Item>>()
    };
    let mut changes = compare_items(&values(old), &values(new));
    compare_addresses(old, new, &mut changes);
    Plan {
        changes,
        addresses: mail::addresses(old, new),
        routes: mail::routes(old, new),
        relaying: mail::relaying(old, new),
        dns: records::steps(old, new),
        queue: queue.map(|queue| queue::effect(old, new, queue)),
    }
}

/// Values by subject and name: what is new or different in the order of the new site, then what is gone.
fn compare_items(old: &[Item], new: &[Item]) -> Vec<Change> {
    let index = |items: &[Item]| -> BTreeMap<(String, String), String> {
        items.iter().map(|item| ((item.subject.clone(), item.name.clone()), item.value.clone())).collect()
    };
    let (before, after) = (index(old), index(new));
    let change = |item: &Item| {
        let key = (item.subject.clone(), item.name.clone());
        let (old, new) = (before.get(&key).cloned(), after.get(&key).cloned());
        if old == new { None } else { Some(Change { subject: key.0, name: key.1, old, new }) }
    };
    let gone = old.iter().filter(|item| !after.contains_key(&(item.subject.clone(), item.name.clone())));
    new.iter().chain(gone).filter_map(change).collect()
}

/// Addresses whose entry differs, in the domains that both sites have: those of a domain that comes or goes come and go with it.
fn compare_addresses(old: &Model, new: &Model, changes: &mut Vec<Change>) {
    let (mut before, mut after) = (old.addresses.iter().peekable(), new.addresses.iter().peekable());
    let key = |found: &Address<'_>| (found.domain().cloned(), found.local().to_owned());
    loop {
        let (was, is) = match (before.peek(), after.peek()) {
            (None, None) => return,
            (Some(_), None) => (before.next(), None),
            (None, Some(_)) => (None, after.next()),
            (Some(was), Some(is)) => match key(was).cmp(&key(is)) {
                Ordering::Less => (before.next(), None),
                Ordering::Greater => (None, after.next()),
                Ordering::Equal => (before.next(), after.next()),
            },
        };
        let Some(found) = was.or(is) else { return };
        let stays = |model: &Model| found.domain().is_some_and(|domain| model.domains.contains_key(domain));
        if was.map(|found| found.to_kind()) != is.map(|found| found.to_kind()) && stays(old) && stays(new) {
            let subject = inventory::address(&found).subject;
            changes.push(Change { subject, name: String::new(), old: was.map(describe), new: is.map(describe) });
        }
    }
}

fn describe(found: Address<'_>) -> String {
    let item = inventory::address(&found);
    if item.value.is_empty() { item.name } else { format!("{} {}", item.name, item.value) }
}

#[cfg(test)]
mod tests;
