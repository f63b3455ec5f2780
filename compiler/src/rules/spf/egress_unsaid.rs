//! SPF007: a relay whose addresses nobody says.

use crate::emit::dns::spf_of;
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
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

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut silent: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for entry in subject.model.domains.values().filter(|entry| entry.publication.dmarc.is_some()) {
        for relay in spf_of(&subject.model.site, &entry.name, &entry.publication.spf).err().into_iter().flatten() {
            silent.entry(&relay.name).or_default().push(entry.name.to_string());
        }
    }
    for relay in &subject.draft.relays {
        let Some(domains) = silent.get(&*relay.name.value) else { continue };
        let message = format!(
            "Nobody says from which addresses {} sends, so no SPF record is given for {}",
            relay.name.value,
            domains.join(", ")
        );
        findings.push(
            RULE.at(relay.name.span, message)
                .help("Write spf-include and the domain that the provider names, such as \"amazonses.com\""),
        );
    }
}
