//! DKM012: a domain whose mail nobody signs.

use crate::emit::dns::egress;
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check(
    "DKM012",
    "no-dkim-key",
    Severity::Note,
    &[Part::Domains, Part::Routes, Part::Relays],
    check,
    include_str!("no_key.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for domain in subject.draft.domain_nodes() {
        let relays = egress(&subject.model.site, &domain.name.value);
        let is_signed_there = !relays.is_empty() && relays.iter().all(|relay| relay.signs_dkim);
        if domain.publication.dmarc.is_some() && domain.signers.is_empty() && !is_signed_there {
            let message = format!("Mail of {} is not signed with DKIM", domain.name.value);
            findings.push(RULE.at(domain.name.span, message).help("Make a key: `postern key new`"));
        }
    }
}
