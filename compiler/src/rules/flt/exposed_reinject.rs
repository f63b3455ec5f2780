//! FLT007: a listener for filters that everybody can reach.

use crate::report::{Diagnostic, Severity};
use crate::rules::rly::is_private;
use crate::rules::{Rule, Subject};
use ipnet::IpNet;

/// The rule.
pub static RULE: Rule =
    Rule::check("FLT007", "exposed-reinject", Severity::Error, &[], check, include_str!("exposed_reinject.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for listener in &subject.draft.planned.reinject {
        let span = match &listener.address {
            Some(address) if is_private(IpNet::from(address.value)) => continue,
            Some(address) => address.span,
            None => listener.name.span,
        };
        let message = format!(
            "Strangers may relay through {:?}: it takes whatever a filter hands it, and everybody reaches it",
            listener.name.value
        );
        findings.push(RULE.at(span, message).help("Write address=\"127.0.0.1\", where the filters are").postfix(&[
            "master.cf",
            "mynetworks",
            "smtpd_recipient_restrictions",
        ]));
    }
}
