//! CHK002: a host whose public addresses nobody knows.

use super::is_chosen;
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("CHK002", "no-public-address", Severity::Warning, &[Part::Host], check, include_str!("no_address.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if !is_chosen(RULE.code, &subject.checkers) {
        return;
    }
    let host = &subject.draft.host;
    if host.addresses.is_empty() && !subject.draft.domains.is_empty() {
        let message =
            format!("Nothing says which addresses {} sends from, so no reverse name can be held against it", host.hostname.value);
        findings.push(
            RULE.at(host.span, message)
                .help("Write the public addresses into `site`: address \"203.0.113.25\" \"2001:db8::25\"")
                .postfix(&["inet_interfaces", "proxy_interfaces"]),
        );
    }
}
