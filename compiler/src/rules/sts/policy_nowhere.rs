//! STS004: a policy that nobody serves.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check(
    "STS004",
    "sts-policy-nowhere",
    Severity::Warning,
    &[Part::Domains, Part::Listeners],
    check,
    include_str!("policy_nowhere.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if !subject.draft.web.is_empty() {
        return;
    }
    for domain in subject.draft.domain_nodes() {
        if let Some(sts) = domain.publication.mta_sts.as_ref().filter(|sts| sts.value.web_host.is_none()) {
            let message =
                format!("mta-sts.{} leads nowhere: the site names no web server that has the policy", domain.name.value);
            findings.push(
                RULE.at(sts.span, message)
                    .help("Write `listen \"web\"`, or web-host= and the name of the server that has the file"),
            );
        }
    }
}
