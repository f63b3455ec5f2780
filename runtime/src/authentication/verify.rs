//! DKIM and ARC signatures of a message that came in (RFC 6376 6, RFC 8617 5.2), through `mail-auth`.
//!
//! What that crate leaves open is closed here, each with its test:
//! - it wants the whole message in memory, and gets the relaxed body wrong where blank lines hold blanks: it is given the header
//!   alone, and the hashes of the body as [`super::canonical`] makes them;
//! - it asks DNS itself: every key is fetched before, through [`Dns`], and it finds them where it looks first;
//! - it reads tag lists loosely, takes `simple` for the default of an ARC signature, which those who make them do not, and lets a seal be signed by what it seals;
//! - it verifies any number of signatures, with keys of any size and with SHA-1, and does not mind an unsigned From;
//! - it calls what is expired, or does not match the body, neutral: it is a failure.

use super::canonical::Canonicalization;
use super::chain::Sealed;
use super::fetch::fetch;
use super::intake::Whole;
use super::results::MethodResult;
use super::tags::{tag, tags};
use crate::dns::Dns;
use mail_auth::arc;
use mail_auth::common::crypto::{Algorithm, HashAlgorithm};
use mail_auth::common::headers as dkim_header;
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::{DomainKey, VerifySignature};
use mail_auth::dkim::{self, DkimError};
use mail_auth::hickory_resolver::TokioResolver;
use mail_auth::hickory_resolver::config::ResolverConfig;
use mail_auth::hickory_resolver::net::runtime::TokioRuntimeProvider;
use mail_auth::hickory_resolver::proto::op::ResponseCode;
use mail_auth::{AuthenticatedMessage, DkimResult, DnsError, Error, MessageAuthenticator, Parameters, ResolverCache, Txt};
use postern_schema::dns::{Answer, Question, Transcript};
use postern_schema::name::Domain;
use postern_schema::record::RecordKind;
use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tokio::time::Instant as Deadline;

/// The most signatures of one message that are verified.
pub(super) const SIGNATURE_LIMIT: usize = 8;
/// The least bits of an RSA key that vouches for anything (RFC 8301 3.2).
const RSA_LEAST_BITS: usize = 1024;
/// The most instances of an ARC chain that are verified; each costs a key (RFC 8617 4.2.1 allows 50).
const INSTANCE_LIMIT: usize = 50;

/// What became of the signatures.
#[derive(Debug, Default)]
pub struct Signatures {
    /// One for each DKIM signature that was looked at.
    pub dkim: Vec<MethodResult>,
    /// The domains of those that passed.
    pub passed: Vec<Domain>,
    /// The ARC chain; `None`: there is none.
    pub arc: Option<MethodResult>,
    /// Its links, the newest first, where it holds and its newest signature covers From.
    pub chain: Vec<Sealed>,
}

/// Verifies what a message carries.
pub async fn signatures(dns: &dyn Dns, whole: &Whole, transcript: &mut Transcript, deadline: Deadline) -> Signatures {
    let parsed = AuthenticatedMessage::parse_with_opts(whole.received.octets(), None, !whole.partial_body);
    let Some(mut message) = parsed else { return Signatures::default() };
    admit_unsigned_header(&mut message);
    message.dkim_headers.truncate(SIGNATURE_LIMIT);
    message.errors.truncate(SIGNATURE_LIMIT);
    default_to_relaxed(&mut message);
    for (form, algorithm, length, hash) in &mut message.body_hashes {
        let wanted = match form {
            dkim::Canonicalization::Relaxed => Canonicalization::Relaxed,
            dkim::Canonicalization::Simple => Canonicalization::Simple,
        };
        // To that crate, `l=0` is no length.
        let known = whole.digest(wanted, Some(*length).filter(|length| *length > 0));
        let known = known.filter(|digest| digest.is_whole && *algorithm == HashAlgorithm::Sha256);
        *hash = known.map(|digest| digest.hash.to_vec()).unwrap_or_default();
    }
    let keys = keys(dns, &message, transcript, deadline).await;
    let parameters = || Parameters::new(&message).with_txt_cache(&keys);
    let mut found = Signatures::default();
    for output in authenticator().verify_dkim(parameters()).await {
        let field = |signature| message.dkim_headers.iter().find(|field| std::ptr::eq(&field.header, signature));
        let objection = |signature| objection(signature, field(signature).map_or(b"", |field| field.value), &keys);
        let (result, comment) = match output.signature().and_then(objection) {
            Some((result, why)) => (result, why.to_owned()),
            None => judge(output.result()),
        };
        let mut properties = Vec::new();
        if let Some(signature) = output.signature() {
            properties.push(("header.d", signature.d.as_str().into()));
            properties.push(("header.s", signature.s.as_str().into()));
            properties.push(("header.a", algorithm(signature.a).into()));
            // RFC 8601 2.7.1: enough of the signature to tell it from others.
            properties.push(("header.b", tag_b(&signature.b)));
            if let (true, Ok(domain)) = (result == "pass", Domain::parse(&signature.d)) {
                found.passed.push(domain);
            }
        }
        found.dkim.push(MethodResult { method: "dkim", result: result.into(), comment: comment.into(), properties });
    }
    found.arc = chain_result(&message, &keys).await;
    if found.arc.as_ref().is_some_and(|arc| &*arc.result == "pass") {
        found.chain = chain(&message);
    }
    found
}

