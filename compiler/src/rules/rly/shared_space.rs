//! RLY005: a trusted network that the access provider's other customers are in.

use super::{Trusted, is_within, trusted};
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("RLY005", "shared-space-relay", Severity::Warning, &[Part::Networks], check, include_str!("shared_space.md"));

/// Carrier-grade NAT (RFC 6598 7).
pub(super) const BLOCKS: &[&str] = &["100.64.0.0/10"];

/// Wide enough to hold somebody else.
const LONGEST_PREFIX: u8 = 24;

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for Trusted { range, who, reason, .. } in trusted(subject.draft) {
        let is_shared = is_within(range.value, BLOCKS) && range.value.prefix_len() <= LONGEST_PREFIX;
        if is_shared && reason.is_empty() {
            let message = format!("{who} {}, address space that providers share out", range.value);
            findings.push(
                RULE.at(range.span, message)
                    .help("Name the single addresses that you mean, or say with reason= whose network it is, such as an overlay of your own")
                    .postfix(&["mynetworks"]),
            );
        }
    }
}
