//! What may enter the queue. [`Accepted`] is mail that came in: each of its recipients carries the [`RelayPermit`] that
//! `decide::accept` gave for it, and there is no other way to name a recipient. [`Generated`] is a notification of our own:
//! it always has the null reverse-path (RFC 5321 4.5.5), so that it cannot be used to relay. Sessions make the one, the
//! deliverer makes the other, and the spool takes both as a [`NewMessage`].

use super::envelope::{Change, Client, Envelope, Generation, Recipient};
use super::id::FreshId;
use super::spool::SpilledBody;
use crate::smtp::command::{Notify, OriginalRecipient, Return, Xtext};
use bytes::Bytes;
use postern_schema::decide::{End, Reason, RelayPermit, SentAs, TlsWish};
use postern_schema::name::{Mailbox, ReversePath};

/// Mail from a client.
#[derive(Debug)]
pub struct Accepted {
    /// Its name, which its Received field carries already.
    pub id: FreshId,
    /// When it was accepted, in milliseconds since the epoch.
    pub arrival_ms: u64,
    /// What MAIL said.
    pub reverse_path: ReversePath,
    /// What the accepted RCPTs said.
    pub recipients: Vec<AcceptedRecipient>,
    /// MAIL had SMTPUTF8 (RFC 6531 3.4).
    pub smtp_utf8: bool,
    /// MAIL had BODY=8BITMIME (RFC 6152 2).
    pub eight_bit: bool,
    /// REQUIRETLS, or `TLS-Required: No` in the header (RFC 8689).
    pub tls_wish: TlsWish,
    /// RET (RFC 3461 4.3).
    pub ret: Option<Return>,
    /// ENVID (RFC 3461 4.4).
    pub envid: Option<Xtext>,
    /// Who handed it in.
    pub client: Client,
    /// The snapshot that accepted it.
    pub generation: Generation,
    /// Why it is not to be delivered before the operator lets it go; `None`: it is.
    pub hold: Option<Reason>,
    /// The message, trace fields included.
    pub body: Body,
}

/// One accepted RCPT.
#[derive(Debug)]
pub struct AcceptedRecipient {
    /// The decision.
    pub permit: RelayPermit,
    /// NOTIFY (RFC 3461 4.1).
    pub notify: Option<Notify>,
    /// ORCPT (RFC 3461 4.2).
    pub orcpt: Option<OriginalRecipient>,
}

impl AcceptedRecipient {
    /// Somebody of whom the sender does not know: nobody is told what becomes of it (RFC 3461 4.1).
    pub fn untold(permit: RelayPermit) -> AcceptedRecipient {
        let never = Notify { success: false, failure: false, delay: false };
        AcceptedRecipient { permit, notify: Some(never), orcpt: None }
    }
}

impl From<RelayPermit> for AcceptedRecipient {
    /// A RCPT without parameters.
    fn from(permit: RelayPermit) -> AcceptedRecipient {
        AcceptedRecipient { permit, notify: None, orcpt: None }
    }
}

/// A notification that the server itself writes, such as a bounce.
#[derive(Debug)]
pub struct Generated {
    /// Its name.
    pub id: FreshId,
    /// When it was written, in milliseconds since the epoch.
    pub arrival_ms: u64,
    /// Whom it is for: the reverse-path of the message that it is about.
    pub recipient: Mailbox,
    /// The addresses that this stands for in the site of today; the recipient itself where it is no alias.
    pub expansion: Vec<End>,
    /// It holds UTF-8 in its header or addresses.
    pub smtp_utf8: bool,
    /// It holds octets above 127.
    pub eight_bit: bool,
    /// That of the message that it is about: what must not travel in the clear must not come back so (RFC 8689 5).
    pub tls_wish: TlsWish,
    /// The snapshot that expanded the recipient.
    pub generation: Generation,
    /// The message.
    pub body: Body,
    /// What becomes true together with it, in one record of the log: that its recipients were returned. A crash leaves both or
    /// neither, so that a sender hears once.
    pub changes: Vec<Change>,
}

