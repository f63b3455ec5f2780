//! The envelope of a queued message and the state of its recipients (RFC 5321 2.3.1). Domain types: how they are stored is
//! for `spool::codec`. What never changes after arrival is [`Envelope`]; what deliveries change is [`Progress`], beside it in
//! [`QueueEntry`]. Nothing here reads a clock: every time is given, in milliseconds since the epoch.

use super::id::QueueId;
use crate::smtp::command::{Notify, OriginalRecipient, Return, Xtext};
use postern_schema::decide::{Reason, SentAs, TlsWish};
use postern_schema::name::{Mailbox, ReversePath};
use postern_schema::reply::Reply;
use postern_schema::site::Fingerprint;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// The most of a peer's reply that the queue keeps, in octets.
pub const REPLY_TEXT_MAX_OCTETS: usize = 512;

/// Which snapshot decided: the first eight octets of its digest. Printed as 16 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Generation(pub u64);

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What was fixed when the message was accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Envelope {
    /// Its name.
    pub id: QueueId,
    /// When it was accepted.
    pub arrival_ms: u64,
    /// Where a bounce goes.
    pub reverse_path: ReversePath,
    /// Whom it is for: at least one.
    pub recipients: Box<[Recipient]>,
    /// It came with SMTPUTF8 (RFC 6531 3.4), so the next hop must offer it.
    pub smtp_utf8: bool,
    /// It came with BODY=8BITMIME (RFC 6152 2).
    pub eight_bit: bool,
    /// What the sender asks of TLS on the way: REQUIRETLS, or `TLS-Required: No` (RFC 8689).
    pub tls_wish: TlsWish,
    /// The RET parameter (RFC 3461 4.3).
    pub ret: Option<Return>,
    /// The ENVID parameter (RFC 3461 4.4).
    pub envid: Option<Xtext>,
    /// Who handed it in; `None` for a notification of our own.
    pub client: Option<Box<Client>>,
    /// The snapshot that accepted it.
    pub generation: Generation,
    /// Size of the message as it was queued.
    pub body_octets: u64,
    /// Checksum of the body where it lies in a file of its own; `None` where it is in the log.
    pub(in crate::queue) body_file: Option<u32>,
}

impl Envelope {
    /// Who hears of what becomes of a recipient.
    pub fn return_path<'a>(&'a self, recipient: &'a Recipient) -> Option<&'a Mailbox> {
        match (&self.reverse_path, &recipient.sent_as) {
            (ReversePath::Null, _) => None,
            (ReversePath::Mailbox(_), SentAs::Owner(owner)) => Some(owner),
            (ReversePath::Mailbox(sender), SentAs::Sender | SentAs::Forwarder { .. }) => Some(sender),
        }
    }
}

/// One recipient of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recipient {
    /// Where the mail goes, once aliases are expanded.
    pub address: Mailbox,
    /// What RCPT said, where that is something else.
    pub given: Option<Box<Mailbox>>,
    /// The NOTIFY parameter (RFC 3461 4.1).
    pub notify: Option<Notify>,
    /// The ORCPT parameter (RFC 3461 4.2).
    pub orcpt: Option<OriginalRecipient>,
    /// In whose name it goes there.
    pub sent_as: SentAs,
}

impl Recipient {
    /// What RCPT said.
    pub fn original(&self) -> &Mailbox {
        self.given.as_deref().unwrap_or(&self.address)
    }

    /// Whether the sender wants to hear of this: of failures and delays unless NOTIFY says otherwise, of success only if it
    /// does (RFC 3461 4.1).
    pub fn wants_notice(&self, action: Action) -> bool {
        match action {
            Action::Failed | Action::Expired => self.notify.is_none_or(|notify| notify.failure),
            Action::Delayed => self.notify.is_none_or(|notify| notify.delay),
            Action::Delivered | Action::Relayed => self.notify.is_some_and(|notify| notify.success),
        }
    }
}

/// Who handed the message in; for logs and the operator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Client {
    /// Its address.
    pub address: IpAddr,
    /// What it said in EHLO or HELO.
    pub helo: Box<str>,
    /// The listener that it came in by.
    pub listener: Box<str>,
    /// Its login name.
    pub user: Option<Box<str>>,
    /// The digests of the certificate that it has shown to hold, and of that one's key.
    pub certificate: Box<[Fingerprint]>,
}

