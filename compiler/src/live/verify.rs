//! The records of a site against those in DNS, one by one, and what follows from them: that SPF lets the site's own addresses
//! send, that they have names which lead back, that mail hosts can be found.

use super::client::{Answer, Client};
use super::host;
use super::spf;
use super::web::{self, Web};
use crate::emit::dns::{Planned, RecordSet, WebFile, rrsets};
use crate::model::Model;
use postern_schema::name::Domain;
use postern_schema::record::{Dmarc, Owner, RecordData, RecordKind, ReportUri};
use postern_schema::site::{DomainClass, SigningState};
use postern_schema::spf::{Finding, SpfResult, is_spf};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;

/// Questions that are under way at once. A resolver on the way to others takes more; a small one is not drowned.
const WORKERS: usize = 16;

/// How one record stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As the site needs it.
    Same,
    /// Not there.
    Missing,
    /// Another value in its place.
    Different,
    /// There, and not of the site.
    Foreign,
    /// DNS did not answer.
    CannotTell,
}

/// One record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Checked {
    /// The domain of the site that it is about.
    pub domain: String,
    /// Its owner, without a trailing dot.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// How it stands.
    pub outcome: Outcome,
    /// What the site needs; `None` for a foreign one.
    pub wanted: Option<String>,
    /// What is there.
    pub found: Option<String>,
    /// Why nothing can be told.
    pub why: Option<String>,
}

/// Something that must follow from the records.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Proof {
    /// The domain of the site that it is about.
    pub domain: String,
    /// What must hold.
    pub claim: String,
    /// Whether it does; `None` where DNS did not answer.
    pub holds: Option<bool>,
    /// What was found.
    pub detail: String,
}

/// Everything that was found.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Verified {
    /// Every record.
    pub records: Vec<Checked>,
    /// Every proof.
    pub proofs: Vec<Proof>,
}

/// How many of each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Counts {
    /// Records as they should be, and proofs that hold.
    pub same: usize,
    /// Records that are not there.
    pub missing: usize,
    /// Records with another value.
    pub different: usize,
    /// Records that are not the site's.
    pub foreign: usize,
    /// Proofs that do not hold.
    pub failed: usize,
    /// What DNS did not answer.
    pub cannot_tell: usize,
}

impl Counts {
    /// Whether DNS is not as the site needs it.
    pub fn is_drift(&self) -> bool {
        self.missing + self.different + self.foreign + self.failed > 0
    }
}

impl Verified {
    /// Counts them.
    pub fn counts(&self) -> Counts {
        let records = |outcome| self.records.iter().filter(|record| record.outcome == outcome).count();
        let proofs = |holds| self.proofs.iter().filter(|proof| proof.holds == holds).count();
        Counts {
            same: records(Outcome::Same) + proofs(Some(true)),
            missing: records(Outcome::Missing),
            different: records(Outcome::Different),
            foreign: records(Outcome::Foreign),
            failed: proofs(Some(false)),
            cannot_tell: records(Outcome::CannotTell) + proofs(None),
        }
    }
}

/// Asks for everything that a site needs. `progress` hears how many steps of how many are done.
pub fn verify(client: &Client, web: &Web, model: &Model, set: &RecordSet, progress: &mut dyn FnMut(usize, usize)) -> Verified {
    let steps = steps(model, set);
    let next = AtomicUsize::new(0);
    let (sender, results) = channel();
    let mut done = vec![Verified::default(); steps.len()];
    thread::scope(|scope| {
        for _ in 0..WORKERS.min(steps.len()) {
            let (sender, next, steps) = (sender.clone(), &next, &steps);
            scope.spawn(move || {
                while let Some((index, step)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, steps.get(at)?)))
                {
                    // The receiver outlives every worker.
                    let _ = sender.send((index, step.run(client, web)));
                }
            });
        }
        drop(sender);
        for (count, (index, verified)) in results.into_iter().enumerate() {
            done[index] = verified;
            progress(count + 1, steps.len());
        }
    });
    done.into_iter().fold(Verified::default(), |mut all, one| {
        all.records.extend(one.records);
        all.proofs.extend(one.proofs);
        all
    })
}

