//! RTE001: mail that the site takes or makes, and that no route leads on.

use crate::addresses::HostId;
use crate::lower::draft::Part;
use crate::report::{Diagnostic, RowFindings, Severity};
use crate::rules::graph::{Role, made_by, targets};
use crate::rules::{Rule, Subject};
use crate::source::{Span, Spanned};
use postern_schema::decide::{Answer, Reason, RouteFacts, SentAs, route};
use postern_schema::name::{HostName, LocalPart, Mailbox, ReversePath};
use std::collections::HashMap;

/// The rule.
pub static RULE: Rule = Rule::check(
    "RTE001",
    "no-route",
    Severity::Error,
    &[Part::Routes, Part::Relays, Part::Domains, Part::Users, Part::Networks, Part::Listeners, Part::Transports],
    check,
    include_str!("no_route.md"),
);

/// Two ways lead elsewhere: an address of ours that stands for one elsewhere, and a client that may relay.
fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let book = &subject.draft.addresses;
    let mut rows = RowFindings::new(subject.draft.first_table);
    // A route is for a domain: one recipient in each tells of all.
    let mut known: HashMap<HostId, bool> = HashMap::new();
    for target in book.declared().flat_map(|alias| alias.targets()) {
        if subject.graph.is_elsewhere(&target)
            && !*known.entry(target.host()).or_insert_with(|| has_route(&target.mailbox(), subject))
            && rows.admit(RULE.code, RULE.severity, target.span())
        {
            findings.push(no_route_to(Role::Alias, &Spanned::new(target.mailbox(), target.span())));
        }
    }
    findings.extend(rows.rest());
    // What is set aside must not leave at all: SCR005.
    let others = targets(subject.draft).into_iter().filter(|(role, _)| *role != Role::Quarantine);
    let others = others.filter(|(_, target)| !has_route(&target.value, subject));
    findings.extend(others.map(|(role, target)| no_route_to(role, &target)));
    for pattern in subject.draft.domains.iter().flat_map(|domain| &domain.patterns) {
        let made = made_by(pattern).find(|made| !has_route(made, subject));
        findings.extend(made.map(|made| no_route_to(Role::Pattern, &Spanned::new(made, pattern.target))));
    }
    for domain in subject.draft.domain_nodes().filter(|domain| domain.class.value.is_backup()) {
        let someone = LocalPart::from_content("postmaster").map(|local| (local, HostName::Domain(domain.name.value.clone())));
        if someone.is_ok_and(|(local, host)| !has_route(&Mailbox::new(local, host), subject)) {
            let message = format!("No route leads to the host behind {}", domain.name.value);
            findings.push(finding(domain.class.span, message, domain.name.value.as_str()));
        }
    }
    if !subject.draft.routes.is_empty() {
        return;
    }
    let users = subject.draft.users.first().filter(|_| subject.draft.submission_listeners().next().is_some());
    let network = subject.draft.networks.iter().find(|network| network.relay.value);
    if let Some(users) = users {
        let message = format!("Users of {:?} may send to anywhere, and no route leads anywhere", users.name.value);
        findings.push(finding(users.name.span, message, "*"));
    } else if let Some(network) = network {
        let message = format!("The network {:?} may send to anywhere, and no route leads anywhere", network.name.value);
        findings.push(finding(network.relay.span.unwrap_or(network.name.span), message, "*"));
    }
}

fn has_route(target: &Mailbox, subject: &Subject<'_>) -> bool {
    let answer =
        route(&RouteFacts { reverse_path: &ReversePath::Null, recipient: target, sent_as: &SentAs::Sender }, subject.model);
    !matches!(answer, Answer::Verdict(verdict) if verdict.reason == Reason::NoRoute)
}

fn no_route_to(role: Role, target: &Spanned<Mailbox>) -> Diagnostic {
    let message = format!("No route leads to the {} {}", role.describe(), target.value);
    finding(target.span, message, &target.value.host.to_string())
}

fn finding(span: Span, message: String, to: &str) -> Diagnostic {
    RULE.at(span, message).help(format!("Write `route to=\"{to}\" via=\"direct\"`, or via= a `relay`")).postfix(&[
        "relayhost",
        "transport_maps",
        "default_transport",
    ])
}
