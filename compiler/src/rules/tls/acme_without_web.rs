//! TLS013: certificates from an authority that finds nobody to ask.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check(
    "TLS013",
    "acme-without-web",
    Severity::Error,
    &[Part::Tls, Part::Listeners],
    check,
    include_str!("acme_without_web.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let draft = subject.draft;
    let Some(acme) = draft.tls.acme.as_ref().filter(|acme| draft.web.is_empty() && acme.http.is_none()) else { return };
    findings.push(
        RULE.at(acme.span, "The authority asks on port 443 whether the names are ours, and nothing listens there")
            .help("Write `listen \"web\"`, or challenge=\"http-01\" if port 80 is the one that can be reached")
            .postfix(&["smtpd_tls_chain_files"]),
    );
}
