//! `postern plan`: what would change between two sites, before it does. Moving a line changes nothing; only what is in force
//! counts.

use super::inventory::{self, Item};
use super::{Failure, Status, print, subject};
use crate::addresses::Address;
use crate::emit::dns;
use crate::model::Model;
use clap::Args;
use postern_schema::decide::{Lookup, LookupFailed, Resolved, Trace, resolve};
use serde::Serialize;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;

/// The arguments of `plan`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// What is in force: a site file, a snapshot, or a folder with `current`
    old: PathBuf,
    /// What is to be: a site file, a snapshot, or a folder with `current`
    new: PathBuf,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// Everything that differs.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Plan {
    /// Values, domains and addresses.
    changes: Vec<Change>,
    /// DNS records to be added, as lines of a zone file; they come before the new site.
    dns_add: Vec<String>,
    /// DNS records that are needed no longer; they go after the old site.
    dns_remove: Vec<String>,
}

/// One difference.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Change {
    /// What it is of: `relay ses`, `domain example.com`.
    subject: String,
    /// The name of the value there.
    name: String,
    /// Before; `None`: it was not there.
    old: Option<String>,
    /// After; `None`: it is gone.
    new: Option<String>,
    /// What it means for mail, where that is more than the value says.
    effect: Option<&'static str>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let old = subject::open(&arguments.old)?;
    let new = subject::open(&arguments.new)?;
    let plan = compare(&old, &new).map_err(|error| Failure::internal(error.to_string()))?;
    let text = if arguments.json {
        let text = serde_json::to_string_pretty(&plan).map_err(|error| Failure::internal(error.to_string()))?;
        text + "\n"
    } else {
        describe(&plan)
    };
    print(&text)?;
    Ok(if plan == Plan::default() { Status::Fine } else { Status::Different })
}

/// What differs between two sites.
///
/// # Errors
/// None for sites in memory, which can always be read.
fn compare(old: &Model, new: &Model) -> Result<Plan, LookupFailed> {
    let values = |model: &Model| {
        let domains = model.domains.values().flat_map(|entry| inventory::domain(entry));
        inventory::settings(&model.site).into_iter().chain(domains).collect::<Vec<Item>>()
    };
    let mut changes = compare_items(&values(old), &values(new));
    compare_addresses(old, new, &mut changes)?;
    let records = |model: &Model| -> BTreeSet<String> {
        let set = dns::derive(model);
        set.records.iter().chain(&set.reverse).map(|planned| planned.record.to_string()).collect()
    };
    let (before, after) = (records(old), records(new));
    Ok(Plan {
        changes,
        dns_add: after.difference(&before).cloned().collect(),
        dns_remove: before.difference(&after).cloned().collect(),
    })
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
        if old == new { None } else { Some(Change { subject: key.0, name: key.1, old, new, effect: None }) }
    };
    let gone = old.iter().filter(|item| !after.contains_key(&(item.subject.clone(), item.name.clone())));
    new.iter().chain(gone).filter_map(change).collect()
}

/// Addresses whose entry differs. An entry that goes may leave its address to a pattern or catch-all, so what happens to mail
/// is asked of the decision itself.
fn compare_addresses(old: &Model, new: &Model, changes: &mut Vec<Change>) -> Result<(), LookupFailed> {
    let (mut before, mut after) = (old.addresses.iter().peekable(), new.addresses.iter().peekable());
    let key = |found: &Address<'_>| (found.domain().cloned(), found.local().to_owned());
    loop {
        let (was, is) = match (before.peek(), after.peek()) {
            (None, None) => return Ok(()),
            (Some(_), None) => (before.next(), None),
            (None, Some(_)) => (None, after.next()),
            (Some(was), Some(is)) => match key(was).cmp(&key(is)) {
                Ordering::Less => (before.next(), None),
                Ordering::Greater => (None, after.next()),
                Ordering::Equal => (before.next(), after.next()),
            },
        };
        if let Some(found) = was.or(is)
            && was.map(|found| found.to_kind()) != is.map(|found| found.to_kind())
        {
            changes.push(compare_address(old, new, &found, was, is)?);
        }
    }
}

fn compare_address(
    old: &Model, new: &Model, found: &Address<'_>, was: Option<Address<'_>>, is: Option<Address<'_>>,
) -> Result<Change, LookupFailed> {
    let describe = |found: Address<'_>| {
        let item = inventory::address(&found);
        if item.value.is_empty() { item.name } else { format!("{} {}", item.name, item.value) }
    };
    let effect = match (accepts(old, found)?, accepts(new, found)?) {
        (false, true) => Some("accepted from now on"),
        (true, false) => Some("refused from now on"),
        _ => None,
    };
    let subject = inventory::address(found).subject;
    Ok(Change { subject, name: String::new(), old: was.map(describe), new: is.map(describe), effect })
}

fn accepts(model: &Model, found: &Address<'_>) -> Result<bool, LookupFailed> {
    let Some(mailbox) = found.mailbox() else { return Ok(false) };
    let resolved = resolve(&mailbox, model as &dyn Lookup, &mut Trace::default())?;
    Ok(matches!(resolved, Resolved::Mailbox(_) | Resolved::Others(_)))
}

fn describe(plan: &Plan) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    for change in &plan.changes {
        let what = if change.name.is_empty() { change.subject.clone() } else { format!("{} {}", change.subject, change.name) };
        let _ = match (&change.old, &change.new) {
            (None, Some(new)) => write!(text, "+ {what} = {new}"),
            (Some(old), None) => write!(text, "- {what} = {old}"),
            (Some(old), Some(new)) => write!(text, "~ {what}: {old} -> {new}"),
            (None, None) => Ok(()),
        };
        text.push_str(&change.effect.map(|effect| format!("  ({effect})")).unwrap_or_default());
        text.push('\n');
    }
    let sections = [("DNS to add before", '+', &plan.dns_add), ("DNS to remove afterwards", '-', &plan.dns_remove)];
    for (title, sign, records) in sections.iter().filter(|(_, _, records)| !records.is_empty()) {
        let _ = writeln!(text, "\n{title}:");
        records.iter().for_each(|record| {
            let _ = writeln!(text, "{sign} {record}");
        });
    }
    if text.is_empty() { "no differences\n".to_owned() } else { text }
}

#[cfg(test)]
mod tests;
