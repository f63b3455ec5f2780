//! DOM004: one address declared twice.

use crate::lower::draft::AddressForm;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use std::collections::{HashMap, HashSet};

/// The rule.
pub static RULE: Rule = Rule::check("DOM004", "address-twice", Severity::Error, &[], check, include_str!("address_twice.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    // A node with several names stands for several domains with the same addresses: each mistake in it is said once.
    let mut reported = HashSet::new();
    for domain in &subject.draft.domains {
        let mut seen = HashMap::with_capacity(domain.addresses.len());
        for address in &domain.addresses {
            let Some(first) = seen.insert(address.local.value.folded(), address) else { continue };
            seen.insert(address.local.value.folded(), first);
            if !reported.insert(address.local.span) {
                continue;
            }
            let (finding, help) = match (&first.form, &address.form) {
                (AddressForm::Alias(_), AddressForm::Alias(_)) => ("declared twice", "Write all targets in one `alias`"),
                (AddressForm::Mailbox { .. }, AddressForm::Mailbox { .. }) => ("declared twice", "Remove one of the two"),
                _ => (
                    "both a mailbox and an alias",
                    "Remove one of the two; to keep a copy as well, give the mailbox another name and list that in the alias",
                ),
            };
            findings.push(
                RULE.at(address.local.span, format!("{}@{} is {finding}", address.local.value, domain.name.value))
                    .also(first.local.span, "first declared here")
                    .help(help)
                    .postfix(&["virtual_alias_maps", "virtual_mailbox_maps"]),
            );
        }
    }
}