/// What makes a signature worth nothing whatever the mathematics say.
fn objection(signature: &dkim::Signature, value: &[u8], keys: &Keys) -> Option<(&'static str, &'static str)> {
    let is_whole = |tags: &[(&str, String)]| ["v", "a", "b", "bh", "d", "h", "s"].iter().all(|name| tag(tags, name).is_some());
    if !tags(value).is_some_and(|tags| is_whole(&tags)) {
        return Some(("permerror", "its tags are wrong"));
    }
    if signature.a == Algorithm::RsaSha1 {
        return Some(("policy", "SHA-1 vouches for nothing"));
    }
    if !signature.h.iter().any(|name| name.eq_ignore_ascii_case("from")) {
        return Some(("permerror", "From is not signed"));
    }
    match keys.0.get(signature.domain_key().as_str()) {
        Some(Txt::DomainKey(key)) if key.p.public_key_bits() < RSA_LEAST_BITS => {
            Some(("policy", "the key has less than 1024 bits"))
        }
        _ => None,
    }
}

fn judge(result: &DkimResult) -> (&'static str, String) {
    match result {
        DkimResult::Pass => ("pass", String::new()),
        DkimResult::None => ("none", String::new()),
        DkimResult::Neutral(Error::Dkim(DkimError::SignatureLength)) => {
            ("policy", "not all of the body is signed (l=)".to_owned())
        }
        DkimResult::Neutral(error @ Error::Dkim(DkimError::FailedBodyHashMatch | DkimError::SignatureExpired)) => {
            ("fail", error.to_string())
        }
        // What cannot be read is wrong, not undecided (RFC 8601 2.7.1).
        DkimResult::Neutral(error) | DkimResult::PermError(error) => ("permerror", error.to_string()),
        DkimResult::Fail(error) => ("fail", error.to_string()),
        DkimResult::TempError(error) => ("temperror", error.to_string()),
    }
}

async fn chain_result(message: &AuthenticatedMessage<'_>, keys: &Keys) -> Option<MethodResult> {
    if message.as_headers.is_empty()
        && message.ams_headers.is_empty()
        && message.aar_headers.is_empty()
        && !message.has_arc_errors
    {
        return None;
    }
    let output = authenticator().verify_arc(Parameters::new(message).with_txt_cache(keys)).await;
    let too_weak = || {
        let seals = message.as_headers.iter().map(|seal| seal.header.domain_key());
        let names = seals.chain(message.ams_headers.last().map(|signature| signature.header.domain_key()));
        names.into_iter().any(|name| match keys.0.get(name.as_str()) {
            Some(Txt::DomainKey(key)) => key.p.public_key_bits() < RSA_LEAST_BITS,
            _ => false,
        })
    };
    let (result, comment) = match output.result() {
        DkimResult::Pass if !is_well_formed(message) => ("fail", "a field of the chain is wrong".to_owned()),
        DkimResult::Pass if too_weak() => ("fail", "a key has less than 1024 bits".to_owned()),
        DkimResult::Pass => ("pass", String::new()),
        // RFC 8617 4.1: a chain is whole or it is not; only DNS can make it undecided.
        DkimResult::TempError(error) => ("temperror", error.to_string()),
        DkimResult::Neutral(error) | DkimResult::PermError(error) | DkimResult::Fail(error) => ("fail", error.to_string()),
        DkimResult::None => ("fail", "the chain is broken".to_owned()),
    };
    Some(MethodResult { method: "arc", result: result.into(), comment: comment.into(), properties: Vec::new() })
}

