//! FLT006: a filter where this site itself listens.

use super::is_bound;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("FLT006", "endpoint-is-self", Severity::Error, &[], check, include_str!("endpoint_is_self.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let draft = subject.draft;
    let listeners = draft.listeners.iter().flat_map(|listener| {
        let name = format!("the listener {:?}", listener.name.value);
        listener.addresses.iter().map(move |address| (name.clone(), listener.name.span, address.value, listener.port.value))
    });
    let metrics = draft.metrics.iter().map(|at| ("`metrics`".to_owned(), at.span, at.value.ip(), at.value.port()));
    let own: Vec<_> = listeners.chain(metrics).collect();
    let filters = draft.planned.filters.iter().map(|filter| (&filter.name, &filter.endpoint));
    let policies = draft.planned.policies.iter().map(|policy| (&policy.name, &policy.endpoint));
    for (name, endpoint) in filters.chain(policies) {
        if let Some((own, span, ..)) = own.iter().find(|(_, _, address, port)| is_bound(draft, &endpoint.value, *address, *port))
        {
            findings.push(
                RULE.at(endpoint.span, format!("{:?} is where {own} of this site is", name.value))
                    .also(*span, "declared here")
                    .help("Give one of the two another port; 10025 is what both ENMA and the way back from Amavis come with")
                    .postfix(&["content_filter", "smtpd_milters", "master.cf"]),
            );
        }
    }
}
