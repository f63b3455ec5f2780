//! LIM005: a mailbox that is smaller than one message may be.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, RowFindings, Severity};
use crate::rules::{Rule, Subject};
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule =
    Rule::check("LIM005", "quota-below-message", Severity::Error, &[Part::Policy], check, include_str!("quota_below_message.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let limit = &subject.draft.limits.message_octets;
    if let Some(most) = subject.draft.limits.mailbox_octets.as_ref().filter(|most| most.value < limit.value) {
        let text = format!("A message may have {} octets, and a whole mailbox holds {}", limit.value, most.value);
        findings.push(RULE.at(most.span, text).help("Write a larger mailbox=, or a smaller message=").postfix(&[
            "virtual_mailbox_limit",
            "mailbox_size_limit",
            "message_size_limit",
        ]));
    }
    let mut reported = HashSet::new();
    let mut rows = RowFindings::new(subject.draft.first_table);
    for address in subject.draft.addresses.declared() {
        let Some(quota) = address.quota_octets().filter(|quota| quota.value < limit.value) else { continue };
        if !reported.insert(quota.span) || !rows.admit(RULE.code, RULE.severity, quota.span) {
            continue;
        }
        let finding = RULE
            .at(
                quota.span,
                format!(
                    "A message may have {} octets, and the whole mailbox {} holds {}",
                    limit.value,
                    address.local(),
                    quota.value
                ),
            )
            .help("Write a larger quota=, or a smaller message= in `limits`")
            .postfix(&["virtual_mailbox_limit", "mailbox_size_limit", "message_size_limit"]);
        findings.push(match limit.span {
            Some(span) => finding.also(span, "the largest message"),
            None => finding,
        });
    }
    findings.extend(rows.rest());
}
