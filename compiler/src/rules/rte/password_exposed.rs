//! RTE004: a password that goes to a host which has not proved who it is.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::name::HostName;
use postern_schema::site::TlsLevel;

/// The rule.
pub static RULE: Rule =
    Rule::check("RTE004", "password-exposed", Severity::Error, &[], check, include_str!("password_exposed.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for relay in &subject.draft.relays {
        let Some(login) = relay.login.as_ref().filter(|_| relay.tls.value < TlsLevel::Verify) else { continue };
        // Nobody stands between two programs on one host.
        if matches!(&relay.host.value, HostName::Literal(address) if address.is_loopback()) {
            continue;
        }
        let span = relay.tls.span.unwrap_or(login.span);
        let who = match relay.tls.value {
            TlsLevel::None => "everybody on the way reads it",
            TlsLevel::May | TlsLevel::Published => "whoever strips STARTTLS on the way reads it",
            TlsLevel::Encrypt | TlsLevel::Verify | TlsLevel::DaneOrVerify | TlsLevel::Dane => {
                "it goes to whoever answers, with any certificate"
            }
        };
        findings.push(
            RULE.at(
                span,
                format!("The password for the relay {:?} is not safe with tls \"{}\": {who}", relay.name.value, relay.tls.value),
            )
            .also(login.span, "this password")
            .help("Write `tls \"verify\"`")
            .postfix(&["smtp_tls_security_level", "smtp_sasl_password_maps"]),
        );
    }
}
