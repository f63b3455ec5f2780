//! A message on its way into the spool: its header is held back until it is whole, relieved of results that others have written in
//! our name (RFC 8601 5), reworked as the site wants it, and passed on; its body is hashed as it goes by.

use super::canonical::{BodyDigest, BodyHash, Canonicalization};
use super::header::{Field, Header, HeaderGatherer, HeaderTooLarge};
use super::results::claims_to_be_ours;
use super::tags::{tag, tags};
use super::verify::SIGNATURE_LIMIT;
use crate::submission::Rework;
use std::borrow::Cow;

/// What will be done with the message when it is whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// It may have to be signed.
    Sign,
    /// It is judged.
    Verify,
    /// Neither.
    Pass,
}

/// The front of the spool.
pub struct Intake {
    purpose: Purpose,
    hostname: Box<str>,
    rework: Rework,
    seals: bool,
    gatherer: Option<HeaderGatherer>,
    whole: Whole,
    hashes: Vec<BodyHash>,
    /// Nothing will be signed: the body need not be hashed for it.
    unsigned: bool,
}

/// What is known of a message once it is whole.
#[derive(Debug, Default)]
pub struct Whole {
    /// The header as it came.
    pub received: Header,
    /// The header as it goes on.
    pub header: Header,
    /// The hash of the body in each form that was asked for.
    pub body_hashes: Vec<BodyDigest>,
    /// Whether a signature counts that covers only the beginning of the body.
    pub partial_body: bool,
}

impl Whole {
    /// The hash of the body in that form, of so many octets of it.
    pub fn digest(&self, canonicalization: Canonicalization, length: Option<u64>) -> Option<&BodyDigest> {
        let is_it = |digest: &&BodyDigest| digest.canonicalization == canonicalization && digest.length == length;
        self.body_hashes.iter().find(is_it)
    }

    /// The hash of the body in relaxed form.
    pub fn relaxed_body(&self) -> [u8; 32] {
        let relaxed = self.digest(Canonicalization::Relaxed, None);
        relaxed.map_or([0; 32], |digest| digest.hash)
    }
}

impl Intake {
    /// Takes a message for a host of that name. `rework`: what is done to its header.
    pub fn new(purpose: Purpose, hostname: &str, rework: Rework) -> Intake {
        let (gatherer, whole) = (Some(HeaderGatherer::default()), Whole::default());
        Intake { purpose, hostname: hostname.into(), rework, seals: false, gatherer, whole, hashes: Vec::new(), unsigned: false }
    }

    /// The same for a message that may have to be sealed as well as judged.
    #[must_use]
    pub fn sealing(self, seals: bool) -> Intake {
        Intake { seals, ..self }
    }

    /// The same where signatures count that cover only the beginning of the body (`l=`).
    #[must_use]
    pub fn with_partial_body(mut self, counts: bool) -> Intake {
        self.whole.partial_body = counts;
        self
    }

    /// The same, where nothing will be signed.
    #[must_use]
    pub fn unsigned(self) -> Intake {
        Intake { unsigned: true, ..self }
    }

    /// Takes a piece, and gives what is to be stored.
    ///
    /// # Errors
    /// [`HeaderTooLarge`].
    pub fn feed<'a>(&mut self, piece: &'a [u8]) -> Result<Cow<'a, [u8]>, HeaderTooLarge> {
        let Some(gatherer) = &mut self.gatherer else {
            self.hash(piece);
            return Ok(Cow::Borrowed(piece));
        };
        let Some((header, body)) = gatherer.feed(piece)? else { return Ok(Cow::Borrowed(&[])) };
        let mut stored = self.header_done(header);
        self.hash(body);
        stored.extend_from_slice(body);
        Ok(Cow::Owned(stored))
    }

    /// The end of the message: what is still to be stored, and what is known.
    pub fn finish(mut self) -> (Vec<u8>, Whole) {
        let rest = match self.gatherer.take() {
            Some(gatherer) => self.header_done(gatherer.finish()),
            None => Vec::new(),
        };
        self.whole.body_hashes = self.hashes.into_iter().map(BodyHash::digest).collect();
        (rest, self.whole)
    }

    fn header_done(&mut self, header: Header) -> Vec<u8> {
        self.gatherer = None;
        let forms: &[Canonicalization] = match self.purpose {
            Purpose::Pass => &[],
            Purpose::Sign if self.unsigned => &[],
            Purpose::Sign => &[Canonicalization::Relaxed],
            Purpose::Verify if header.fields().any(|field| is_signature(&field)) => {
                &[Canonicalization::Relaxed, Canonicalization::Simple]
            }
            Purpose::Verify if self.seals => &[Canonicalization::Relaxed],
            Purpose::Verify => &[],
        };
        self.hashes = forms.iter().map(|form| BodyHash::new(*form)).collect();
        if self.purpose == Purpose::Verify && self.whole.partial_body {
            self.hashes.extend(partial(&header));
        }
        self.whole.header = self.rework.apply(header.without(|field| claims_to_be_ours(field, &self.hostname)));
        self.whole.received = header;
        self.whole.header.octets().to_vec()
    }

    fn hash(&mut self, piece: &[u8]) {
        self.hashes.iter_mut().for_each(|hash| hash.update(piece));
    }
}

/// Hashes of as much of the body as signatures say that they cover.
fn partial(header: &Header) -> Vec<BodyHash> {
    let mut wanted: Vec<(Canonicalization, u64)> = Vec::new();
    for field in header.fields().filter(is_signature).take(2 * SIGNATURE_LIMIT) {
        let Some(tags) = tags(field.value) else { continue };
        let Some(length) = tag(&tags, "l").and_then(|length| length.parse().ok()) else { continue };
        let is_relaxed = tag(&tags, "c").is_some_and(|form| form.ends_with("/relaxed"));
        let form = if is_relaxed { Canonicalization::Relaxed } else { Canonicalization::Simple };
        if !wanted.contains(&(form, length)) {
            wanted.push((form, length));
        }
    }
    wanted.into_iter().map(|(form, length)| BodyHash::of_length(form, Some(length))).collect()
}

fn is_signature(field: &Field<'_>) -> bool {
    [&b"dkim-signature"[..], b"arc-message-signature"].iter().any(|name| field.name.eq_ignore_ascii_case(name))
}