/// The links of a chain that holds. One that does not sign From says nothing of an author.
fn chain(message: &AuthenticatedMessage<'_>) -> Vec<Sealed> {
    let signs_from = |names: &[String]| names.iter().any(|name| name.eq_ignore_ascii_case("from"));
    if !message.ams_headers.last().is_some_and(|newest| signs_from(&newest.header.h)) {
        return Vec::new();
    }
    let link = |seal: &dkim_header::Header<'_, arc::Seal>| {
        let results = message.aar_headers.iter().find(|results| results.header.i == seal.header.i)?;
        let results = String::from_utf8_lossy(results.value).into();
        Some(Sealed { sealer: Domain::parse(&seal.header.d).ok()?, results })
    };
    // Behind a link that cannot be read, nobody is believed.
    message.as_headers.iter().rev().map_while(link).collect()
}

/// Case `ams_fields_h_empty` of the suite: an ARC signature with an empty `h=` covers the body and no field. That crate cannot read one;
/// RFC 8617 4.1.2 does not forbid it, and the seal covers it like any other. It vouches for no author: see [`chain`].
fn admit_unsigned_header(message: &mut AuthenticatedMessage<'_>) {
    const NAME: &[u8] = b"arc-message-signature";
    let mut admitted = Vec::new();
    message.errors.retain(|error| {
        let is_signature = error.name.eq_ignore_ascii_case(NAME) && matches!(error.header, Error::MissingParameters);
        let is_empty = is_signature && tags(error.value).is_some_and(|tags| tag(&tags, "h") == Some(""));
        let with_name = || {
            memchr::memmem::find_iter(error.value, b"h=").find_map(|at| {
                let before = error.value[..at].trim_ascii_end();
                let is_tag = before.is_empty() || before.ends_with(b";");
                is_tag.then(|| [&error.value[..at + 2], b"from", &error.value[at + 2..]].concat())
            })
        };
        let signature = if is_empty { with_name().and_then(|value| arc::Signature::parse(&value).ok()) } else { None };
        match signature {
            Some(mut signature) if signature.l == 0 => {
                signature.h.clear();
                admitted.push(dkim_header::Header::new(error.name, error.value, signature));
                false
            }
            _ => true,
        }
    });
    if admitted.is_empty() {
        return;
    }
    for field in &admitted {
        message.body_hashes.push((field.header.cb, HashAlgorithm::from(field.header.a), 0, Vec::new()));
    }
    message.ams_headers.extend(admitted);
    let is_arc = |name: &[u8]| name.len() > 4 && name[..4].eq_ignore_ascii_case(b"arc-");
    message.has_arc_errors = message.errors.iter().any(|error| is_arc(error.name));
    // What that crate does where nothing is wrong.
    message.as_headers.sort_unstable_by_key(|field| field.header.i);
    message.ams_headers.sort_unstable_by_key(|field| field.header.i);
    message.aar_headers.sort_unstable_by_key(|field| field.header.i);
}

/// An ARC signature without `c=` is in relaxed form: so says the suite, and so does dkimpy, whatever RFC 6376 3.5 says of DKIM.
fn default_to_relaxed(message: &mut AuthenticatedMessage<'_>) {
    for field in &mut message.ams_headers {
        if tags(field.value).is_some_and(|tags| tag(&tags, "c").is_none()) {
            (field.header.ch, field.header.cb) = (dkim::Canonicalization::Relaxed, dkim::Canonicalization::Relaxed);
            let hash = (dkim::Canonicalization::Relaxed, HashAlgorithm::from(field.header.a), field.header.l, Vec::new());
            message.body_hashes.push(hash);
        }
    }
}

