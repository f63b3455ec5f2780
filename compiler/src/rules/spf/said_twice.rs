//! SPF005: what an SPF record has already.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use ipnet::IpNet;

/// The rule.
pub static RULE: Rule =
    Rule::check("SPF005", "spf-said-twice", Severity::Warning, &[Part::Host], check, include_str!("said_twice.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let draft = subject.draft;
    for domain in draft.domain_nodes() {
        let Some(spf) = &domain.publication.spf else { continue };
        let mut known: Vec<IpNet> =
            draft.host.addresses.iter().map(|address| IpNet::from(address.value.to_canonical())).collect();
        for network in &spf.value.addresses {
            if known.iter().any(|known| known.contains(network)) {
                findings.push(
                    RULE.at(spf.span, format!("{network} is in the SPF record of {} already", domain.name.value))
                        .help("Remove it"),
                );
            }
            known.push(*network);
        }
        let relays = draft.relays.iter().flat_map(|relay| &relay.spf_includes).map(|name| &name.value);
        for (index, name) in spf.value.includes.iter().enumerate() {
            if relays.clone().any(|known| known == name) || spf.value.includes[..index].contains(name) {
                findings
                    .push(RULE.at(spf.span, format!("{name} is included for {} already", domain.name.value)).help("Remove it"));
            }
        }
    }
}
