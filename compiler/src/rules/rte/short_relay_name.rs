//! RTE013: a relay whose name means another host on the next network.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::name::HostName;

/// The rule.
pub static RULE: Rule =
    Rule::check("RTE013", "short-relay-name", Severity::Warning, &[], check, include_str!("short_relay_name.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for relay in &subject.draft.relays {
        let HostName::Domain(name) = &relay.host.value else { continue };
        if !name.is_fully_qualified() && name.as_str() != "localhost" {
            findings.push(
                RULE.at(relay.host.span, format!("What {name} means depends on the search list of the resolver"))
                    .help(format!("Write the whole name, such as \"{name}.example.com\""))
                    .postfix(&["relayhost", "smtp_host_lookup"]),
            );
        }
    }
}
