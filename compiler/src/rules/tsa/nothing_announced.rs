//! TSA003: a domain that asks for TLSA records, and no key that they could hold.

use crate::emit::dns::announced;
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::PinOf;

/// The rule.
pub static RULE: Rule = Rule::check(
    "TSA003",
    "no-key-announced",
    Severity::Warning,
    &[Part::Domains, Part::Tls, Part::Host],
    check,
    include_str!("nothing_announced.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(dane) = subject.draft.domain_nodes().find_map(|domain| domain.publication.dane.as_ref()) else { return };
    if announced(subject.model).iter().any(|pin| pin.of == PinOf::Host) {
        return;
    }
    let (tls, host) = (&subject.draft.tls, &subject.draft.host.hostname.value);
    let (why, help) = if tls.certificates.iter().any(|certificate| certificate.name.value == *host) {
        ("its chain is a credential, which a build does not read", "Write `key file=` and the path of the certificate in `dane`")
    } else if tls.acme.is_some() {
        ("its key is made when the authority certifies it", "Write `key sha256=` and the digest that the daemon shows, in `dane`")
    } else if tls.self_signed.is_some() {
        ("a self-signed key is made by the daemon", "Name a certificate in `tls`, or its key in `dane`: `key file=`")
    } else {
        ("it has no certificate", "Write `certificate` in `tls`")
    };
    findings.push(RULE.at(dane.span, format!("No TLSA record is given for {host}: {why}")).help(help));
}
