//! CHK007: a domain without a DKIM key.

use super::{is_chosen, receiving};
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::SigningState;

/// The rule.
pub static RULE: Rule = Rule::check("CHK007", "no-dkim", Severity::Warning, &[Part::Domains], check, include_str!("no_dkim.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if !is_chosen(RULE.code, &subject.checkers) {
        return;
    }
    for domain in receiving(subject.draft) {
        let is_in_dns = |state: SigningState| matches!(state, SigningState::Publish | SigningState::Active);
        if !domain.signers.iter().any(|signer| is_in_dns(signer.state.value)) {
            let message = format!("{} has no DKIM key in DNS", domain.name.value);
            findings.push(
                RULE.at(domain.name.span, message).help("Make one with `postern key new`, and write the `dkim` that it prints"),
            );
        }
    }
}
