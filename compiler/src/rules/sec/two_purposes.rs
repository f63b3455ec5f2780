//! SEC001: one credential for two purposes.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use crate::source::Span;
use postern_schema::site::{Chain, SecretName, TokenIssuer, TokenProof, UserBackend};
use std::collections::HashMap;

/// The rule.
pub static RULE: Rule =
    Rule::check("SEC001", "credential-of-two-purposes", Severity::Error, &[], check, include_str!("two_purposes.md"));

/// A chain and its key may stand in one file, which is what many clients of certificate authorities write. All other files
/// have a form of their own.
fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let draft = subject.draft;
    let users = draft.users.iter().filter_map(|store| match &store.backend.value {
        UserBackend::Passwd(secret) => Some((secret, store.backend.span, "user passwords")),
        UserBackend::Tokens(TokenIssuer { proof: TokenProof::Introspection { secret, .. }, .. }) => {
            Some((secret, store.backend.span, "the password for an issuer of tokens"))
        }
        UserBackend::Dovecot(_) | UserBackend::Certificate(_) | UserBackend::Directory(_) | UserBackend::Tokens(_) => None,
    });
    let logins = draft.relays.iter().filter_map(|relay| relay.login.as_ref());
    let logins = logins.map(|login| (&login.secret.value, login.secret.span, "the password for a relay"));
    let keys = draft.tls.certificates.iter().map(|certificate| (&certificate.key.value, certificate.key.span, "TLS"));
    let chains = draft.tls.certificates.iter().filter_map(|certificate| match &certificate.chain.value {
        Chain::Credential(name) => Some((name, certificate.chain.span, "TLS")),
        Chain::Pem(_) => None,
    });
    let signers = draft.domains.iter().flat_map(|domain| &domain.signers);
    let signers = signers.filter_map(|signer| signer.key.as_ref()).map(|key| (&key.value, key.span, "DKIM"));
    let srs = draft.rewriting.srs.iter().map(|srs| (&srs.secret.value, srs.secret.span, "bounce addresses (SRS)"));
    let mut seen: HashMap<&SecretName, (Span, &str)> = HashMap::new();
    for (name, span, purpose) in users.chain(logins).chain(keys).chain(chains).chain(signers).chain(srs) {
        let (first, other) = *seen.entry(name).or_insert((span, purpose));
        if other != purpose {
            findings.push(
                RULE.at(span, format!("The credential {:?} is for {purpose} here, and for {other} elsewhere", name.as_str()))
                    .also(first, format!("{other} here"))
                    .help("Name another file in the credentials folder"),
            );
        }
    }
}
