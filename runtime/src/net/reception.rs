//! The text of a message as it comes in: what is done to it on its way to the spool, by whom it is from. Decides nothing: what the whole
//! comes to is for [`super::head`], and whether it is taken for [`super::transaction`].

use super::transaction::Peer;
use crate::authentication::header::{HEADER_LIMIT_OCTETS, HeaderTooLarge};
use crate::authentication::intake::{Intake, Purpose, Whole};
use crate::queue::{Body, BodyWriter, QueueId, SpoolError};
use crate::site::Generation;
use crate::smtp::command::BodyKind;
use crate::smtp::data::TextForm;
use crate::submission::{Completion, HeaderRewriting, Rework};
use postern_schema::decide::rewrite;
use postern_schema::reply::Reply;
use postern_schema::site::ListenerKind;
use std::fmt::{self, Display};
use std::sync::Arc;

/// A message whose text is coming in.
pub struct Reception {
    id: QueueId,
    purpose: Purpose,
    intake: Intake,
    /// What makes text of a message that came as binary (RFC 3030 3).
    text_form: Option<TextForm>,
    /// What was taken so far; an error keeps its place until the end of the message.
    body: Result<BodyWriter, Unstored>,
}

/// Why a message is not taken that nobody has decided against.
#[derive(Debug)]
pub enum Unstored {
    /// The queue does not take it.
    Spool(SpoolError),
    /// Its header is larger than any is.
    HeaderTooLarge,
    /// It is no text where it says that it is.
    Malformed(Reply),
}

impl From<SpoolError> for Unstored {
    fn from(error: SpoolError) -> Unstored {
        Unstored::Spool(error)
    }
}

impl From<HeaderTooLarge> for Unstored {
    fn from(_: HeaderTooLarge) -> Unstored {
        Unstored::HeaderTooLarge
    }
}

impl Display for Unstored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unstored::Spool(error) => error.fmt(f),
            Unstored::HeaderTooLarge => write!(f, "its header has more than {HEADER_LIMIT_OCTETS} octets"),
            Unstored::Malformed(reply) => reply.fmt(f),
        }
    }
}

impl Unstored {
    /// What its client is told.
    pub fn reply(&self) -> Reply {
        match self {
            Unstored::Spool(error) => error.reply(),
            Unstored::HeaderTooLarge => Reply::HEADER_TOO_LARGE,
            Unstored::Malformed(reply) => reply.clone(),
        }
    }
}

impl Reception {
    /// The beginning of a message of this client, which will be of that name in the queue and lie in `body`.
    pub fn begin(
        generation: &Arc<Generation>, peer: &Peer, kind: BodyKind, id: QueueId, arrival_ms: u64, body: BodyWriter,
    ) -> Reception {
        let site = generation.site();
        let purpose = purpose(generation, peer);
        let rework = rework(generation, peer, purpose, id, arrival_ms);
        let intake = Intake::new(purpose, site.hostname.as_str(), rework).sealing(site.arc.seal.is_some());
        let intake = intake.with_partial_body(site.screen.partial_body);
        let intake = if generation.keys.is_empty() { intake.unsigned() } else { intake };
        let text_form = (kind == BodyKind::Binary).then(TextForm::default);
        Reception { id, purpose, intake, text_form, body: Ok(body) }
    }

    /// What is done with the message when it is whole.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Why it cannot be taken, as far as that is known.
    pub fn fault(&self) -> Option<&Unstored> {
        self.body.as_ref().err()
    }

    /// Takes a piece. Writes to disk: blocks.
    pub fn take(&mut self, piece: &[u8]) {
        match &mut self.text_form {
            None => self.take_in(piece),
            // A signature of another was made over what has come, and is judged by that.
            Some(_) if self.purpose == Purpose::Verify => self.take_in(piece),
            // Ours is made over what goes on.
            Some(form) => {
                let text = form.feed(piece);
                self.take_in(&text);
            }
        }
    }

    fn take_in(&mut self, piece: &[u8]) {
        let converts = self.purpose == Purpose::Verify;
        match self.intake.feed(piece) {
            Ok(octets) => {
                let octets = match &mut self.text_form {
                    Some(form) if converts => form.feed(&octets).into(),
                    _ => octets,
                };
                self.write(&octets);
            }
            Err(error) => self.fail(error.into()),
        }
    }

    /// Takes the last piece; what is known of the whole.
    pub fn end(&mut self, last: &[u8]) -> Whole {
        self.take(last);
        if self.purpose != Purpose::Verify
            && let Some(rest) = self.end_text_form()
        {
            self.take_in(&rest);
        }
        let (mut rest, whole) = std::mem::replace(&mut self.intake, Intake::new(Purpose::Pass, "", Rework::default())).finish();
        if let Some(form) = &mut self.text_form {
            rest = form.feed(&rest);
        }
        self.write(&rest);
        if let Some(rest) = self.end_text_form() {
            self.write(&rest);
        }
        whole
    }

    /// What the conversion to text has left, if there was one and it went well.
    fn end_text_form(&mut self) -> Option<Vec<u8>> {
        match self.text_form.take()?.finish() {
            Ok(rest) => Some(rest),
            Err(reply) => {
                self.fail(Unstored::Malformed(reply));
                None
            }
        }
    }

    fn write(&mut self, octets: &[u8]) {
        if let Ok(body) = &mut self.body
            && let Err(error) = body.write(octets)
        {
            self.fail(error.into());
        }
    }

    /// The first error is the one that counts.
    fn fail(&mut self, error: Unstored) {
        if self.body.is_err() {
            return;
        }
        match &error {
            Unstored::Spool(_) => tracing::error!(%error, id = %self.id, "a message cannot be stored"),
            // The client's doing.
            Unstored::HeaderTooLarge | Unstored::Malformed(_) => tracing::info!(%error, id = %self.id, "a message is refused"),
        }
        self.body = Err(error);
    }

    /// All that came, below this head.
    ///
    /// # Errors
    /// [`Reception::fault`], or what the disk says now.
    pub fn store_below(self, head: Vec<u8>) -> Result<Body, Unstored> {
        Ok(self.body?.finish(head)?)
    }
}

fn purpose(generation: &Generation, peer: &Peer) -> Purpose {
    let (site, client) = (generation.site(), peer.client());
    match client.is_stranger(site) {
        // It was judged, changed and signed before it went to the filter.
        _ if client.is_peer(site) => Purpose::Pass,
        false => Purpose::Sign,
        true if site.authenticates() => Purpose::Verify,
        true => Purpose::Pass,
    }
}

/// What the site does to the header.
fn rework(generation: &Arc<Generation>, peer: &Peer, purpose: Purpose, id: QueueId, arrival_ms: u64) -> Rework {
    let site = generation.site();
    // What is not from a listener is from a program of this host, and its own.
    let kind = site.listener(&peer.listener).map_or(ListenerKind::Submission, |listener| listener.kind);
    if kind.is_for_peers() {
        return Rework::default();
    }
    let is_ours = purpose == Purpose::Sign;
    let completion =
        is_ours.then(|| Completion { arrival_ms, id, hostname: site.hostname.as_str().into(), author: peer.author.clone() });
    // Headers of strangers stay as they are.
    let rewriting = (is_ours && rewrite::changes_headers(site)).then(|| HeaderRewriting {
        generation: generation.clone(),
        listener: peer.listener.clone(),
        address: peer.address,
    });
    Rework::new(site, kind, completion).and_rewriting(rewriting)
}
