//! RTE014: mail leaves from an address that the site does not own up to.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::rly::is_private;
use crate::rules::{Rule, Subject};
use ipnet::IpNet;

/// The rule.
pub static RULE: Rule =
    Rule::check("RTE014", "foreign-source", Severity::Error, &[Part::Host], check, include_str!("foreign_source.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let own = &subject.draft.host.addresses;
    if own.is_empty() {
        return;
    }
    for source in subject.draft.routes.iter().flat_map(|route| &route.from_address) {
        // Behind NAT the address that others see is another one.
        if own.iter().any(|address| address.value == source.value) || is_private(IpNet::from(source.value)) {
            continue;
        }
        let message =
            format!("Mail leaves from {}, which no record of the site names: SPF fails, and it has no name", source.value);
        findings.push(
            RULE.at(source.span, message)
                .help("List it with `address` in `site`: then SPF, A and PTR name it")
                .postfix(&["smtp_bind_address", "smtp_bind_address6"]),
        );
    }
}
