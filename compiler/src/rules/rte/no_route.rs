//! RTE001: mail that the site takes or makes, and that no route leads on.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::graph::targets;
use crate::rules::{Rule, Subject};
use postern_schema::decide::{Answer, Reason, RouteFacts, route};
use postern_schema::name::ReversePath;

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
    for (role, target) in targets(subject.draft) {
        let facts = RouteFacts { reverse_path: &ReversePath::Null, recipient: &target.value };
        let Answer::Verdict(verdict) = route(&facts, subject.model) else { continue };
        if verdict.reason == Reason::NoRoute {
            let message = format!("No route leads to the {} {}", role.describe(), target.value);
            findings.push(finding(target.span, message, &target.value.host.to_string()));
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

fn finding(span: crate::source::Span, message: String, to: &str) -> Diagnostic {
    RULE.at(span, message).help(format!("Write `route to=\"{to}\" via=\"direct\"`, or via= a `relay`")).postfix(&[
        "relayhost",
        "transport_maps",
        "default_transport",
    ])
}
