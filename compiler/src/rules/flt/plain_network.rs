//! FLT011: whole messages to a filter across the Internet.

use crate::report::{Diagnostic, Severity};
use crate::rules::rly::is_private;
use crate::rules::{Rule, Subject};
use ipnet::IpNet;
use postern_schema::name::HostName;
use postern_schema::site::Endpoint;

/// The rule.
pub static RULE: Rule = Rule::check("FLT011", "plain-network", Severity::Warning, &[], check, include_str!("plain_network.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let own = |address| subject.draft.host.addresses.iter().any(|own| own.value == address);
    for filter in &subject.draft.planned.filters {
        let Endpoint::Inet { host: HostName::Literal(address), .. } = &filter.endpoint.value else { continue };
        if !is_private(IpNet::from(*address)) && !own(*address) {
            findings.push(
                RULE.at(
                    filter.endpoint.span,
                    format!("Every message goes to {address} in plain sight: neither protocol of filters knows TLS"),
                )
                .help("Run the filter on this host or in a private network, or through a tunnel")
                .postfix(&["smtpd_milters", "content_filter"]),
            );
        }
    }
}
