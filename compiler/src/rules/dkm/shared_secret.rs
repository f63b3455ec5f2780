//! DKM014: two keys and one private half.

use super::keys;
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::SigningState;
use std::collections::HashMap;

/// The rule.
pub static RULE: Rule =
    Rule::check("DKM014", "private-key-of-two", Severity::Error, &[Part::Domains], check, include_str!("shared_secret.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut seen = HashMap::new();
    // What signs no more needs no private half.
    for signer in keys(subject.draft).filter(|signer| signer.state.value <= SigningState::Active) {
        let Some(key) = &signer.key else { continue };
        let (public, first) = *seen.entry(&key.value).or_insert((&signer.public_key.value.public, key.span));
        if *public != signer.public_key.value.public {
            let message = format!("The credential {:?} is the private half of another key already", key.value.as_str());
            findings.push(
                RULE.at(key.span, message)
                    .also(first, "that one's is here")
                    .help("Name the credential of this key: `postern key new` writes both"),
            );
        }
    }
}
