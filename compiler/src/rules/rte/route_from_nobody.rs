//! RTE011: a route for senders that there are not.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::graph::targets;
use crate::rules::{Rule, Subject};
use crate::syntax::nearest;
use postern_schema::name::{Domain, HostName};
use postern_schema::site::{DomainClass, RoutePattern};

/// The rule.
pub static RULE: Rule = Rule::check(
    "RTE011",
    "route-from-nobody",
    Severity::Warning,
    &[Part::Domains, Part::Users, Part::Networks],
    check,
    include_str!("route_from_nobody.md"),
);

/// A client in a trusted network may send as anybody, and so may a stranger whose mail an alias passes on: then nothing is
/// known of senders.
fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let draft = subject.draft;
    let is_elsewhere = |host: &HostName| host.domain().is_none_or(|name| !subject.model.domains.contains_key(name));
    let anybody = draft.networks.iter().any(|network| network.relay.value)
        || draft.addresses.hosts().any(|(_, host)| is_elsewhere(host))
        || targets(draft).iter().any(|(_, target)| is_elsewhere(&target.value.host));
    if anybody {
        return;
    }
    let local = draft.domains.iter().filter(|domain| domain.class.value == DomainClass::Local).map(|domain| &domain.name.value);
    let lent = draft.users.iter().flat_map(|users| &users.send_as).flat_map(|entry| &entry.mailboxes);
    let senders: Vec<&Domain> = local.chain(lent.filter_map(|mailbox| mailbox.value.domain())).collect();
    for route in &draft.routes {
        let matches = match &route.from.value {
            RoutePattern::Any => true,
            RoutePattern::Domain(domain) => senders.contains(&domain),
            RoutePattern::Below(parent) => senders.iter().any(|sender| *sender != parent && sender.is_within(parent)),
        };
        let Some(span) = route.from.span.filter(|_| !matches) else { continue };
        let finding = RULE
            .at(span, format!("No mail reaches this route: nobody here may send from {}", route.from.value))
            .postfix(&["sender_dependent_relayhost_maps", "smtpd_sender_login_maps"]);
        let written = route.from.value.to_string();
        findings.push(match nearest(&written, senders.iter().map(|sender| sender.as_str())) {
            Some(near) => finding.help(format!("Write from=\"{near}\"")),
            None => finding.help("Let a user send from there with `may-send-as`, or declare the domain"),
        });
    }
}
