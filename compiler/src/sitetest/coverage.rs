//! What no test of the site reaches: [`coverage`]. A part of a site is reached when the decision about some envelope read its line.

use super::SiteTest;
use crate::addresses::Form;
use crate::explain::{Explanation, StepExplained};
use crate::model::Model;
use postern_schema::decide::StepKind;
use postern_schema::site::{Origin, Reaction, RoutePattern, Screen, Site};
use serde::Serialize;
use std::collections::{BTreeSet, HashSet};

/// How much of a site its tests reach.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Coverage {
    /// How many parts there are.
    pub all: usize,
    /// How many of them some test reaches.
    pub reached: usize,
    /// The others, in the order of a site file.
    pub missing: Vec<Part>,
}

/// One part of a site that decisions read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Part {
    /// `listen`, `network`, `route`, ...: the node that says it.
    pub kind: &'static str,
    /// Which one: `"office"`, `to * via isp`.
    pub what: String,
    /// `site.kdl:12`; `None` for what is built in.
    pub source: Option<String>,
}

/// What the tests reach and what they do not.
pub fn coverage(tests: &[SiteTest], model: &Model) -> Coverage {
    let reached = Reached::new(tests.iter().filter_map(|test| test.found.as_ref()));
    let parts = parts(model);
    let all = parts.len();
    let describe = |origin: Origin| (!origin.is_default()).then(|| model.site.sources.describe(origin));
    let missing: Vec<Part> = parts
        .into_iter()
        .filter(|(kind, what, origin)| !reached.holds(kind, what, *origin))
        .map(|(kind, what, origin)| Part { kind, what, source: describe(origin) })
        .collect();
    Coverage { all, reached: all - missing.len(), missing }
}

/// The lines that were read, each with the node that stands there, and the ways that were taken.
struct Reached<'a> {
    lines: HashSet<(&'static str, Origin)>,
    ways: BTreeSet<&'a str>,
}

