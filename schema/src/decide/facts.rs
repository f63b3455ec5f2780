//! The facts that decisions start from, and those that they may ask for.

use super::{ScreenFacts, StepKind, Trace};
use crate::name::{Domain, ForwardPath, Mailbox, ReversePath};
use crate::record::DmarcPolicy;
use crate::site::{Fingerprint, Listener, Network, Site};
use crate::spf::SpfResult;
use crate::srs::SrsAddress;
use std::fmt;
use std::net::IpAddr;

/// What stands for the listener of mail that a program of this host handed in by sendmail(1). The site has none of that name.
pub const LOCAL_LISTENER: &str = "sendmail(1)";

/// Who is on the other end of a session.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// The name of the listener that it came in by.
    pub listener: &'a str,
    /// Its address.
    pub address: IpAddr,
    /// Its login name, once it has logged in; of a program of this host, the name of its user.
    pub user: Option<&'a str>,
    /// The fingerprints of the certificate that it has shown to hold; none: it has shown none.
    pub certificate: &'a [Fingerprint],
}

/// What is known when MAIL is decided.
#[derive(Clone, Copy, Debug)]
pub struct SenderFacts<'a> {
    /// Who sends.
    pub client: Client<'a>,
    /// Whether its session is protected by TLS.
    pub is_tls: bool,
    /// What it says that it sends as.
    pub reverse_path: &'a ReversePath,
    /// The answer to [`Need::SenderDomain`], once it is known.
    pub sender_domain: Option<SenderDomain>,
    /// The answer to [`Need::Spf`], once it is known.
    pub spf: Option<SpfResult>,
}

/// What is known when a whole message has come in, before it is taken.
#[derive(Clone, Copy, Debug)]
pub struct ContentFacts<'a> {
    /// Who sends.
    pub client: Client<'a>,
    /// Every address in its From fields; `None` for one that is none.
    pub authors: &'a [Option<Mailbox>],
    /// The answer to [`Need::Spf`], once it is known.
    pub spf: Option<SpfResult>,
    /// The answer to [`Need::Dmarc`], once it is known.
    pub dmarc: Option<DmarcFact>,
    /// The answer to [`Need::Arc`], once it is known.
    pub arc: Option<ArcFact>,
}

/// What is known when RCPT is decided.
#[derive(Clone, Copy, Debug)]
pub struct RecipientFacts<'a> {
    /// Who sends.
    pub client: Client<'a>,
    /// The accepted reverse-path.
    pub reverse_path: &'a ReversePath,
    /// The recipient in question.
    pub forward_path: &'a ForwardPath,
    /// What else is known of the client.
    pub screen: ScreenFacts<'a>,
    /// The answer to [`Need::Srs`], once it is known.
    pub srs: Option<&'a SrsFact>,
}

/// A fact that has to be fetched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Need {
    /// Whether the domain could take a bounce: it has an MX or an address (RFC 5321 5.1), and no null MX (RFC 7505).
    SenderDomain(Domain),
    /// Whether the client may send for the domain of the reverse-path (RFC 7208).
    Spf,
    /// What the author's domain asks for, and whether anybody vouches for it (RFC 9989).
    Dmarc,
    /// Whether somebody whom the site trusts vouches for what the message was before it was changed (RFC 8617).
    Arc,
    /// What the client said in EHLO or HELO.
    Helo,
    /// Whether DNS knows the name that it said.
    HeloDomain(Domain),
    /// What the lists of the site say of the client (RFC 5782).
    Lists,
    /// Whether the client, the sender and the recipient were seen before (RFC 6647).
    Greylist,
    /// Whether the client did too much of late that went wrong.
    Reputation,
    /// Whose mail this bounce address was made for, if it was made here ([`crate::srs`]).
    Srs(Mailbox),
}

/// What a bounce address of forwarded mail comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SrsFact {
    /// It is good, and its bounce goes there.
    Good(Mailbox),
    /// It was never given.
    Forged,
    /// It was given too long ago.
    Expired,
    /// The secrets cannot be read.
    Unknown,
}

impl SrsFact {
    /// The words of test blocks and `explain`.
    pub const WORDS: [&'static str; 4] = ["good", "forged", "expired", "unknown"];

    /// The word of test blocks and `explain`.
    pub fn as_str(&self) -> &'static str {
        match self {
            SrsFact::Good(_) => "good",
            SrsFact::Forged => "forged",
            SrsFact::Expired => "expired",
            SrsFact::Unknown => "unknown",
        }
    }

    /// Reads the word; an address that is good is taken for what it says.
    pub fn parse(word: &str, address: &Mailbox) -> Option<SrsFact> {
        match word {
            "good" => SrsAddress::parse(address.local.as_str())?.bounce_to().map(SrsFact::Good),
            "forged" => Some(SrsFact::Forged),
            "expired" => Some(SrsFact::Expired),
            "unknown" => Some(SrsFact::Unknown),
            _ => None,
        }
    }
}

/// What DMARC comes to for one message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DmarcFact {
    /// The author's domain has no record, or the message has no author.
    None,
    /// Somebody vouches for the author's domain.
    Pass,
    /// Nobody does, and this is what the domain asks for.
    Fail(DmarcPolicy),
    /// DNS failed.
    TempError,
    /// The record is wrong.
    PermError,
}

impl DmarcFact {
    /// Every value.
    pub const ALL: [DmarcFact; 7] = [
        DmarcFact::None,
        DmarcFact::Pass,
        DmarcFact::Fail(DmarcPolicy::None),
        DmarcFact::Fail(DmarcPolicy::Quarantine),
        DmarcFact::Fail(DmarcPolicy::Reject),
        DmarcFact::TempError,
        DmarcFact::PermError,
    ];

