//! How a verdict was reached: a bounded list of typed steps, each with the source line behind it. Always collected, since
//! `explain` must say what the daemon did; turned into text only when somebody reads it.

use super::{ArcFact, DmarcFact, GreylistFact, Listing, ReputationFact};
use crate::name::{Domain, Mailbox};
use crate::site::{Check, DomainClass, ListenerKind, Origin, Quarantine, Selector, Slot, Sources};
use crate::spf::SpfResult;
use std::fmt;

/// The most steps that one trace keeps; what comes after them is not recorded.
pub const TRACE_LIMIT: usize = 32;

/// The steps of one decision, in order.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Trace(Vec<Step>);

/// One step and where the site says so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// What was found.
    pub kind: StepKind,
    /// The line behind it.
    pub origin: Origin,
}

/// What a step found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StepKind {
    /// The session came in by this listener.
    Listener(Box<str>, ListenerKind),
    /// The listener is not in this snapshot.
    UnknownListener(Box<str>),
    /// The session has no TLS, and the listener wants it.
    Plaintext(Box<str>),
    /// The client has logged in under this name.
    User(Box<str>),
    /// The client is a program that this user of the host runs.
    Local(Box<str>),
    /// The client is in a network that may relay.
    TrustedNetwork(Box<str>),
    /// The client holds a certificate that a network names which may relay.
    TrustedCertificate(Box<str>),
    /// The client is one of the peers that this listener is for.
    Peer(Box<str>),
    /// The client is none of the peers that this listener is for.
    NoPeer(Box<str>),
    /// The client is in a network of the site that may not relay.
    Network(Box<str>),
    /// Nothing is known of the client.
    Anonymous,
    /// The sender is the user's own mailbox.
    OwnMailbox,
    /// The site lets this user send as that address.
    MaySendAs(Mailbox),
    /// Nothing lets the user send as that address.
    MayNotSendAs(Mailbox),
    /// The check of the sender's domain, and what DNS said.
    SenderDomain(Domain, &'static str),
    /// What the SPF check of the sender's domain said.
    Spf(SpfResult),
    /// What DMARC said of the author's domain.
    Dmarc(DmarcFact),
    /// What the ARC chain came to.
    Arc(ArcFact),
    /// Where a message is put that is set aside.
    Quarantined(Quarantine),
    /// A network that the client is in is spared a check.
    Spared(Box<str>, Check),
    /// What the client did before.
    Reputation(ReputationFact),
    /// How the client greeted, and whether that is a full host name.
    Helo(Box<str>, bool),
    /// The check of the name that it greeted with, and what DNS said.
    HeloDomain(Domain, &'static str),
    /// A list knows the client, and this is what that counts.
    Listed(Listing, i32),
    /// What all lists come to, and what is too much.
    ListSum(i32, i32),
    /// A list says that the client is welcome, so that it is not greylisted.
    Welcome(Domain),
    /// Whether the client was here before with this sender and recipient.
    Greylist(GreylistFact),
    /// This key of this domain signs.
    Signer(Domain, Selector),
    /// Every way that the message takes leads over a relay that signs.
    RelaySigns,
    /// No domain of the author's has a key that signs.
    NoSigner,
    /// The domain is the site's.
    Domain(Domain, DomainClass),
    /// The domain is not the site's.
    Elsewhere(Box<str>),
    /// The recipient is a mailbox.
    Mailbox(Mailbox),
    /// The recipient is an alias of so many targets.
    Alias(Mailbox, usize),
    /// The recipient is sent on to so many addresses elsewhere.
    Forward(Mailbox, usize),
    /// The recipient is a mailing list's.
    List(Mailbox),
    /// Whoever hears of bounces of an alias.
    Owner(Mailbox),
    /// This step turned the address in that place into another.
    Rewritten(&'static str, Slot, Mailbox, Mailbox),
    /// A copy for an archive.
    Archive(Mailbox),
    /// The sender is one of this site on the way out (SRS).
    Srs(Domain),
    /// The sender needs no SRS: it is of a domain of the site.
    OwnSender(Mailbox),
    /// A bounce of forwarded mail, and whether its address is one that we gave.
    SrsBounce(Mailbox, &'static str),
    /// The part after the delimiter was set aside.
    Detail(Box<str>),
    /// A pattern rewrote the address.
    Pattern(Box<str>, Mailbox),
    /// The host behind a relay domain has it.
    Relayed(Mailbox),
    /// The domain's catch-all took it.
    CatchAll(Mailbox),
    /// The site's postmaster took it (RFC 5321 4.5.1).
    Postmaster(Mailbox),
    /// The same name in another domain.
    AliasDomain(Mailbox),
    /// Nobody has this address.
    NoSuchAddress(Mailbox),
    /// A route matched.
    Route(Box<str>),
    /// No route matched.
    NoRoute,
    /// A transport takes it.
    Transport(Box<str>),
    /// The store failed.
    LookupFailed(Box<str>),
}

impl Trace {
    pub(super) fn push(&mut self, kind: StepKind, origin: Origin) {
        if self.0.len() < TRACE_LIMIT {
            self.0.push(Step { kind, origin });
        }
    }

    pub(super) fn push_default(&mut self, kind: StepKind) {
        self.push(kind, Origin::DEFAULT);
    }

    /// The steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// What lists say of the client, as far as it counted: `zen.spamhaus.org=127.0.0.2`, several with blanks between them.
    pub fn listings(&self) -> Option<String> {
        let listing = |step: &Step| match &step.kind {
            StepKind::Listed(listing, _) => Some(listing.to_string()),
            _ => None,
        };
        let found: Vec<String> = self.0.iter().filter_map(listing).collect();
        if found.is_empty() { None } else { Some(found.join(" ")) }
    }

    /// The line behind the last step that has one: what a log names as the cause.
    pub fn cause(&self) -> Origin {
        self.0.iter().rev().map(|step| step.origin).find(|origin| !origin.is_default()).unwrap_or(Origin::DEFAULT)
    }
}

impl Step {
    /// `recipient is a mailbox alice@example.com  (site.kdl:7)`; no parentheses where no source said so.
    pub fn describe(&self, sources: &Sources) -> String {
        if self.origin.is_default() {
            self.kind.to_string()
        } else {
            format!("{}  ({})", self.kind, sources.describe(self.origin))
        }
    }
}

impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StepKind::Listener(name, kind) => write!(f, "listener {name} is of kind {kind}"),
            StepKind::UnknownListener(name) => write!(f, "listener {name} is not in this site"),
            StepKind::Plaintext(name) => write!(f, "listener {name} wants TLS, and the session has none"),
            StepKind::Local(name) => write!(f, "client is a program of {name} on this host"),
            StepKind::User(name) => write!(f, "client is logged in as {name}"),
            StepKind::TrustedNetwork(name) => write!(f, "client is in network {name}, which may relay"),
            StepKind::TrustedCertificate(name) => write!(f, "client holds a certificate of network {name}, which may relay"),
            StepKind::Peer(name) => write!(f, "client is a peer of listener {name}, and gives back what was taken before"),
            StepKind::NoPeer(name) => write!(f, "client is no peer of listener {name}"),
            StepKind::Network(name) => write!(f, "client is in network {name}, which may not relay"),
            StepKind::Anonymous => f.write_str("client is anonymous: no login, no network of the site"),
            StepKind::OwnMailbox => f.write_str("sender is the user's own mailbox"),
            StepKind::MaySendAs(mailbox) => write!(f, "user may send as {mailbox}"),
            StepKind::MayNotSendAs(mailbox) => write!(f, "nothing lets the user send as {mailbox}"),
            StepKind::SenderDomain(domain, found) => write!(f, "sender domain {domain}: {found}"),
            StepKind::Spf(result) => write!(f, "SPF: {result}"),
            StepKind::Dmarc(fact) => write!(f, "DMARC: {fact}"),
            StepKind::Arc(ArcFact::Vouched) => f.write_str("ARC: a sealer that the site trusts vouches for it"),
            StepKind::Arc(ArcFact::Unvouched) => f.write_str("ARC: nobody that the site trusts vouches for it"),
            StepKind::Quarantined(Quarantine::Hold) => f.write_str("quarantine: it is held in the queue"),
            StepKind::Quarantined(Quarantine::Mark) => f.write_str("quarantine: it is marked and delivered"),
            StepKind::Quarantined(Quarantine::To(mailbox)) => write!(f, "quarantine: {mailbox} gets it, and nobody else"),
            StepKind::Spared(network, check) => write!(f, "network {network} is spared {}", check.as_str()),
            StepKind::Reputation(fact) => write!(f, "reputation: {}", fact.as_str()),
            StepKind::Helo(helo, true) => write!(f, "client greeted as {}", helo.escape_debug()),
            StepKind::Helo(helo, false) => write!(f, "client greeted as {}, which is no full host name", helo.escape_debug()),
            StepKind::HeloDomain(domain, found) => write!(f, "host name of the greeting {domain}: {found}"),
            StepKind::Listed(listing, weight) => {
                write!(f, "{} says {} of the client, which counts {weight}", listing.zone, listing.code)
            }
            StepKind::ListSum(sum, threshold) => write!(f, "lists come to {sum}, and {threshold} is too much"),
            StepKind::Welcome(zone) => write!(f, "{zone} knows the client as welcome: no greylisting"),
            StepKind::Greylist(fact) => write!(f, "greylist: {}", fact.as_str()),
            StepKind::Signer(domain, selector) => write!(f, "key {selector} of {domain} signs"),
            StepKind::RelaySigns => f.write_str("every relay on its way signs itself"),
            StepKind::NoSigner => f.write_str("the author's domain has no key that signs"),
            StepKind::Domain(domain, class) => write!(f, "domain {domain} is of class {class}"),
            StepKind::Elsewhere(host) => write!(f, "{host} is no domain of this site"),
            StepKind::Mailbox(mailbox) => write!(f, "{mailbox} is a mailbox"),
            StepKind::Alias(mailbox, targets) => {
                write!(f, "{mailbox} is an alias of {targets} address{}", if *targets == 1 { "" } else { "es" })
            }
            StepKind::Forward(mailbox, targets) => {
                write!(f, "{mailbox} is sent on to {targets} address{}", if *targets == 1 { "" } else { "es" })
            }
            StepKind::List(mailbox) => write!(f, "{mailbox} is a mailing list's"),
            StepKind::Owner(mailbox) => write!(f, "{mailbox} hears of bounces instead of the sender"),
            StepKind::Rewritten(step, slot, from, to) => write!(f, "{step}: {slot} {from} becomes {to}"),
            StepKind::Archive(mailbox) => write!(f, "archive {mailbox} gets a copy"),
            StepKind::Srs(domain) => write!(f, "leaves with a sender of {domain} (SRS)"),
            StepKind::OwnSender(mailbox) => write!(f, "sender {mailbox} is of this site, whose SPF record covers it: no SRS"),
            StepKind::SrsBounce(mailbox, found) => write!(f, "bounce address {mailbox}: {found}"),
            StepKind::Detail(detail) => write!(f, "detail {detail} set aside"),
            StepKind::Pattern(expression, mailbox) => write!(f, "pattern {expression} makes it {mailbox}"),
            StepKind::CatchAll(mailbox) => write!(f, "catch-all {mailbox} takes it"),
            StepKind::Relayed(mailbox) => write!(f, "{mailbox} is an address of the host behind us"),
            StepKind::Postmaster(mailbox) => write!(f, "postmaster {mailbox} takes it"),
            StepKind::AliasDomain(mailbox) => write!(f, "alias domain makes it {mailbox}"),
            StepKind::NoSuchAddress(mailbox) => write!(f, "nobody has the address {mailbox}"),
            StepKind::Route(via) => write!(f, "route leads via {via}"),
            StepKind::NoRoute => f.write_str("no route matches"),
            StepKind::Transport(name) => write!(f, "transport {name} takes it"),
            StepKind::LookupFailed(why) => write!(f, "the snapshot could not be read: {why}"),
        }
    }
}
