//! SPF007: a relay whose addresses nobody says.

use super::and_others;
use crate::emit::dns::{egress, names_relay, spf_of};
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::name::{Domain, HostName};
use postern_schema::site::{DomainClass, DomainEntry};
use std::collections::BTreeMap;

/// The rule.
pub static RULE: Rule = Rule::check(
    "SPF007",
    "spf-egress-unsaid",
    Severity::Note,
    &[Part::Domains, Part::Routes, Part::Relays],
    check,
    include_str!("egress_unsaid.md"),
);

/// The domains whose mail leaves through a relay that no record names.
#[derive(Default)]
struct Silent<'a> {
    /// They have no record at all for it.
    without_record: Vec<&'a Domain>,
    /// They have one, which says nothing of the relay.
    beside_record: Vec<&'a Domain>,
}

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let site = &subject.model.site;
    let mut silent: BTreeMap<&str, Silent<'_>> = BTreeMap::new();
    for entry in subject.model.domains.values().filter(|entry| sends(entry)) {
        let policy = &entry.publication.spf;
        match spf_of(site, &entry.name, policy) {
            Err(relays) => {
                relays.iter().for_each(|relay| silent.entry(&relay.name).or_default().without_record.push(&entry.name));
            }
            Ok(record) => {
                for relay in egress(site, &entry.name).into_iter().filter(|relay| !names_relay(&record, policy, relay)) {
                    silent.entry(&relay.name).or_default().beside_record.push(&entry.name);
                }
            }
        }
    }
    for relay in &subject.draft.relays {
        let Some(silent) = silent.get(&*relay.name.value) else { continue };
        let name = &relay.name.value;
        let message = match (silent.without_record.as_slice(), &relay.host.value) {
            ([], HostName::Literal(address)) => {
                format!("{name} is at {address}, which the SPF record of {} does not name", and_others(&silent.beside_record))
            }
            ([], HostName::Domain(_)) => format!(
                "Nobody says from which addresses {name} sends: the SPF record of {} holds nothing of it",
                and_others(&silent.beside_record)
            ),
            (domains, _) => {
                format!("Nobody says from which addresses {name} sends, so no SPF record is given for {}", and_others(domains))
            }
        };
        findings.push(
            RULE.at(relay.name.span, message)
                .help("Write spf-include and the domain that the provider names, such as \"amazonses.com\""),
        );
    }
}

/// An alias domain, which nobody sends as, has no part in it until it says something of its mail.
fn sends(entry: &DomainEntry) -> bool {
    match &entry.class {
        DomainClass::Parked => false,
        DomainClass::AliasOf(_) => entry.publication.dmarc.is_some(),
        DomainClass::Local => true,
        class @ DomainClass::Relay(_) => !class.is_backup(),
    }
}