    /// The word of test blocks and `explain`.
    pub fn as_str(self) -> &'static str {
        match self {
            DmarcFact::None => "none",
            DmarcFact::Pass => "pass",
            DmarcFact::Fail(DmarcPolicy::None) => "fail-none",
            DmarcFact::Fail(DmarcPolicy::Quarantine) => "fail-quarantine",
            DmarcFact::Fail(DmarcPolicy::Reject) => "fail-reject",
            DmarcFact::TempError => "temperror",
            DmarcFact::PermError => "permerror",
        }
    }

    /// Reads the word of test blocks and `explain`.
    pub fn parse(word: &str) -> Option<DmarcFact> {
        DmarcFact::ALL.into_iter().find(|value| value.as_str() == word)
    }
}

impl fmt::Display for DmarcFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the ARC chain of a message comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArcFact {
    /// It holds, and one of its sealers whom the site trusts says that the message was authentic.
    Vouched,
    /// There is none, or it is broken, or nobody says so whom the site trusts.
    Unvouched,
}

impl ArcFact {
    /// Every value.
    pub const ALL: [ArcFact; 2] = [ArcFact::Vouched, ArcFact::Unvouched];

    /// The word of test blocks and `explain`.
    pub fn as_str(self) -> &'static str {
        match self {
            ArcFact::Vouched => "vouched",
            ArcFact::Unvouched => "none",
        }
    }

    /// Reads the word of test blocks and `explain`.
    pub fn parse(word: &str) -> Option<ArcFact> {
        ArcFact::ALL.into_iter().find(|value| value.as_str() == word)
    }
}

/// What DNS says of a sender's domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SenderDomain {
    /// It has an MX, or an address.
    Found,
    /// Neither: no such name, or a name without both.
    Nonexistent,
    /// A null MX (RFC 7505): it takes no mail, so it may not send any (RFC 7505 4.2).
    NullMx,
    /// No answer, or a broken one.
    Failed,
}

impl SenderDomain {
    /// Every value.
    pub const ALL: [SenderDomain; 4] =
        [SenderDomain::Found, SenderDomain::Nonexistent, SenderDomain::NullMx, SenderDomain::Failed];

    /// The word of test blocks and `explain`.
    pub fn as_str(self) -> &'static str {
        match self {
            SenderDomain::Found => "found",
            SenderDomain::Nonexistent => "nonexistent",
            SenderDomain::NullMx => "null-mx",
            SenderDomain::Failed => "failed",
        }
    }

    /// Reads the word of test blocks and `explain`.
    pub fn parse(word: &str) -> Option<SenderDomain> {
        SenderDomain::ALL.into_iter().find(|value| value.as_str() == word)
    }
}

/// What a client may do, by who it is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum ClientClass<'a> {
    /// Logged in.
    User(&'a str),
    /// A program of this host.
    Local,
    /// In a network that may relay.
    Trusted(&'a Network),
    /// The holder of a certificate that such a network names.
    Certified(&'a Network),
    /// A content filter or another MTA that the listener is for: what it hands in was taken before.
    Peer(&'a Listener),
    /// Anybody.
    Anonymous,
}

impl<'a> Client<'a> {
    /// Whether nothing is known of the client: no login, no network that may relay.
    pub fn is_stranger(self, site: &Site) -> bool {
        matches!(self.classify(site, &mut Trace::default()), ClientClass::Anonymous)
    }

    /// Whether it is a peer of a listener for such: its mail was judged, rewritten and signed before.
    pub fn is_peer(self, site: &Site) -> bool {
        matches!(self.classify(site, &mut Trace::default()), ClientClass::Peer(_))
    }

    /// Whether it may use its listener. Asked when it connects, and again by every decision, since a reload may come between.
    pub fn is_admitted(self, site: &Site) -> bool {
        site.listener(self.listener).is_none_or(|listener| listener.admits(self.address))
    }

    /// Whether it is a program of this host. A site that gives a listener that name has no such mail.
    pub fn is_local(self, site: &Site) -> bool {
        self.listener == LOCAL_LISTENER && site.listener(LOCAL_LISTENER).is_none()
    }

    /// The class of the client, with the steps that show it.
    pub(super) fn classify(self, site: &'a Site, trace: &mut Trace) -> ClientClass<'a> {
        if self.is_local(site) {
            trace.push_default(StepKind::Local(self.user.unwrap_or_default().into()));
            return ClientClass::Local;
        }
        if let Some(listener) = site.listener(self.listener).filter(|listener| listener.kind.is_for_peers()) {
            trace.push(StepKind::Peer(listener.name.clone()), listener.origin);
            return ClientClass::Peer(listener);
        }
        if let Some(user) = self.user {
            trace.push_default(StepKind::User(user.into()));
            return ClientClass::User(user);
        }
        if let Some(network) = site.certified(self.certificate).filter(|network| network.relay) {
            trace.push(StepKind::TrustedCertificate(network.name.clone()), network.origin);
            return ClientClass::Certified(network);
        }
        match site.network(self.address) {
            Some(network) if network.relay => {
                trace.push(StepKind::TrustedNetwork(network.name.clone()), network.origin);
                ClientClass::Trusted(network)
            }
            Some(network) => {
                trace.push(StepKind::Network(network.name.clone()), network.origin);
                ClientClass::Anonymous
            }
            None => {
                trace.push_default(StepKind::Anonymous);
                ClientClass::Anonymous
            }
        }
    }
}
