//! RTE002: a route that no mail reaches, since an earlier one takes it all.

use crate::lower::draft::{Part, RouteDraft};
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::RoutePattern;

/// The rule.
pub static RULE: Rule =
    Rule::check("RTE002", "shadowed-route", Severity::Warning, &[Part::Routes], check, include_str!("shadowed_route.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let routes = &subject.draft.routes;
    for (index, route) in routes.iter().enumerate() {
        if let Some(earlier) = routes[..index].iter().find(|earlier| covers(earlier, route)) {
            findings.push(
                RULE.at(route.span, "No mail reaches this route")
                    .also(earlier.span, "this one comes first and takes all of it")
                    .help("Move it before the other, or remove it: the first route that matches wins")
                    .postfix(&["transport_maps"]),
            );
        }
    }
}

fn covers(earlier: &RouteDraft, later: &RouteDraft) -> bool {
    includes(&earlier.to.value, &later.to.value) && includes(&earlier.from.value, &later.from.value)
}

/// Whether every address of `inner` is one of `outer`.
fn includes(outer: &RoutePattern, inner: &RoutePattern) -> bool {
    match (outer, inner) {
        (RoutePattern::Any, _) => true,
        (_, RoutePattern::Any) => false,
        (RoutePattern::Domain(outer), RoutePattern::Domain(inner)) => outer == inner,
        (RoutePattern::Domain(_), RoutePattern::Below(_)) => false,
        (RoutePattern::Below(outer), RoutePattern::Domain(inner)) => outer != inner && inner.is_within(outer),
        (RoutePattern::Below(outer), RoutePattern::Below(inner)) => inner.is_within(outer),
    }
}