/// The octets of a message.
#[derive(Debug)]
pub enum Body {
    /// In memory, in any number of pieces.
    Inline(Vec<Bytes>),
    /// In a file of its own, durable.
    File(SpilledBody),
}

impl Body {
    /// Its size.
    pub fn octets(&self) -> u64 {
        match self {
            Body::Inline(pieces) => pieces.iter().map(|piece| piece.len() as u64).sum(),
            Body::File(file) => file.octets(),
        }
    }
}

impl From<Vec<u8>> for Body {
    fn from(octets: Vec<u8>) -> Body {
        Body::Inline(vec![octets.into()])
    }
}

/// A message on its way into the spool. Only [`Accepted`] and [`Generated`] turn into one.
#[derive(Debug)]
pub struct NewMessage {
    pub(in crate::queue) envelope: Envelope,
    pub(in crate::queue) body: Body,
    /// Why it is held, if it is.
    pub(in crate::queue) hold: Option<Reason>,
    pub(in crate::queue) changes: Vec<Change>,
}

impl From<Accepted> for NewMessage {
    fn from(accepted: Accepted) -> NewMessage {
        let mut recipients: Vec<Recipient> = Vec::with_capacity(accepted.recipients.len());
        let mut seen = std::collections::HashSet::new();
        for AcceptedRecipient { permit, notify, orcpt } in accepted.recipients {
            // Two recipients that lead to one address make one copy. Compared exactly: a foreign host may mind the case.
            for end in permit.expansion().iter().filter(|end| seen.insert(end.mailbox.clone())) {
                // The owner of a list did not ask for what the sender asked for (RFC 3461 5.2.7.3).
                let is_owned = matches!(end.sent_as, SentAs::Owner(_));
                let (notify, orcpt) = if is_owned { (None, None) } else { (notify, orcpt.clone()) };
                recipients.push(recipient(permit.recipient(), end.clone(), notify, orcpt));
            }
        }
        let envelope = Envelope {
            id: accepted.id.id(),
            arrival_ms: accepted.arrival_ms,
            reverse_path: accepted.reverse_path,
            recipients: recipients.into(),
            smtp_utf8: accepted.smtp_utf8,
            eight_bit: accepted.eight_bit,
            tls_wish: accepted.tls_wish,
            ret: accepted.ret,
            envid: accepted.envid,
            client: Some(Box::new(accepted.client)),
            generation: accepted.generation,
            body_octets: accepted.body.octets(),
            body_file: checksum(&accepted.body),
        };
        NewMessage { envelope, body: accepted.body, hold: accepted.hold, changes: Vec::new() }
    }
}

impl From<Generated> for NewMessage {
    fn from(generated: Generated) -> NewMessage {
        let expand = |end| recipient(&generated.recipient, end, None, None);
        let envelope = Envelope {
            id: generated.id.id(),
            arrival_ms: generated.arrival_ms,
            reverse_path: ReversePath::Null,
            recipients: generated.expansion.into_iter().map(expand).collect(),
            smtp_utf8: generated.smtp_utf8,
            eight_bit: generated.eight_bit,
            tls_wish: generated.tls_wish,
            ret: None,
            envid: None,
            client: None,
            generation: generated.generation,
            body_octets: generated.body.octets(),
            body_file: checksum(&generated.body),
        };
        NewMessage { envelope, body: generated.body, hold: None, changes: generated.changes }
    }
}

fn recipient(original: &Mailbox, end: End, notify: Option<Notify>, orcpt: Option<OriginalRecipient>) -> Recipient {
    let End { mailbox: address, sent_as } = end;
    let given = (*original != address).then(|| Box::new(original.clone()));
    Recipient { address, given, notify, orcpt, sent_as }
}

fn checksum(body: &Body) -> Option<u32> {
    match body {
        Body::Inline(_) => None,
        Body::File(file) => Some(file.checksum()),
    }
}
