//! LIM005: a mailbox that is smaller than one message may be.

use crate::lower::draft::{AddressForm, Part};
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule =
    Rule::check("LIM005", "quota-below-message", Severity::Error, &[Part::Policy], check, include_str!("quota_below_message.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let limit = &subject.draft.limits.message_octets;
    let mut reported = HashSet::new();
    for address in subject.draft.domains.iter().flat_map(|domain| &domain.addresses) {
        let AddressForm::Mailbox { quota_octets: Some(quota) } = &address.form else { continue };
        if quota.value >= limit.value || !reported.insert(quota.span) {
            continue;
        }
        let finding = RULE
            .at(
                quota.span,
                format!(
                    "A message may have {} octets, and the whole mailbox {} holds {}",
                    limit.value, address.local.value, quota.value
                ),
            )
            .help("Write a larger quota=, or a smaller message= in `limits`")
            .postfix(&["virtual_mailbox_limit", "mailbox_size_limit", "message_size_limit"]);
        findings.push(match limit.span {
            Some(span) => finding.also(span, "the largest message"),
            None => finding,
        });
    }
}
