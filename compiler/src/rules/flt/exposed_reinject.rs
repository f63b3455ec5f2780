//! FLT007: a listener for filters that strangers can reach.

use super::returning;
use crate::report::{Diagnostic, Severity};
use crate::rules::rly::{class_of_listener, is_private};
use crate::rules::{Rule, Subject};
use ipnet::IpNet;

/// The rule.
pub static RULE: Rule =
    Rule::check("FLT007", "exposed-reinject", Severity::Error, &[], check, include_str!("exposed_reinject.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for listener in returning(subject.draft) {
        let name = &listener.name.value;
        let (span, message) = match &listener.peers {
            Some(peers) if is_one(peers.value) || is_private(peers.value) => continue,
            Some(peers) => {
                let message =
                    format!("Whoever is in {} may relay through {name:?}, which takes whatever it is handed", peers.value);
                (peers.span, message)
            }
            None => {
                let Some(bound) = listener.addresses.iter().find(|bound| !is_private(IpNet::from(bound.value))) else { continue };
                let message = format!("Strangers reach {name:?}, which is for the filters of this host alone");
                (bound.span.unwrap_or(listener.name.span), message)
            }
        };
        findings.push(
            RULE.at(span, message)
                .help("Write address=\"127.0.0.1\", where the filters are; for a filter elsewhere, from= and its one address")
                .postfix(&["master.cf", "mynetworks", "smtpd_recipient_restrictions"])
                .opens(class_of_listener(listener)),
        );
    }
}

fn is_one(range: IpNet) -> bool {
    range.prefix_len() == range.max_prefix_len()
}
