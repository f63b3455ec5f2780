//! DOM014: nobody reads complaints.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::decide::{Resolved, Trace, resolve};
use postern_schema::name::{HostName, LocalPart, Mailbox};
use postern_schema::site::DomainClass;

/// The rule.
pub static RULE: Rule =
    Rule::check("DOM014", "no-abuse-address", Severity::Note, &[Part::Domains], check, include_str!("no_abuse.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let Ok(abuse) = LocalPart::from_content("abuse") else { return };
    // The host behind a relay domain has it, unless its addresses are listed here.
    let is_ours = |class: &DomainClass| match class {
        DomainClass::Local => true,
        DomainClass::Relay(onward) => onward.listed,
        _ => false,
    };
    for domain in subject.draft.domains.iter().filter(|domain| is_ours(&domain.class.value)) {
        let address = Mailbox::new(abuse.clone(), HostName::Domain(domain.name.value.clone()));
        let is_empty = !subject.draft.has_addresses(&domain.name.value);
        if !is_empty && resolve(&address, subject.model, &mut Trace::default()) == Ok(Resolved::Unknown) {
            findings.push(
                RULE.at(domain.name.span, format!("Nobody reads mail to {address}"))
                    .help("Write `alias \"abuse\" \"postmaster\"` in the domain: that is where complaints about its mail go"),
            );
        }
    }
}
