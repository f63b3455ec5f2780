//! The facts that decisions start from, and those that they may ask for.

use super::{StepKind, Trace};
use crate::name::{Domain, ForwardPath, ReversePath};
use crate::site::{Network, Site};
use std::net::IpAddr;

/// Who is on the other end of a session.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// The name of the listener that it came in by.
    pub listener: &'a str,
    /// Its address.
    pub address: IpAddr,
    /// Its login name, once it has logged in.
    pub user: Option<&'a str>,
}

/// What is known when MAIL is decided.
#[derive(Clone, Copy, Debug)]
pub struct SenderFacts<'a> {
    /// Who sends.
    pub client: Client<'a>,
    /// What it says that it sends as.
    pub reverse_path: &'a ReversePath,
    /// The answer to [`Need::SenderDomain`], once it is known.
    pub sender_domain: Option<SenderDomain>,
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
}

/// A fact that has to be fetched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Need {
    /// Whether the domain could take a bounce: it has an MX or an address (RFC 5321 5.1), and no null MX (RFC 7505).
    SenderDomain(Domain),
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
    /// In a network that may relay.
    Trusted(&'a Network),
    /// Anybody.
    Anonymous,
}

impl<'a> Client<'a> {
    /// The class of the client, with the steps that show it.
    pub(super) fn classify(self, site: &'a Site, trace: &mut Trace) -> ClientClass<'a> {
        if let Some(user) = self.user {
            trace.push_default(StepKind::User(user.into()));
            return ClientClass::User(user);
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
