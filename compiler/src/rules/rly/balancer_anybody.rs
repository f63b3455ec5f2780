//! RLY008: anybody may say for whom they speak.

use super::{Trusted, is_private, spokesmen};
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use ipnet::IpNet;

/// The rule.
pub static RULE: Rule =
    Rule::check("RLY008", "proxy-header-of-anybody", Severity::Error, &[], check, include_str!("balancer_anybody.md"));

/// Nobody has more load balancers than these ranges hold.
const LEAST_PREFIX: (u8, u8) = (24, 64);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for Trusted { range, class, .. } in spokesmen(subject.draft) {
        let least = if matches!(range.value, IpNet::V4(_)) { LEAST_PREFIX.0 } else { LEAST_PREFIX.1 };
        if is_private(range.value) || range.value.prefix_len() >= least {
            continue;
        }
        let message = format!(
            "Whoever connects from {} says which client it speaks for: one in a network that may relay, if it likes",
            range.value
        );
        findings.push(
            RULE.at(range.span, message)
                .help("Name the addresses of the load balancers and gateways alone")
                .postfix(&[
                    "smtpd_upstream_proxy_protocol",
                    "postscreen_upstream_proxy_protocol",
                    "smtpd_authorized_xclient_hosts",
                ])
                .opens(class),
        );
    }
}
