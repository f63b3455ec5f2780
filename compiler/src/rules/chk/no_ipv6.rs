//! CHK001: a host that cannot be reached over IPv6.

use super::is_chosen;
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check("CHK001", "no-ipv6", Severity::Warning, &[Part::Host], check, include_str!("no_ipv6.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if !is_chosen(RULE.code, &subject.checkers) {
        return;
    }
    let host = &subject.draft.host;
    if host.addresses.iter().any(|address| address.value.is_ipv6()) {
        return;
    }
    if let Some(last) = host.addresses.last() {
        findings.push(
            RULE.at(last.span, format!("{} has no IPv6 address", host.hostname.value))
                .help("Write the IPv6 address of the host beside this one")
                .postfix(&["inet_protocols"]),
        );
    }
}
