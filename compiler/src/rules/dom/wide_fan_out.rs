//! DOM017: one message that becomes very many.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::decide::EXPANSION_LIMIT;

/// The rule.
pub static RULE: Rule =
    Rule::check("DOM017", "wide-fan-out", Severity::Note, &[Part::Domains], check, include_str!("wide_fan_out.md"));

/// As many as one transaction must take (RFC 5321 4.5.3.1.8): a person who writes to more uses a mailing list.
const MANY: usize = 100;

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if !subject.graph.loops.is_empty() {
        return;
    }
    let fan_out = |alias: &crate::addresses::Address<'_>| subject.graph.fan_out(alias.id());
    let aliases = subject.draft.addresses.declared().filter(|address| address.is_alias());
    // Too wide an alias has an error of its own. The widest of the others says enough.
    let widest = aliases
        .filter(|alias| (MANY + 1..=EXPANSION_LIMIT).contains(&fan_out(alias)))
        .max_by_key(|alias| (fan_out(alias), std::cmp::Reverse(alias.id())));
    if let Some(alias) = widest {
        let (count, octets) = (fan_out(&alias) as u64, subject.draft.limits.message_octets.value);
        let message = format!(
            "One message to {alias} becomes up to {count}, the most of all addresses: of the largest, {} MiB",
            count.saturating_mul(octets) >> 20
        );
        findings.push(
            RULE.at(alias.span(), message)
                .help("Let a mailing list manager do it, or ask who may write there")
                .postfix(&["virtual_alias_expansion_limit", "default_destination_recipient_limit"]),
        );
    }
}
