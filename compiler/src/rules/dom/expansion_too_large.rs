//! DOM006: an alias that leads to more addresses than the daemon expands.

use crate::lower::draft::{AddressForm, Part};
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::decide::{Answer, Client, EXPANSION_LIMIT, Reason, RecipientFacts, accept};
use postern_schema::name::{ForwardPath, HostName, Mailbox, ReversePath};
use postern_schema::site::ListenerKind;
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};

/// The rule.
pub static RULE: Rule = Rule::check(
    "DOM006",
    "expansion-too-large",
    Severity::Error,
    &[Part::Domains, Part::Listeners],
    check,
    include_str!("expansion_too_large.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(listener) = subject.model.site.listeners.iter().find(|listener| listener.kind == ListenerKind::Mx) else { return };
    // A loop ends in the same verdict, and has its own finding.
    if !subject.graph.loops.is_empty() {
        return;
    }
    let client = Client { listener: &listener.name, address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), user: None };
    let mut reported = HashSet::new();
    for domain in &subject.draft.domains {
        for address in domain.addresses.iter().filter(|address| matches!(address.form, AddressForm::Alias(_))) {
            let recipient = Mailbox::new(address.local.value.clone(), HostName::Domain(domain.name.value.clone()));
            let path = ForwardPath::Mailbox(recipient);
            let facts = RecipientFacts { client, reverse_path: &ReversePath::Null, forward_path: &path };
            let Answer::Verdict(verdict) = accept(&facts, subject.model) else { continue };
            if verdict.reason == Reason::ExpansionTooLarge && reported.insert(address.local.span) {
                findings.push(
                    RULE.at(address.local.span, format!("{path} leads to more than {EXPANSION_LIMIT} addresses"))
                        .help("Use a mailing list manager: each recipient then gets a message of their own")
                        .postfix(&["virtual_alias_expansion_limit"]),
                );
            }
        }
    }
}