/// What one attempt to deliver met with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// The reply: the peer's, or one that stands for trouble without a peer.
    pub reply: Reply,
    /// The host that answered, where one did.
    pub remote_mta: Option<Box<str>>,
    /// When it ended.
    pub at_ms: u64,
    /// The snapshot that routed it.
    pub generation: Generation,
}

impl Attempt {
    /// Keeps [`REPLY_TEXT_MAX_OCTETS`] of the reply's text: a peer must not fill our memory.
    pub fn new(mut reply: Reply, remote_mta: Option<Box<str>>, at_ms: u64, generation: Generation) -> Attempt {
        if reply.text.len() > REPLY_TEXT_MAX_OCTETS {
            let end = reply.text.floor_char_boundary(REPLY_TEXT_MAX_OCTETS);
            reply.text = reply.text[..end].to_owned().into();
        }
        Attempt { reply, remote_mta, at_ms, generation }
    }
}

/// How far one recipient has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RecipientState {
    /// To be tried, or tried again.
    Pending {
        /// How many attempts failed.
        attempts: u16,
        /// Not before this; 0 for at once.
        next_attempt_ms: u64,
        /// What the last attempt met with.
        last: Option<Arc<Attempt>>,
        /// The sender has been told that it takes long.
        warned: bool,
    },
    /// Handed over.
    Delivered,
    /// Handed over; the sender wants to know, and has not been told.
    Succeeded {
        /// What the next hop said.
        attempt: Arc<Attempt>,
        /// To a host that tells nobody (RFC 3461 5.2.2).
        relayed: bool,
    },
    /// Refused for good; the sender has not been told.
    Failed(Arc<Attempt>),
    /// Not delivered within its lifetime; the sender has not been told.
    Expired(Arc<Attempt>),
    /// Failed, expired or succeeded, and all is done that was to be done about it: a notification is queued, or none is wanted.
    Returned,
}

impl RecipientState {
    /// The state of a recipient that nobody has tried.
    pub const NEW: RecipientState = RecipientState::Pending { attempts: 0, next_attempt_ms: 0, last: None, warned: false };

    fn apply(&mut self, outcome: &Outcome) {
        let next = match (&mut *self, outcome) {
            (RecipientState::Pending { attempts, next_attempt_ms, last, .. }, Outcome::Deferred { attempt, next_ms }) => {
                *attempts = attempts.saturating_add(1);
                *next_attempt_ms = *next_ms;
                *last = Some(attempt.clone());
                return;
            }
            (RecipientState::Pending { warned, .. }, Outcome::Warned) => {
                *warned = true;
                return;
            }
            (RecipientState::Pending { .. }, Outcome::Delivered) => RecipientState::Delivered,
            (RecipientState::Pending { .. }, Outcome::Succeeded { attempt, relayed }) => {
                RecipientState::Succeeded { attempt: attempt.clone(), relayed: *relayed }
            }
            (RecipientState::Pending { .. }, Outcome::Failed(attempt)) => RecipientState::Failed(attempt.clone()),
            (RecipientState::Pending { .. }, Outcome::Expired(attempt)) => RecipientState::Expired(attempt.clone()),
            (RecipientState::Failed(_) | RecipientState::Expired(_) | RecipientState::Succeeded { .. }, Outcome::Returned) => {
                RecipientState::Returned
            }
            _ => return,
        };
        *self = next;
    }
}

/// Where a message stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum MessageState {
    /// A recipient has never been tried or is to be tried at once, or something is left to be done about a settled one.
    Active,
    /// All that are pending were tried and wait.
    Deferred,
    /// The operator holds it.
    Hold,
}

impl MessageState {
    /// The word of `posternd queue`.
    pub fn as_str(self) -> &'static str {
        match self {
            MessageState::Active => "active",
            MessageState::Deferred => "deferred",
            MessageState::Hold => "hold",
        }
    }
}

