//! DOM021: a relay domain that takes mail for whatever address a stranger makes up.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::DomainClass;

/// The rule.
pub static RULE: Rule =
    Rule::check("DOM021", "relay-domain-takes-all", Severity::Warning, &[], check, include_str!("open_relay_domain.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    // What lists the recipients may be what could not be read.
    for domain in subject.draft.domain_nodes().filter(|domain| !domain.incomplete) {
        if matches!(&domain.class.value, DomainClass::Relay(onward) if !onward.listed) {
            let message = format!("Mail is taken for every address in {}, also those that nobody has", domain.name.value);
            findings.push(
                RULE.at(domain.class.span, message)
                    .help("List whom the other host knows: `recipients file=\"…\"`; what it refuses we would have to bounce")
                    .postfix(&["relay_recipient_maps"]),
            );
        }
    }
}