/// One piece of the work, which asks a few questions.
enum Step<'a> {
    /// The records of one owner and kind.
    Records(&'a [Planned]),
    /// An MX host can be found.
    Host { domain: &'a Domain, host: &'a Domain },
    /// SPF of a domain lets an address of the site send.
    Sends { domain: &'a Domain, address: std::net::IpAddr },
    /// Mail leaves by others alone: there is a record, and it can be evaluated.
    HasSpf { domain: &'a Domain },
    /// A key that has left DNS is not there any more.
    Removed { domain: &'a Domain, owner: Owner },
    /// The policy file is served as it should be.
    Policy(&'a WebFile),
    /// A receiver outside of the site takes reports about a domain.
    Permits { domain: &'a Domain, receiver: Domain },
    /// What says which key a host has is vouched for by DNSSEC.
    Vouched { domain: &'a Domain, owner: &'a Owner },
    /// An address has a name that leads back to it.
    Named { domain: &'a Domain, address: std::net::IpAddr, host: &'a Domain },
}

fn steps<'a>(model: &'a Model, set: &'a RecordSet) -> Vec<Step<'a>> {
    let mut steps: Vec<Step<'a>> = rrsets(&set.records).map(|(_, planned)| Step::Records(planned)).collect();
    let host = &model.site.hostname;
    let asked: BTreeSet<&Domain> = set.records.iter().map(|planned| &planned.domain).collect();
    let texts = set.records.iter().filter(|planned| planned.record.data.kind() == RecordKind::Txt);
    let with_text: BTreeSet<&str> = texts.map(|planned| planned.record.owner.as_str()).collect();
    for (domain, entry) in &model.domains {
        if entry.class == DomainClass::Parked || entry.class.is_backup() || !asked.contains(domain) {
            continue;
        }
        steps.push(Step::Host { domain, host });
        // The one text at a domain's own name is its SPF record.
        if with_text.contains(domain.as_str()) {
            steps.extend(model.site.addresses.iter().map(|address| Step::Sends { domain, address: *address }));
        } else {
            steps.push(Step::HasSpf { domain });
        }
    }
    for (domain, entry) in model.domains.iter().filter(|(domain, _)| asked.contains(domain)) {
        let removed = entry.signers.iter().filter(|signer| signer.state == SigningState::Removed);
        let owners = removed.filter_map(|signer| Owner::below(&format!("{}._domainkey", signer.selector), domain));
        steps.extend(owners.map(|owner| Step::Removed { domain, owner }));
        let reports = entry.publication.dmarc.iter().flat_map(|dmarc| &dmarc.reports).filter_map(ReportUri::mail_domain);
        let is_asked = |receiver: &Domain| !receiver.is_within(domain) && !domain.is_within(receiver);
        let ours = |receiver: &Domain| {
            std::iter::successors(Some(receiver.clone()), Domain::parent).any(|name| model.domains.contains_key(&name))
        };
        let elsewhere = reports.filter(|receiver| is_asked(receiver) && !ours(receiver));
        steps.extend(elsewhere.map(|receiver| Step::Permits { domain, receiver }));
    }
    steps.extend(set.policies.iter().map(Step::Policy));
    let tlsa = rrsets(&set.records).filter(|(first, _)| first.data.kind() == RecordKind::Tlsa);
    steps.extend(tlsa.map(|(first, planned)| Step::Vouched { domain: &planned[0].domain, owner: &first.owner }));
    for address in &model.site.addresses {
        let owner = Owner::reverse(*address);
        let reverse = set.reverse.iter().find(|planned| planned.record.owner == owner);
        steps.extend(reverse.map(|planned| Step::Named { domain: &planned.domain, address: *address, host }));
    }
    steps
}

impl Step<'_> {
    fn run(&self, client: &Client, web: &Web) -> Verified {
        match self {
            Step::Records(planned) => Verified { records: compare(client, planned), proofs: Vec::new() },
            Step::Host { domain, host } => {
                proof(domain, format!("the mail host {host} can be found"), host::reachable(client, host))
            }
            Step::Sends { domain, address } => {
                let claim = format!("SPF of {domain} lets {address} send");
                let found = spf::judge(client, *address, domain.as_str());
                proof(domain, claim, (may_hold(&found, found.result == SpfResult::Pass), spf::describe(&found)))
            }
            Step::HasSpf { domain } => {
                let claim = format!("{domain} has an SPF record that can be evaluated");
                // An address that no record lets send, so that every term is tried.
                let nobody = std::net::Ipv4Addr::new(192, 0, 2, 1).into();
                let found = spf::judge(client, nobody, domain.as_str());
                let holds = !matches!(found.result, SpfResult::None | SpfResult::PermError);
                proof(domain, claim, (may_hold(&found, holds), spf::describe(&found)))
            }
            Step::Removed { domain, owner } => Verified { records: removed(client, domain, owner), proofs: Vec::new() },
            Step::Policy(policy) => {
                let claim = format!("the MTA-STS policy of {} is served as the site says", policy.domain);
                proof(&policy.domain, claim, web::says_policy(client, web, policy.domain.as_str(), &policy.text))
            }
            Step::Permits { domain, receiver } => {
                proof(domain, format!("{receiver} takes DMARC reports about {domain}"), permits(client, domain, receiver))
            }
            Step::Vouched { domain, owner } => {
                proof(domain, format!("{} TLSA is vouched for by DNSSEC", owner.as_str()), vouched(client, owner))
            }
            Step::Named { domain, address, host } => {
                let claim = format!("{address} has the name {host}, which leads back to it");
                proof(domain, claim, host::named(client, *address, host))
            }
        }
    }
}

/// A record at a name that should hold none.
fn removed(client: &Client, domain: &Domain, owner: &Owner) -> Vec<Checked> {
    let checked = |outcome, found: Option<String>, why: Option<String>| Checked {
        domain: domain.to_string(),
        name: owner.as_str().to_owned(),
        kind: RecordKind::Txt.as_str(),
        outcome,
        wanted: None,
        found,
        why,
    };
    match client.ask(owner.as_str(), RecordKind::Txt) {
        Err(silence) => vec![checked(Outcome::CannotTell, None, Some(silence.to_string()))],
        Ok(Answer::Nothing | Answer::Nonexistent) => Vec::new(),
        Ok(Answer::Found(found)) => found.into_iter().map(|live| checked(Outcome::Foreign, Some(live.value), None)).collect(),
    }
}

/// The receiver says so under its own name (RFC 9990).
fn permits(client: &Client, domain: &Domain, receiver: &Domain) -> (Option<bool>, String) {
    let name = format!("{domain}._report._dmarc.{receiver}");
    match client.ask(&name, RecordKind::Txt) {
        Err(silence) => (None, silence.to_string()),
        Ok(Answer::Found(found)) if found.iter().any(|live| Dmarc::is_one(&live.value)) => (Some(true), "it says so".to_owned()),
        Ok(_) => (Some(false), format!("{name} does not say so")),
    }
}

/// A resolver that validates says so of the root too; without one, nothing is known.
fn vouched(client: &Client, owner: &Owner) -> (Option<bool>, String) {
    match client.is_authentic(owner.as_str(), RecordKind::Tlsa) {
        Err(silence) => (None, silence.to_string()),
        Ok(true) => (Some(true), "it is".to_owned()),
        Ok(false) => match client.validates() {
            Ok(true) => (Some(false), "the zone is not signed, so no sender looks at the record".to_owned()),
            _ => (None, format!("{} does not validate", client.server())),
        },
    }
}

fn may_hold(found: &Finding, holds: bool) -> Option<bool> {
    (found.result != SpfResult::TempError).then_some(holds)
}

fn proof(domain: &Domain, claim: String, (holds, detail): (Option<bool>, String)) -> Verified {
    Verified { records: Vec::new(), proofs: vec![Proof { domain: domain.to_string(), claim, holds, detail }] }
}

/// The records of one owner and kind. Texts of others at a name that no protocol owns are not our business.
fn compare(client: &Client, planned: &[Planned]) -> Vec<Checked> {
    let first = &planned[0];
    let (owner, kind) = (&first.record.owner, first.record.data.kind());
    let checked = |outcome, wanted: Option<String>, found: Option<String>, why: Option<String>| Checked {
        domain: first.domain.to_string(),
        name: owner.as_str().to_owned(),
        kind: kind.as_str(),
        outcome,
        wanted,
        found,
        why,
    };
    let mut wanted: Vec<String> = planned.iter().map(|planned| value(&planned.record.data)).collect();
    let mut found = match client.ask(owner.as_str(), kind) {
        Err(silence) => {
            let cannot_tell = |wanted| checked(Outcome::CannotTell, Some(wanted), None, Some(silence.to_string()));
            return wanted.into_iter().map(cannot_tell).collect();
        }
        Ok(Answer::Found(found)) => found.into_iter().map(|live| live.value).collect(),
        Ok(Answer::Nothing | Answer::Nonexistent) => Vec::new(),
    };
    if kind == RecordKind::Txt && !owner.is_underscored() {
        found.retain(|text: &String| is_spf(text));
    }
    let mut all = Vec::new();
    wanted.retain(|wanted| match found.iter().position(|found| means_the_same(kind, wanted, found)) {
        Some(at) => {
            let found = found.remove(at);
            all.push(checked(Outcome::Same, Some(wanted.clone()), Some(found), None));
            false
        }
        None => true,
    });
    let mut found = found.into_iter();
    for wanted in wanted {
        let found = found.next();
        let outcome = if found.is_some() { Outcome::Different } else { Outcome::Missing };
        all.push(checked(outcome, Some(wanted), found, None));
    }
    all.extend(found.map(|found| checked(Outcome::Foreign, None, Some(found), None)));
    all
}

/// In the form that the client gives.
fn value(data: &RecordData) -> String {
    match data {
        RecordData::Txt(text) => text.as_str().to_owned(),
        other => other.to_string(),
    }
}

/// Texts are compared by what they say: SPF by its terms, tag lists (RFC 6376 3.2, RFC 9989) by their tags.
fn means_the_same(kind: RecordKind, wanted: &str, found: &str) -> bool {
    if kind != RecordKind::Txt {
        return wanted == found;
    }
    if is_spf(wanted) || is_spf(found) {
        let terms = |text: &str| -> Vec<String> {
            let plain = |term: &str| term.strip_prefix('+').unwrap_or(term).to_ascii_lowercase();
            text.split(' ').filter(|term| !term.is_empty()).map(plain).collect()
        };
        return terms(wanted) == terms(found);
    }
    let tags = |text: &str| -> BTreeMap<String, String> {
        let tags = text.split(';').filter_map(|tag| tag.split_once('='));
        // A policy is a word in any case; a key is not.
        let is_policy = Dmarc::is_one(text);
        let value = |value: &str| if is_policy { value.trim().to_ascii_lowercase() } else { value.trim().to_owned() };
        tags.map(|(name, text)| (name.trim().to_owned(), value(text))).collect()
    };
    wanted == found || (!tags(wanted).is_empty() && tags(wanted) == tags(found))
}

#[cfg(test)]
mod tests {
    //! What two texts have in common.

    use super::*;

    #[test]
    fn texts_are_compared_by_what_they_say() {
        let same = |a: &str, b: &str| means_the_same(RecordKind::Txt, a, b) && means_the_same(RecordKind::Txt, b, a);
        assert!(same("v=spf1 ip4:203.0.113.25 ~all", "V=SPF1  +IP4:203.0.113.25 ~ALL"));
        assert!(!same("v=spf1 ip4:203.0.113.25 ~all", "v=spf1 ip4:203.0.113.25 -all"));
        assert!(!same("v=spf1 -all", "anything"));
        assert!(same("v=DMARC1; p=none", "v=DMARC1;p=None;"));
        assert!(!same("v=DMARC1; p=none", "v=DMARC1; p=none; rua=mailto:a@example.com"));
        assert!(same("v=DKIM1; p=", "v=DKIM1;p="));
        assert!(!same("v=DKIM1; p=ABC", "v=DKIM1; p=abc"));
        assert!(!same("a text", "another"));
    }
}
