//! RTE008: a certificate is demanded of an address.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::name::HostName;
use postern_schema::site::TlsLevel;

/// The rule.
pub static RULE: Rule =
    Rule::check("RTE008", "verify-by-address", Severity::Warning, &[], check, include_str!("verify_by_address.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for relay in subject.draft.relays.iter().filter(|relay| relay.tls.value >= TlsLevel::Verify) {
        if let HostName::Literal(address) = &relay.host.value {
            findings.push(
                RULE.at(
                    relay.host.span,
                    format!(
                        "The relay {:?} must show a certificate for {address}, and hardly any has one for an address",
                        relay.name.value
                    ),
                )
                .help("Write the name of the host that its certificate is for")
                .postfix(&["relayhost", "smtp_tls_verify_cert_match"]),
            );
        }
    }
}