/// How far a message has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Progress {
    /// As many as the envelope has recipients, in the same order.
    pub states: Box<[RecipientState]>,
    /// The operator holds it: no attempts.
    pub held: bool,
}

impl Progress {
    /// That of a message with so many recipients that has just arrived.
    pub(in crate::queue) fn new(recipients: usize) -> Progress {
        Progress { states: vec![RecipientState::NEW; recipients].into(), held: false }
    }

    /// That of one that is held from the beginning. Where others have the reply of an attempt, it has why.
    pub(in crate::queue) fn held(recipients: usize, reason: Reason, at_ms: u64, generation: Generation) -> Progress {
        let last = Some(Arc::new(Attempt::new(Reply::held(reason), None, at_ms, generation)));
        let state = RecipientState::Pending { attempts: 0, next_attempt_ms: 0, last, warned: false };
        Progress { states: vec![state; recipients].into(), held: true }
    }

    /// Where the message stands.
    pub fn state(&self) -> MessageState {
        match self.next_attempt_ms() {
            _ if self.held => MessageState::Hold,
            None | Some(0) => MessageState::Active,
            Some(_) => MessageState::Deferred,
        }
    }

    /// When the first pending recipient may be tried; 0 for at once, `None` when nobody is pending.
    pub fn next_attempt_ms(&self) -> Option<u64> {
        let pending = self.states.iter().filter_map(|state| match state {
            RecipientState::Pending { next_attempt_ms, .. } => Some(*next_attempt_ms),
            _ => None,
        });
        pending.min()
    }

    /// Whether nothing is left to do but to remove the message.
    pub fn is_settled(&self) -> bool {
        self.states.iter().all(|state| matches!(state, RecipientState::Delivered | RecipientState::Returned))
    }

    /// Makes a change true that speaks of this message. A recipient that the message does not have, and an outcome that does
    /// not follow from the recipient's state, change nothing.
    pub(in crate::queue) fn apply(&mut self, change: &Change) {
        match change {
            Change::Outcome { recipients, outcome, .. } => {
                for index in recipients {
                    if let Some(state) = self.states.get_mut(*index as usize) {
                        state.apply(outcome);
                    }
                }
            }
            Change::Retry { at_ms, .. } => {
                for state in &mut self.states {
                    if let RecipientState::Pending { next_attempt_ms, .. } = state {
                        *next_attempt_ms = *at_ms;
                    }
                }
            }
            Change::Hold(_) => self.held = true,
            Change::Release(_) => self.held = false,
            Change::Remove(_) => {}
        }
    }
}

/// A message in the queue, as it was when it was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueEntry {
    /// What does not change.
    pub envelope: Arc<Envelope>,
    /// What does.
    pub progress: Progress,
}

impl QueueEntry {
    /// A message that never came into the queue, since each of these recipients was refused: what a notice to its sender is about.
    pub fn refused(
        id: QueueId, arrival_ms: u64, reverse_path: ReversePath, refused: Vec<(Mailbox, Reply)>, generation: Generation,
    ) -> QueueEntry {
        let recipient = |(address, _): &(Mailbox, Reply)| Recipient {
            address: address.clone(),
            given: None,
            notify: None,
            orcpt: None,
            sent_as: SentAs::Sender,
        };
        let recipients = refused.iter().map(recipient).collect();
        let state =
            |(_, reply): (Mailbox, Reply)| RecipientState::Failed(Arc::new(Attempt::new(reply, None, arrival_ms, generation)));
        let states = refused.into_iter().map(state).collect();
        let envelope = Envelope {
            id,
            arrival_ms,
            reverse_path,
            recipients,
            smtp_utf8: false,
            eight_bit: true,
            tls_wish: TlsWish::Default,
            ret: None,
            envid: None,
            client: None,
            generation,
            body_octets: 0,
            body_file: None,
        };
        QueueEntry { envelope: Arc::new(envelope), progress: Progress { states, held: false } }
    }

    /// Its name.
    pub fn id(&self) -> QueueId {
        self.envelope.id
    }

    /// The recipients with their place in the envelope, each with its state.
    pub fn recipients(&self) -> impl Iterator<Item = (u32, &Recipient, &RecipientState)> {
        let pairs = self.envelope.recipients.iter().zip(&self.progress.states);
        (0u32..).zip(pairs).map(|(index, (recipient, state))| (index, recipient, state))
    }

