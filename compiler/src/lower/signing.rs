//! `dkim`: the keys of a domain. The file of a public key is read, since it is public; the private half never is.

use super::Lowering;
use super::draft::{SignerDraft, SigningDates};
use super::file::PUBLIC_KEY_MAX_OCTETS;
use crate::certificate::{PublicKeyError, SigningKey, read_public_key};
use crate::rules::{ALGORITHM_MISMATCH, NO_PUBLIC_KEY, PRIVATE_KEY_FILE};
use crate::source::Spanned;
use crate::syntax::View;
use postern_schema::site::{SecretName, Selector, SigningAlgorithm, SigningState};

/// The keys of one `domain` node.
pub(super) fn signers(view: &View<'_>, lowering: &mut Lowering<'_>) -> Vec<SignerDraft> {
    let views: Vec<View<'_>> = view.children("dkim").collect();
    views.iter().filter_map(|view| signer(view, lowering)).collect()
}

fn signer(view: &View<'_>, lowering: &mut Lowering<'_>) -> Option<SignerDraft> {
    let selector = view.argument::<Selector>("selector");
    let algorithm = view.property::<String>("algorithm");
    let state = view.property::<String>("state");
    let public_key = public_key(view.property::<String>("public-key")?, lowering)?;
    let algorithm = algorithm?;
    let wanted = SigningAlgorithm::parse(&algorithm.value)?;
    let found = public_key.value.public.algorithm();
    if wanted != found {
        lowering.findings.push(
            ALGORITHM_MISMATCH
                .at(algorithm.span, format!("The key is {}, which does not sign with {wanted}", public_key.value.strength))
                .also(public_key.span, "the key")
                .help(format!("Write algorithm=\"{found}\", or name the file of another key")),
        );
        return None;
    }
    let state = state?;
    Some(SignerDraft {
        span: view.span(),
        selector: selector?,
        public_key,
        key: view.property::<SecretName>("key-secret"),
        state: Spanned::new(SigningState::parse(&state.value)?, state.span),
        dates: SigningDates {
            published: view.property("published"),
            activated: view.property("activated"),
            retired: view.property("retired"),
            removed: view.property("removed"),
        },
    })
}

fn public_key(path: Spanned<String>, lowering: &mut Lowering<'_>) -> Option<Spanned<SigningKey>> {
    let text = lowering.read(&path, PUBLIC_KEY_MAX_OCTETS)?;
    let finding = match read_public_key(&text) {
        Ok(key) => return Some(Spanned::new(key, path.span)),
        Err(PublicKeyError::Private) => PRIVATE_KEY_FILE
            .at(path.span, format!("{:?} holds a private key", path.value))
            .help("Move it into the credentials folder, name it with key-secret=, and make a new one if this file was shared"),
        Err(error) => NO_PUBLIC_KEY
            .at(path.span, format!("{:?} holds no public key for DKIM: {error}", path.value))
            .help("Write the path of what `openssl pkey -in KEY -pubout` prints"),
    };
    lowering.findings.push(finding);
    None
}
