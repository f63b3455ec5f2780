//! RTE005: a login at the port of mail between hosts.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("RTE005", "login-on-port-25", Severity::Warning, &[Part::Relays], check, include_str!("port_25_login.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for relay in subject.draft.relays.iter().filter(|relay| relay.port.value == 25) {
        if let Some(login) = &relay.login {
            let finding = RULE
                .at(relay.port.span.unwrap_or(relay.name.span), format!("The relay {:?} logs in on port 25", relay.name.value))
                .help("Write port=587: mail that logs in is submitted, and port 25 is closed in most networks")
                .postfix(&["relayhost"]);
            findings.push(finding.also(login.span, "this login"));
        }
    }
}
