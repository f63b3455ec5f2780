//! DKM011: signatures that most receivers do not read.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::{SigningAlgorithm, SigningState};

/// The rule.
pub static RULE: Rule =
    Rule::check("DKM011", "ed25519-alone", Severity::Note, &[Part::Domains], check, include_str!("ed25519_alone.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for domain in subject.draft.domain_nodes() {
        let mut current = domain.signers.iter().filter(|signer| signer.state.value <= SigningState::Active);
        let is_ed25519 = |signer: &&crate::lower::draft::SignerDraft| {
            signer.public_key.value.public.algorithm() == SigningAlgorithm::Ed25519Sha256
        };
        if let Some(first) = current.clone().next().filter(|_| current.all(|signer| is_ed25519(&signer))) {
            let message = format!("{} has no RSA key, and many receivers verify no other", domain.name.value);
            findings.push(RULE.at(first.span, message).help("Make one beside it: `postern key new --algorithm rsa`"));
        }
    }
}
