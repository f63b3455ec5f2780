//! RTE009: a route that asks for less than its relay does.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::Via;

/// The rule.
pub static RULE: Rule = Rule::check("RTE009", "weaker-route", Severity::Warning, &[], check, include_str!("weaker_route.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for route in &subject.draft.routes {
        let (Some(level), Via::Relay(name)) = (&route.tls, &route.via.value) else { continue };
        let Some(relay) = subject.draft.relay(name).filter(|relay| relay.tls.value > level.value) else { continue };
        let place = relay.tls.span.unwrap_or(relay.name.span);
        findings.push(
            RULE.at(
                level.span,
                format!("tls=\"{}\" does nothing here: the relay {name:?} demands \"{}\"", level.value, relay.tls.value),
            )
            .also(place, "the stronger of the two counts")
            .help("Remove it, or lower the level of the relay")
            .postfix(&["smtp_tls_policy_maps"]),
        );
    }
}
