//! STS003: a policy that the own host does not keep.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::record::MtaStsMode;

/// The rule.
pub static RULE: Rule = Rule::check(
    "STS003",
    "sts-without-certificate",
    Severity::Error,
    &[Part::Domains, Part::Tls, Part::Host],
    check,
    include_str!("enforced_without_certificate.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let draft = subject.draft;
    let host = &draft.host.hostname.value;
    let is_covered = draft.tls.certificates.iter().any(|certificate| match certificate.parsed.first() {
        Some(parsed) => parsed.covers(host) && !parsed.is_self_issued(),
        None => certificate.name.value == *host,
    });
    for domain in draft.domain_nodes() {
        let enforced = domain.publication.mta_sts.as_ref().filter(|sts| sts.value.mode == MtaStsMode::Enforce);
        if let Some(sts) = enforced.filter(|_| !is_covered) {
            findings.push(
                RULE.at(
                    sts.span,
                    format!(
                        "Senders are told to deliver only to a verified {host}, which has no certificate that can be verified"
                    ),
                )
                .help(format!("Write `certificate \"{host}\"` in `tls`, or mode=\"testing\" until there is one")),
            );
        }
    }
}
