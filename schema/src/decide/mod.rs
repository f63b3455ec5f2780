//! What a site decides: pure functions from facts to a [`Verdict`].
//!
//! One set of functions serves three users: the daemon, `postern explain`, and the site's own `test` blocks. They read the
//! site through [`Lookup`], never through LMDB or KDL, and know neither sockets nor clocks. A fact that costs something to
//! learn (a DNS answer, a policy service) is not an argument: a function that wants it answers [`Answer::Need`], the caller
//! gathers it and asks again. So nothing is fetched that no verdict depends on, and the order is visible here.
//!
//! | function | asked at | answers |
//! |---|---|---|
//! | [`sender`] | MAIL | whether this client may send as that reverse-path |
//! | [`accept`] | RCPT | whether we take this recipient, and whom it expands to: the [`RelayPermit`] |
//! | [`content`] | the end of the message | whether it may come in, and whether it is put aside |
//! | [`signing`] | the same | which keys sign it on its way out |
//! | [`route`] | every delivery attempt | where one recipient's mail goes next, and in whose name |
//!
//! What addresses turn into on the way is in [`rewrite`].

mod accept;
mod content;
mod expand;
mod facts;
mod found;
mod lookup;
mod reason;
pub mod rewrite;
mod route;
mod screen;
mod sender;
mod sign;
mod trace;

pub use accept::{RelayPermit, accept, expansion, forwarding_loop};
pub use content::{Handling, content, diverted};
pub use expand::{EXPANSION_LIMIT, End, Resolved, SentAs, resolve};
pub use facts::{
    ArcFact, Client, ClientClass, ContentFacts, DmarcFact, LOCAL_LISTENER, Need, RecipientFacts, SenderDomain, SenderFacts,
    SrsFact,
};
pub use found::{AUTHOR_LIMIT, dmarc_fact, list_question, listings, sender_domain};
pub use lookup::{Lookup, LookupFailed};
pub use reason::Reason;
pub use route::{Departure, Hop, RouteFacts, TlsWish, route};
pub use screen::{GreylistFact, Listing, ReputationFact, ScreenFacts};
pub use sender::sender;
pub use sign::{Author, SignFacts, Signature, sealing, signing};
pub use trace::{Step, StepKind, Trace};

/// What a decision function says.
#[derive(Debug, PartialEq)]
pub enum Answer<T> {
    /// It cannot say before it knows this.
    Need(Need),
    /// It has decided.
    Verdict(Verdict<T>),
}

/// A decision, why it fell, and how it was reached.
#[derive(Debug, PartialEq)]
pub struct Verdict<T> {
    /// What is to be done.
    pub disposition: Disposition<T>,
    /// The one cause; it fixes the reply that a peer reads.
    pub reason: Reason,
    /// The steps that led here, each with its source line.
    pub trace: Trace,
}

/// What is to be done.
#[derive(Debug, PartialEq)]
pub enum Disposition<T> {
    /// Go on, with this in hand.
    Accept(T),
    /// No, for good.
    Refuse,
    /// Not now.
    Defer,
}

impl<T> Disposition<T> {
    /// `accept`, `reject` or `defer`: the words of test blocks, logs and `explain`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Disposition::Accept(_) => "accept",
            Disposition::Refuse => "reject",
            Disposition::Defer => "defer",
        }
    }

    /// What was accepted.
    pub fn accepted(self) -> Option<T> {
        match self {
            Disposition::Accept(value) => Some(value),
            Disposition::Refuse | Disposition::Defer => None,
        }
    }
}

impl<T> Verdict<T> {
    fn accept(value: T, reason: Reason, trace: Trace) -> Answer<T> {
        Answer::Verdict(Verdict { disposition: Disposition::Accept(value), reason, trace })
    }

    /// Whether it is a refusal for good or for now follows from the reason, so that the two cannot disagree.
    fn decline(reason: Reason, trace: Trace) -> Answer<T> {
        let disposition = if reason.is_transient() { Disposition::Defer } else { Disposition::Refuse };
        Answer::Verdict(Verdict { disposition, reason, trace })
    }

    fn lookup_failed(failed: &LookupFailed, mut trace: Trace) -> Answer<T> {
        trace.push_default(StepKind::LookupFailed(failed.to_string().into()));
        Verdict::decline(Reason::LookupFailed, trace)
    }
}

impl<T> Answer<T> {
    /// The verdict, where nothing more is needed.
    pub fn verdict(self) -> Option<Verdict<T>> {
        match self {
            Answer::Verdict(verdict) => Some(verdict),
            Answer::Need(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