impl<'a> Reached<'a> {
    fn new(found: impl Iterator<Item = &'a Explanation>) -> Reached<'a> {
        let mut reached = Reached { lines: HashSet::new(), ways: BTreeSet::new() };
        for explanation in found {
            let stages = explanation.stages.iter().flat_map(|stage| &stage.steps);
            let hops = explanation.hops.iter().flat_map(|hop| &hop.steps);
            reached.lines.extend(stages.chain(hops).filter_map(line));
            let ways = explanation.hops.iter().flat_map(|hop| hop.via.iter().chain(&hop.backup));
            reached.ways.extend(ways.map(String::as_str));
        }
        reached
    }

    fn holds(&self, kind: &'static str, what: &str, origin: Origin) -> bool {
        match kind {
            "relay" | "transport" => self.ways.contains(what),
            _ => self.lines.contains(&(kind, origin)),
        }
    }
}

/// The node that a step read, and its line.
fn line(step: &StepExplained) -> Option<(&'static str, Origin)> {
    let kind = match &step.step.kind {
        StepKind::Listener(..) | StepKind::Peer(_) | StepKind::NoPeer(_) => "listen",
        StepKind::TrustedNetwork(_) | StepKind::TrustedCertificate(_) | StepKind::Network(_) => "network",
        StepKind::MaySendAs(_) => "may-send-as",
        StepKind::SenderDomain(..) => "screen",
        StepKind::Spared(..) => "network",
        StepKind::Spf(_) => "spf",
        StepKind::Dmarc(_) => "dmarc",
        StepKind::Arc(_) => "arc",
        StepKind::Quarantined(_) => "quarantine",
        StepKind::Helo(..) => "fqdn-helo",
        StepKind::HeloDomain(..) => "resolvable-helo",
        StepKind::Listed(_, weight) => {
            if *weight < 0 {
                "dnswl"
            } else {
                "dnsbl"
            }
        }
        StepKind::Greylist(_) => "greylist",
        StepKind::Reputation(_) => "reputation",
        StepKind::Domain(..) => "domain",
        StepKind::Mailbox(_) => "mailbox",
        StepKind::Alias(..) => "alias",
        StepKind::Forward(..) => "forward",
        StepKind::List(_) => "list",
        StepKind::Rewritten("masquerade", ..) => "masquerade",
        StepKind::Rewritten(..) => "rewrite",
        StepKind::Archive(_) => "archive",
        StepKind::Pattern(..) => "pattern",
        StepKind::CatchAll(_) => "catch-all",
        StepKind::Route(_) => "route",
        _ => return None,
    };
    Some((kind, step.step.origin))
}

type Found = (&'static str, String, Origin);

/// Every part that a decision could read.
fn parts(model: &Model) -> Vec<Found> {
    let mut found = of_site(&model.site);
    for domain in model.domains.values() {
        found.push(("domain", domain.name.to_string(), domain.origin));
        found.extend(domain.patterns.iter().map(|pattern| ("pattern", pattern.expression().to_owned(), pattern.origin)));
        found.extend(domain.catch_all.iter().map(|(target, origin)| ("catch-all", target.to_string(), *origin)));
    }
    found.extend(model.addresses.iter().map(|address| {
        let kind = match address.form() {
            Form::Alias => "alias",
            Form::Forward => "forward",
            Form::List => "list",
            Form::Mailbox | Form::Relayed => "mailbox",
        };
        (kind, address.to_string(), address.origin())
    }));
    found
}

/// The checks that a decision makes; what is counted before a decision is in none.
fn of_screen(screen: &Screen) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let mut add = |kind, what: &str, origin: Option<Origin>| found.extend(origin.map(|origin| (kind, what.to_owned(), origin)));
    add("screen", "sender-domain-exists", screen.require_sender_domain);
    add("fqdn-helo", "", screen.require_fqdn_helo);
    add("resolvable-helo", "", screen.require_resolvable_helo);
    add("spf", "", screen.spf_fail.filter(|(reaction, _)| *reaction != Reaction::Log).map(|(_, origin)| origin));
    add("dmarc", "", screen.dmarc.filter(|(reaction, _)| reaction.decides()).map(|(_, origin)| origin));
    add("quarantine", "", Some(screen.quarantine.1).filter(|origin| !origin.is_default()));
    for list in &screen.lists {
        add(list.node(), list.zone.as_str(), Some(list.origin));
    }
    add("greylist", "", screen.greylist.map(|greylist| greylist.origin));
    add("reputation", "", screen.reputation.map(|reputation| reputation.origin));
    found
}

fn of_site(site: &Site) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    found.extend(site.listeners.iter().map(|listener| ("listen", listener.name.to_string(), listener.origin)));
    found.extend(site.networks.iter().map(|network| ("network", network.name.to_string(), network.origin)));
    let send_as = site.users.iter().flat_map(|store| &store.send_as);
    found.extend(send_as.map(|entry| ("may-send-as", entry.user.to_string(), entry.origin)));
    found.extend(of_screen(&site.screen));
    let said = site.transports.iter().filter(|transport| !transport.origin.is_default());
    found.extend(said.map(|transport| ("transport", transport.name.to_string(), transport.origin)));
    found.extend(site.relays.iter().map(|relay| ("relay", relay.name.to_string(), relay.origin)));
    let rewriting = &site.rewriting;
    found.extend(rewriting.rewrites.iter().map(|said| ("rewrite", format!("{} to {}", said.from, said.to), said.origin)));
    found.extend(rewriting.masquerades.iter().map(|said| ("masquerade", said.domain.to_string(), said.origin)));
    found.extend(rewriting.archives.iter().map(|said| ("archive", format!("{} {}", said.to, said.when), said.origin)));
    found.extend(site.routes.iter().map(|route| {
        let from = match &route.from {
            RoutePattern::Any => String::new(),
            from => format!(" from {from}"),
        };
        ("route", format!("to {}{from} via {}", route.to, route.via), route.origin)
    }));
    found
}
