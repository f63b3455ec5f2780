//! RTE007: routes for some of the world, and none for the rest.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::probe::recipients_elsewhere;
use crate::rules::{Rule, Subject};
use postern_schema::decide::{Answer, Reason, RouteFacts, SentAs, route};
use postern_schema::name::{HostName, LocalPart, Mailbox, ReversePath};
use postern_schema::site::DomainClass;

/// The rule.
pub static RULE: Rule = Rule::check(
    "RTE007",
    "rest-without-route",
    Severity::Warning,
    &[Part::Routes, Part::Relays, Part::Users, Part::Networks, Part::Listeners, Part::Domains],
    check,
    include_str!("rest_without_route.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let draft = subject.draft;
    let users_may = !draft.users.is_empty() && draft.submission_listeners().next().is_some();
    let somebody_may = users_may || draft.networks.iter().any(|network| network.relay.value);
    // Without any route there is another finding.
    let Some(last) = draft.routes.last().filter(|_| somebody_may) else { return };
    // The first of them is at a domain that no route names.
    let Some(elsewhere) = recipients_elsewhere(subject.model).into_iter().next() else { return };
    let has_route = |reverse_path: &ReversePath| {
        let answer = route(&RouteFacts { reverse_path, recipient: &elsewhere, sent_as: &SentAs::Sender }, subject.model);
        !matches!(answer, Answer::Verdict(verdict) if verdict.reason == Reason::NoRoute)
    };
    let own = draft.domains.iter().find(|domain| domain.class.value == DomainClass::Local);
    let own = own.and_then(|domain| {
        let someone = LocalPart::from_content("someone").ok()?;
        Some(ReversePath::Mailbox(Mailbox::new(someone, HostName::Domain(domain.name.value.clone()))))
    });
    let message = match own {
        Some(own) if !has_route(&own) => "Mail to most of the world has no route, and is refused",
        _ if !has_route(&ReversePath::Null) => {
            "Bounces to most of the world have no route: they are without a sender, so no from= matches them"
        }
        _ => return,
    };
    findings.push(RULE.at(last.span, message).help("Write a last `route to=\"*\"`, via=\"direct\" or a relay").postfix(&[
        "default_transport",
        "relayhost",
        "transport_maps",
    ]));
}
