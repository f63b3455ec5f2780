//! RTE012: mail that is never encrypted.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use crate::source::Span;
use postern_schema::name::HostName;
use postern_schema::site::{TlsLevel, Via};

/// The rule.
pub static RULE: Rule = Rule::check("RTE012", "plaintext", Severity::Warning, &[], check, include_str!("plaintext.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut say = |span: Span, to: String| {
        findings.push(
            RULE.at(span, format!("Mail to {to} is never encrypted, even where the other side could"))
                .help("Write \"may\": TLS where it is offered")
                .postfix(&["smtp_tls_security_level", "smtp_tls_policy_maps"]),
        );
    };
    for relay in subject.draft.relays.iter().filter(|relay| relay.tls.value == TlsLevel::None && relay.login.is_none()) {
        let is_here = match &relay.host.value {
            HostName::Literal(address) => address.is_loopback(),
            HostName::Domain(name) => name.as_str() == "localhost",
        };
        if let Some(span) = relay.tls.span.filter(|_| !is_here) {
            say(span, format!("the relay {:?}", relay.name.value));
        }
    }
    for route in subject.draft.routes.iter().filter(|route| route.via.value == Via::Direct) {
        if let Some(level) = route.tls.as_ref().filter(|level| level.value == TlsLevel::None) {
            say(level.span, route.to.value.to_string());
        }
    }
}
