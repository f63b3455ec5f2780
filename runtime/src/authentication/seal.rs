//! ARC sets, made (RFC 8617 5.1): what was found out about a message, a signature over it as it goes on, and a seal over both and over
//! all sets before. For mail of strangers that the site sends on.

use super::canonical::relax_field;
use super::header::{Field, Header};
use super::key::KeyError;
use super::results::{self, MethodResult};
use super::sign::{Folded, Signer, canonical_fields, signed_names};
use super::tags::{tag, tags};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

/// The most sets of a chain (RFC 8617 4.2.1).
const INSTANCE_LIMIT: u32 = 50;
const RESULTS: &str = "ARC-Authentication-Results";
const SIGNATURE: &str = "ARC-Message-Signature";
const SEAL: &str = "ARC-Seal";

/// What is sealed.
pub struct Sealing<'a> {
    /// The host that found it out.
    pub hostname: &'a str,
    /// The header as it goes on.
    pub header: &'a Header,
    /// The hash of the body in relaxed form.
    pub body_hash: &'a [u8; 32],
    /// What was found out, of the chain that came along too.
    pub results: &'a [MethodResult],
    /// Seconds since the epoch.
    pub now: u64,
}

impl Sealing<'_> {
    /// The three fields, with their line ends, seal first; empty where the chain cannot go on: it was broken when its last seal was
    /// made, it is too long, or DNS did not say whether it holds.
    ///
    /// # Errors
    /// [`KeyError`] where the key cannot sign.
    pub fn seal(&self, signer: &Signer) -> Result<Vec<u8>, KeyError> {
        let sets = Sets::of(self.header);
        let chain = self.results.iter().find(|result| result.method == "arc").map(|result| &*result.result);
        let status = match chain {
            None if sets.newest == 0 => "none",
            Some("pass") => "pass",
            Some("fail") if !sets.is_over => "fail",
            _ => return Ok(Vec::new()),
        };
        let instance = sets.newest + 1;
        if instance > INSTANCE_LIMIT {
            return Ok(Vec::new());
        }
        let results = format!(" i={instance}; {}", results::value(self.hostname, self.results));
        let signature = self.signature(signer, instance)?;
        // RFC 8617 5.1.2: the seal of a broken chain covers its own set alone.
        let mut sealed = Vec::with_capacity(4096);
        if status == "pass" {
            sets.fields.iter().for_each(|(.., field)| put(field.name, field.value, &mut sealed));
        }
        put(RESULTS.as_bytes(), results.as_bytes(), &mut sealed);
        put(SIGNATURE.as_bytes(), signature.as_bytes(), &mut sealed);
        let mut seal = Folded::new(SEAL);
        for tag in [
            format!("i={instance};"),
            format!("a={};", signer.key.algorithm()),
            format!("t={};", self.now),
            format!("cv={status};"),
            format!("d={};", signer.domain),
            format!("s={};", signer.selector),
            "b=".to_owned(),
        ] {
            seal.word(&tag);
        }
        relax_field(SEAL.as_bytes(), seal.as_str().as_bytes(), &mut sealed);
        seal.text(&BASE64.encode(signer.key.sign(&sealed)?));
        Ok(format!("{SEAL}:{}\r\n{SIGNATURE}:{signature}\r\n{RESULTS}:{results}\r\n", seal.as_str()).into_bytes())
    }

    /// The value of the signature: as that of DKIM, with an instance instead of a version (RFC 8617 4.1.2).
    fn signature(&self, signer: &Signer, instance: u32) -> Result<String, KeyError> {
        let mut names = signed_names(self.header);
        names.extend(self.header.fields().filter(|field| is_named(field, "dkim-signature")).map(|_| "dkim-signature"));
        let mut value = Folded::new(SIGNATURE);
        value.word(&format!("i={instance};"));
        value.word(&format!("a={};", signer.key.algorithm()));
        value.word("c=relaxed/relaxed;");
        value.word(&format!("d={};", signer.domain));
        value.word(&format!("s={};", signer.selector));
        value.word(&format!("t={};", self.now));
        value.names(&names);
        value.word(&format!("bh={};", BASE64.encode(self.body_hash)));
        value.word("b=");
        let mut signed = canonical_fields(self.header, &names);
        relax_field(SIGNATURE.as_bytes(), value.as_str().as_bytes(), &mut signed);
        value.text(&BASE64.encode(signer.key.sign(&signed)?));
        Ok(value.into())
    }
}

fn put(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    relax_field(name, value, out);
    out.extend_from_slice(b"\r\n");
}

fn is_named(field: &Field<'_>, name: &str) -> bool {
    field.name.eq_ignore_ascii_case(name.as_bytes())
}

/// The sets that a message came with.
struct Sets<'a> {
    /// By instance, and in each set in the order in which they are sealed (RFC 8617 5.1.1).
    fields: Vec<(u32, u8, Field<'a>)>,
    /// The highest instance; 0: there is none.
    newest: u32,
    /// The newest seal says that the chain is broken: nobody goes on with it (RFC 8617 5.1).
    is_over: bool,
}

impl<'a> Sets<'a> {
    fn of(header: &'a Header) -> Sets<'a> {
        let order = [RESULTS, SIGNATURE, SEAL];
        let place = |field: &Field<'_>| order.iter().position(|name| is_named(field, name)).and_then(|at| u8::try_from(at).ok());
        let of_a_set = |field: Field<'a>| Some((instance(&field), place(&field)?, field));
        let mut fields: Vec<(u32, u8, Field<'a>)> = header.fields().filter_map(of_a_set).collect();
        fields.sort_by_key(|(instance, place, _)| (*instance, *place));
        let newest = fields.last().map_or(0, |(instance, ..)| (*instance).max(1));
        let is_broken = |field: &Field<'_>| tags(field.value).is_some_and(|tags| tag(&tags, "cv") == Some("fail"));
        let is_over = fields.iter().any(|(instance, place, field)| *instance == newest && *place == 2 && is_broken(field));
        Sets { fields, newest, is_over }
    }
}

/// The number of the set that a field belongs to; 0 where it says none that can be read.
fn instance(field: &Field<'_>) -> u32 {
    let text = String::from_utf8_lossy(field.value);
    let mut tags = text.split(';').filter_map(|tag| tag.trim().split_once('='));
    let number = tags.find(|(name, _)| name.trim() == "i").and_then(|(_, number)| number.trim().parse().ok());
    number.filter(|number| *number <= INSTANCE_LIMIT).unwrap_or(0)
}