/// What RFC 8617 4.1 demands of the fields of a chain, beyond the mathematics.
fn is_well_formed(message: &AuthenticatedMessage<'_>) -> bool {
    let is_strong = |tags: &[(&str, String)]| {
        let is_whole = ["b", "d", "i", "s"].iter().all(|name| tag(tags, name).is_some());
        is_whole && tag(tags, "a").is_some_and(|algorithm| algorithm != "rsa-sha1")
    };
    let seal = |value: &[u8]| tags(value).is_some_and(|tags| is_strong(&tags));
    let signature = |value: &[u8]| {
        let names = |tags: &[(&str, String)]| tag(tags, "h").unwrap_or_default().to_ascii_lowercase();
        // RFC 8617 4.1.2: a seal is made after the signature, so that it cannot be signed by it.
        tags(value).is_some_and(|tags| is_strong(&tags) && !names(&tags).split(':').any(|name| name == "arc-seal"))
    };
    message.as_headers.iter().all(|field| seal(field.value)) && message.ams_headers.iter().all(|field| signature(field.value))
}

/// Every key that a signature names, or what DNS said instead.
struct Keys(HashMap<Box<str>, Txt>);

async fn keys(dns: &dyn Dns, message: &AuthenticatedMessage<'_>, transcript: &mut Transcript, deadline: Deadline) -> Keys {
    let dkim = message.dkim_headers.iter().map(|signature| signature.header.domain_key());
    let chain = message.as_headers.iter().take(INSTANCE_LIMIT).map(|seal| seal.header.domain_key());
    let arc = chain.chain(message.ams_headers.last().map(|signature| signature.header.domain_key()));
    let mut keys = HashMap::new();
    for name in dkim.chain(arc) {
        if keys.contains_key(name.as_str()) || !Question::fits(&name) {
            continue;
        }
        let answer = fetch(dns, Question::new(&name, RecordKind::Txt), transcript, deadline).await;
        keys.insert(name.into_boxed_str(), key_of(&answer));
    }
    Keys(keys)
}

fn key_of(answer: &Answer) -> Txt {
    match answer {
        Answer::Failed(why) => Txt::Error(Error::Dns(DnsError::Resolver(why.to_string()))),
        // RFC 6376 3.6.2.2: of several records, any may be taken.
        Answer::Found(texts) => {
            let parsed = texts.iter().map(|text| DomainKey::parse(text.as_bytes()));
            match parsed.reduce(|best, next| best.or(next)) {
                Some(Ok(key)) => Txt::DomainKey(Arc::new(key)),
                Some(Err(error)) => Txt::Error(error),
                None => missing(),
            }
        }
        Answer::Nothing | Answer::Nonexistent => missing(),
    }
}

fn missing() -> Txt {
    Txt::Error(Error::Dns(DnsError::RecordNotFound(ResponseCode::NXDomain)))
}

impl ResolverCache<Box<str>, Txt> for Keys {
    /// Whatever was not fetched is not there: nothing is asked behind our back.
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        Some(self.0.get(name).cloned().unwrap_or_else(missing))
    }

    fn remove<Q>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: Txt, _: Instant) {}
}

/// It needs a resolver, and never asks it. Made once, since making one reads the system's certificates.
fn authenticator() -> &'static MessageAuthenticator {
    static AUTHENTICATOR: OnceLock<MessageAuthenticator> = OnceLock::new();
    AUTHENTICATOR.get_or_init(|| {
        let nobody = ResolverConfig::from_parts(None, vec![], vec![]);
        let builder = TokioResolver::builder_with_config(nobody, TokioRuntimeProvider::default());
        MessageAuthenticator(builder.build().expect("a resolver without servers reads nothing that could be wrong"))
    })
}

fn algorithm(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::RsaSha1 => "rsa-sha1",
        Algorithm::RsaSha256 => "rsa-sha256",
        Algorithm::Ed25519Sha256 => "ed25519-sha256",
    }
}

/// The first eight characters (RFC 6008 4).
fn tag_b(signature: &[u8]) -> Box<str> {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(signature.get(..6).unwrap_or(signature));
    text.into()
}