    /// The recipients that are pending and due, with their place in the envelope; a time behind `too_far_ms` is no time to wait for
    /// ([`super::schedule::too_far_ms`]).
    pub fn due(&self, now_ms: u64, too_far_ms: u64) -> impl Iterator<Item = (u32, &Recipient)> {
        self.recipients().filter_map(move |(index, recipient, state)| match state {
            RecipientState::Pending { next_attempt_ms: at, .. } if *at <= now_ms || *at > too_far_ms => Some((index, recipient)),
            _ => None,
        })
    }

    /// The recipients with which it is over, and about whom nothing was done yet.
    pub fn unreturned(&self) -> impl Iterator<Item = Unreturned<'_>> {
        self.recipients().filter_map(|(index, recipient, state)| {
            let (attempt, action) = match state {
                RecipientState::Failed(attempt) => (attempt, Action::Failed),
                RecipientState::Expired(attempt) => (attempt, Action::Expired),
                RecipientState::Succeeded { attempt, relayed: false } => (attempt, Action::Delivered),
                RecipientState::Succeeded { attempt, relayed: true } => (attempt, Action::Relayed),
                _ => return None,
            };
            Some(Unreturned { index, recipient, attempt, action })
        })
    }

    /// The recipients that still wait, were tried, and whose sender was not told that it takes long.
    pub fn unwarned(&self) -> impl Iterator<Item = Unreturned<'_>> {
        self.recipients().filter_map(|(index, recipient, state)| match state {
            RecipientState::Pending { last: Some(attempt), warned: false, .. } => {
                Some(Unreturned { index, recipient, attempt, action: Action::Delayed })
            }
            _ => None,
        })
    }
}

/// What a notification says of a recipient (RFC 3464 2.3.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Refused for good.
    Failed,
    /// Given up after its lifetime.
    Expired,
    /// Still waiting.
    Delayed,
    /// Handed over for good.
    Delivered,
    /// Handed over to a host that tells nobody.
    Relayed,
}

/// A recipient that its sender has not been told of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unreturned<'a> {
    /// Its place in the envelope.
    pub index: u32,
    /// Who.
    pub recipient: &'a Recipient,
    /// What the last attempt met with.
    pub attempt: &'a Attempt,
    /// What there is to tell.
    pub action: Action,
}

/// Something that becomes true of a queued message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// What became of some recipients.
    Outcome {
        /// Which message.
        id: QueueId,
        /// Which recipients: their places in the envelope.
        recipients: Box<[u32]>,
        /// What.
        outcome: Outcome,
    },
    /// All pending recipients are next tried at this time; 0 for at once.
    Retry {
        /// Which message.
        id: QueueId,
        /// When.
        at_ms: u64,
    },
    /// No attempts until it is released.
    Hold(QueueId),
    /// Attempts again.
    Release(QueueId),
    /// It leaves the queue with its body.
    Remove(QueueId),
}

impl Change {
    /// The message that it speaks of.
    pub fn id(&self) -> QueueId {
        match self {
            Change::Outcome { id, .. } | Change::Retry { id, .. } => *id,
            Change::Hold(id) | Change::Release(id) | Change::Remove(id) => *id,
        }
    }
}

/// What became of a recipient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Pending: handed over.
    Delivered,
    /// Pending: the attempt failed, another follows.
    Deferred {
        /// What it met with.
        attempt: Arc<Attempt>,
        /// Not before this.
        next_ms: u64,
    },
    /// Pending: refused for good.
    Failed(Arc<Attempt>),
    /// Pending: the last attempt failed and its lifetime is over.
    Expired(Arc<Attempt>),
    /// Failed, expired or succeeded: nothing is left to be done about it.
    Returned,
    /// Pending: handed over, and the sender wants to know.
    Succeeded {
        /// What the next hop said.
        attempt: Arc<Attempt>,
        /// To a host that tells nobody.
        relayed: bool,
    },
    /// Pending: the sender was told that it takes long, or does not want to know.
    Warned,
}
