//! DNS in the order that is safe: publish before use, announce after the new site serves, remove after the last use.
//!
//! What others check our mail by (addresses, SPF, DKIM keys) must be there before the first message that needs it, and stay
//! until the last one is delivered, which may be the lifetime of the queue later. What leads mail to us (MX, SRV) or promises
//! something (DMARC, MTA-STS) must not be there before the new site keeps the promise.

use crate::emit::dns;
use crate::model::Model;
use postern_schema::record::{Owner, Record, RecordData, RecordKind, Spf};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// One step in DNS, or the reload between them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DnsStep {
    /// What it comes before or after.
    pub when: When,
    /// How long to wait before it, until no cache and no queue holds what was.
    pub wait_seconds: u64,
    /// Records to add, as lines of a zone file.
    pub add: Vec<String>,
    /// Records to remove.
    pub remove: Vec<String>,
}

/// The place of a step.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Before the reload: what the new site's mail is checked by comes in, and what leads mail to what it no longer serves goes.
    Before,
    /// The new site is put in force.
    Reload,
    /// At once after the reload: what leads mail to it, and what it promises.
    After,
    /// When the last message of the old site has left the queue.
    Later,
}

/// The steps between two sites, in order; empty where their records are the same.
pub(super) fn steps(old: &Model, new: &Model) -> Vec<DnsStep> {
    let (before, after) = (records(old), records(new));
    let added: Vec<&Record> = after.difference(&before).collect();
    let removed: Vec<&Record> = before.difference(&after).collect();
    let mut plan = Steps::default();
    for record in &added {
        let same = removed.iter().find(|other| slot(other).is_some() && slot(other) == slot(record)).copied();
        match (role(record), same) {
            (_, Some(same)) if [role(same), role(record)].contains(&Role::Senders) => plan.replace_senders(same, record),
            (Role::Senders | Role::Proof, same) => plan.note(When::Before, Some(record), same),
            (Role::Lead | Role::Promise, same) => plan.note(When::After, Some(record), same),
        }
    }
    let is_replaced = |record: &Record| slot(record).is_some() && added.iter().any(|other| slot(other) == slot(record));
    for record in removed.iter().filter(|record| !is_replaced(record)) {
        let leads_on = after.iter().any(|other| other.owner == record.owner && other.data.kind() == record.data.kind());
        let when = match role(record) {
            Role::Senders | Role::Proof => When::Later,
            Role::Promise => When::After,
            Role::Lead if leads_on => When::After,
            // Nobody shall be sent to what is not served any more.
            Role::Lead => When::Before,
        };
        plan.note(when, None, Some(record));
    }
    plan.in_order(old.site.queue.lifetime)
}

#[derive(Default)]
struct Steps(BTreeMap<When, DnsStep>);

impl Steps {
    fn at(&mut self, when: When) -> &mut DnsStep {
        self.0.entry(when).or_insert(DnsStep { when, wait_seconds: 0, add: Vec::new(), remove: Vec::new() })
    }

    fn note(&mut self, when: When, add: Option<&Record>, remove: Option<&Record>) {
        let step = self.at(when);
        step.add.extend(add.map(Record::to_string));
        step.remove.extend(remove.map(Record::to_string));
    }

    /// A name has one SPF record: in between, one that lets both the old and the new senders pass.
    fn replace_senders(&mut self, old: &Record, new: &Record) {
        let (RecordData::Txt(before), RecordData::Txt(after)) = (&old.data, &new.data) else { return };
        let both = Record { data: RecordData::Txt(after.with_terms_of(before)), ..new.clone() };
        if both != *old {
            self.note(When::Before, Some(&both), Some(old));
        }
        if both != *new {
            self.note(When::Later, Some(new), Some(&both));
        }
    }

    /// With the reload among them, and the waits: a cache keeps a record for its time to live, and the last message of the old
    /// site may leave at the end of its lifetime, to be checked when it arrives.
    fn in_order(mut self, lifetime: Duration) -> Vec<DnsStep> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let ttl = u64::from(dns::TTL_SECONDS);
        let is_published = self.0.contains_key(&When::Before);
        self.at(When::Reload).wait_seconds = if is_published { ttl } else { 0 };
        if let Some(last) = self.0.get_mut(&When::Later) {
            last.wait_seconds = lifetime.as_secs() + ttl;
        }
        self.0.into_values().collect()
    }
}

/// What a record is to others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Role {
    /// Which hosts may send: SPF, where it names any.
    Senders,
    /// What a message or a host is checked by: addresses, keys, certificates, reverse names.
    Proof,
    /// The way to us.
    Lead,
    /// What we promise to keep.
    Promise,
}

fn role(record: &Record) -> Role {
    match &record.data {
        RecordData::Txt(text) if text.as_str().starts_with(Spf::VERSION) => {
            let lets_somebody_pass = text.as_str().split(' ').count() > 2;
            if lets_somebody_pass { Role::Senders } else { Role::Promise }
        }
        // A key for whatever name is one that revokes.
        RecordData::Txt(_) if record.owner.as_str().starts_with('*') => Role::Promise,
        RecordData::Txt(_) if !is_key(&record.owner) && record.owner.is_underscored() => Role::Promise,
        RecordData::Mx { .. } | RecordData::Srv { .. } => Role::Lead,
        _ => Role::Proof,
    }
}

fn is_key(owner: &Owner) -> bool {
    owner.as_str().split('.').any(|label| label == "_domainkey" || label == "_report")
}

/// What there can be one of: two records of one slot exclude each other. `None`: any number may stand side by side.
fn slot(record: &Record) -> Option<(Owner, RecordKind, String)> {
    let tag = match &record.data {
        RecordData::Cname(_) | RecordData::Ptr(_) => String::new(),
        // The version of a text says what it is: `v=…` before the first blank or semicolon.
        RecordData::Txt(text) => text.as_str().split([' ', ';']).next().unwrap_or_default().to_owned(),
        _ => return None,
    };
    Some((record.owner.clone(), record.data.kind(), tag))
}

fn records(model: &Model) -> BTreeSet<Record> {
    let set = dns::derive(model);
    set.records.iter().chain(&set.reverse).map(|planned| planned.record.clone()).collect()
}
