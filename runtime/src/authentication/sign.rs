//! DKIM signatures (RFC 6376 5): one field for each key, over the header as it leaves and the hash of the body, in relaxed form
//! both (RFC 6376 3.4).
//!
//! What is listed in `h=` once more than it occurs cannot be added to the message on its way. That is done for every field that
//! a reader sees or that a program follows. Fields that others may add rightly (those of mailing lists and of resending) are
//! listed as often as they are there.

use super::canonical::relax_field;
use super::header::{Field, Header};
use super::key::{KeyError, PrivateKey};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use postern_schema::name::Domain;

/// Listed once more than they occur, also where they do not occur at all (RFC 6376 5.4.1, 5.4.2).
const GUARDED: &[&str] = &["from", "reply-to", "subject", "to", "cc", "in-reply-to", "references"];
/// Listed once more than they occur, if they do: the next hop may complete a message that has none.
const GUARDED_IF_THERE: &[&str] = &["date", "sender", "message-id", "mime-version", "content-type", "content-transfer-encoding"];
/// Listed as often as they occur.
const LISTED: &[&str] = &[
    "resent-date",
    "resent-from",
    "resent-to",
    "resent-cc",
    "list-id",
    "list-help",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "list-subscribe",
    "list-post",
    "list-owner",
    "list-archive",
];
/// The column that the field is broken at.
const COLUMNS: usize = 76;

/// A key with the name that it is published under.
#[derive(Debug)]
pub struct Signer {
    /// `d=`.
    pub domain: Domain,
    /// `s=`.
    pub selector: Box<str>,
    /// The private half.
    pub key: PrivateKey,
}

impl Signer {
    /// The field, with its line end, for a message with that header and (relaxed) body hash.
    ///
    /// # Errors
    /// [`KeyError`] where the key cannot sign: the message must not leave then.
    pub fn sign(&self, header: &Header, body_hash: &[u8; 32], now_seconds: u64) -> Result<Vec<u8>, KeyError> {
        let names = signed_names(header);
        let mut value = Folded::new("DKIM-Signature");
        let algorithm = self.key.algorithm();
        for tag in [
            "v=1;".to_owned(),
            format!("a={algorithm};"),
            "c=relaxed/relaxed;".to_owned(),
            format!("d={};", self.domain),
            format!("s={};", self.selector),
            format!("t={now_seconds};"),
        ] {
            value.word(&tag);
        }
        value.names(&names);
        value.word(&format!("bh={};", BASE64.encode(body_hash)));
        value.word("b=");
        let mut signed = canonical_fields(header, &names);
        relax_field(b"DKIM-Signature", value.as_str().as_bytes(), &mut signed);
        let signature = BASE64.encode(self.key.sign(&signed)?);
        value.text(&signature);
        Ok(format!("DKIM-Signature:{}\r\n", value.as_str()).into_bytes())
    }
}

/// What `h=` lists.
pub(super) fn signed_names(header: &Header) -> Vec<&'static str> {
    let count = |name: &str| header.fields().filter(|field| field.name.eq_ignore_ascii_case(name.as_bytes())).count();
    let mut names = Vec::new();
    let mut list = |name: &'static str, times: usize| names.extend(std::iter::repeat_n(name, times));
    GUARDED.iter().for_each(|name| list(name, count(name) + 1));
    for name in GUARDED_IF_THERE {
        match count(name) {
            0 => {}
            times => list(name, times + 1),
        }
    }
    LISTED.iter().for_each(|name| list(name, count(name)));
    names
}

/// The fields that a list names, from the bottom up where one occurs several times, each with a line end (RFC 6376 5.4.2).
pub(super) fn canonical_fields(header: &Header, names: &[&str]) -> Vec<u8> {
    let mut out = Vec::with_capacity(2048);
    for (place, name) in names.iter().enumerate() {
        let earlier = names[..place].iter().filter(|other| *other == name).count();
        let is_it = |field: &Field<'_>| field.name.eq_ignore_ascii_case(name.as_bytes());
        if let Some(field) = header.fields().rev().filter(is_it).nth(earlier) {
            relax_field(field.name, field.value, &mut out);
            out.extend_from_slice(b"\r\n");
        }
    }
    out
}

/// The value of a field of that name, broken into lines.
pub(super) struct Folded(&'static str, String);

impl From<Folded> for String {
    fn from(value: Folded) -> String {
        value.1
    }
}

impl Folded {
    /// An empty value.
    pub(super) fn new(name: &'static str) -> Folded {
        Folded(name, String::new())
    }

    /// What was put into it.
    pub(super) fn as_str(&self) -> &str {
        &self.1
    }

    fn column(&self) -> usize {
        match self.1.rfind('\n') {
            Some(end) => self.1.len() - end - 1,
            None => self.0.len() + 1 + self.1.len(),
        }
    }

    /// `h=`. Blanks may stand between its names (RFC 6376 3.5), so that each is a word.
    pub(super) fn names(&mut self, names: &[&str]) {
        for (place, name) in names.iter().enumerate() {
            let (open, close) = (if place == 0 { "h=" } else { "" }, if place + 1 == names.len() { ";" } else { ":" });
            self.word(&format!("{open}{name}{close}"));
        }
    }

    /// A word, behind a blank or on a line of its own.
    pub(super) fn word(&mut self, word: &str) {
        self.1.push_str(if self.column() + 1 + word.len() > COLUMNS { "\r\n\t" } else { " " });
        self.1.push_str(word);
    }

    /// Text that may be broken anywhere.
    pub(super) fn text(&mut self, mut text: &str) {
        while !text.is_empty() {
            let (head, tail) = text.split_at(text.len().min(COLUMNS.saturating_sub(self.column())));
            self.1.push_str(head);
            if !tail.is_empty() {
                self.1.push_str("\r\n\t");
            }
            text = tail;
        }
    }
}

/// SHA-256, for what is signed by its digest (RFC 8463 3).
pub(super) fn sha256(octets: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, octets).as_ref());
    hash
}
