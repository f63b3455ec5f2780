//! DKM015: a filter that signs what the site signs too.

use crate::lower::draft::{Flow, Part};
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::SigningState;

/// The rule.
pub static RULE: Rule =
    Rule::check("DKM015", "signed-twice", Severity::Warning, &[Part::Listeners], check, include_str!("signed_twice.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let draft = subject.draft;
    let active = draft.domain_nodes().find_map(|domain| {
        let signer = domain.signers.iter().find(|signer| signer.state.value == SigningState::Active)?;
        Some((&domain.name.value, signer))
    });
    let Some((domain, signer)) = active else { return };
    for filter in &draft.planned.filters {
        let Some(signs) = filter.signs else { continue };
        let sees_users =
            draft.submission_listeners().any(|listener| filter.sees(Flow::Listener(&listener.name.value, listener.kind.value)));
        if sees_users {
            findings.push(
                RULE.at(signs, format!("{:?} signs mail of {domain}, and Postern does so as well", filter.name.value))
                    .also(signer.state.span, "with this key")
                    .help("Remove signs-dkim= and let the filter sign nothing, or set the state of the key to \"publish\""),
            );
        }
    }
}
