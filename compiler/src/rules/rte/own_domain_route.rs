//! RTE006: a route for a domain that is delivered here.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::RoutePattern;

/// The rule.
pub static RULE: Rule = Rule::check(
    "RTE006",
    "route-for-own-domain",
    Severity::Warning,
    &[Part::Domains],
    check,
    include_str!("own_domain_route.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for route in &subject.draft.routes {
        let RoutePattern::Domain(name) = &route.to.value else { continue };
        let Some(domain) = subject.draft.domain(name).filter(|domain| !domain.class.value.is_backup()) else { continue };
        let span = route.to.span.unwrap_or(route.span);
        findings.push(
            RULE.at(span, format!("No mail reaches this route: {name} is a domain of this site, and routes are for all others"))
                .also(domain.name.span, "declared here")
                .help("Remove the route, or the domain if its mail belongs elsewhere")
                .postfix(&["transport_maps", "mydestination"]),
        );
    }
}
