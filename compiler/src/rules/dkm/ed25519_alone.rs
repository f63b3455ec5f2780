//! DKM011: signatures that most receivers do not read.

use crate::lower::draft::{Part, SignerDraft};
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::{SigningAlgorithm, SigningState};

/// The rule.
pub static RULE: Rule =
    Rule::check("DKM011", "ed25519-alone", Severity::Note, &[Part::Domains], check, include_str!("ed25519_alone.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let is_rsa = |signer: &&SignerDraft| signer.public_key.value.public.algorithm() == SigningAlgorithm::RsaSha256;
    for domain in subject.draft.domain_nodes() {
        let in_state = |state| domain.signers.iter().filter(move |signer| signer.state.value == state);
        // Those that sign; where none does, those that will.
        let state = [SigningState::Active, SigningState::Publish].into_iter().find(|state| in_state(*state).next().is_some());
        let Some(state) = state.filter(|state| !in_state(*state).any(|signer| is_rsa(&signer))) else { continue };
        let Some(first) = in_state(state).next() else { continue };
        let name = &domain.name.value;
        findings.push(match in_state(SigningState::Publish).find(is_rsa) {
            Some(waiting) => RULE
                .at(first.span, format!("No RSA key of {name} signs, and many receivers verify no other"))
                .also(waiting.state.span, "this one waits")
                .help("Let it sign once it has been in DNS for its time: `postern key rotate`"),
            None => RULE
                .at(first.span, format!("{name} has no RSA key, and many receivers verify no other"))
                .help("Make one beside it: `postern key new --algorithm rsa`"),
        });
    }
}
