//! TSA002: a key that is announced twice.

use crate::emit::dns::in_use;
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::Pin;
use std::collections::BTreeMap;

/// The rule.
pub static RULE: Rule = Rule::check(
    "TSA002",
    "key-announced-twice",
    Severity::Warning,
    &[Part::Domains, Part::Tls, Part::Host],
    check,
    include_str!("pin_twice.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let in_chains = in_use(subject.model);
    let host = &subject.draft.host.hostname.value;
    let chain = subject.draft.tls.certificates.iter().find(|certificate| certificate.name.value == *host);
    for dane in subject.draft.domain_nodes().filter_map(|domain| domain.publication.dane.as_ref()) {
        let mut seen: BTreeMap<&Pin, _> = BTreeMap::new();
        for pin in &dane.value {
            let (message, first) = match (seen.get(&pin.value), chain) {
                (Some(first), _) => ("This key is announced already", *first),
                (None, Some(chain)) if in_chains.contains(&pin.value) => {
                    ("This key is announced already: it is in the chain of the host", chain.chain.span)
                }
                _ => {
                    seen.insert(&pin.value, pin.span);
                    continue;
                }
            };
            findings.push(RULE.at(pin.span, message).also(first, "here").help("Remove this line, or name the next key in it"));
        }
    }
}
