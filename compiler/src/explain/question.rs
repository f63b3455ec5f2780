//! What `explain` and `test` blocks ask: one client, one envelope, and the facts that the daemon would have to find out.

use postern_schema::decide::{ArcFact, DmarcFact, GreylistFact, Listing, ReputationFact, SenderDomain, TlsWish};
use postern_schema::name::{Domain, ForwardPath, HostName, Mailbox, ReversePath};
use postern_schema::site::{Fingerprint, ListenerKind, Site};
use postern_schema::spf::SpfResult;
use std::net::{IpAddr, Ipv4Addr};

/// What is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    /// The client's address; `None`: one that the site says nothing of.
    pub client: Option<IpAddr>,
    /// The client's login name.
    pub user: Option<String>,
    /// The certificate that the client has shown to hold.
    pub certificate: Option<Fingerprint>,
    /// The listener's name; `None`: the one that such a client uses.
    pub listener: Option<String>,
    /// Whether the session is protected by TLS.
    pub is_tls: bool,
    /// The reverse-path.
    pub from: ReversePath,
    /// The forward-path.
    pub to: ForwardPath,
    /// What the sender asks of TLS on the way.
    pub tls_wish: TlsWish,
    /// What DNS says of the sender's domain, for sites that ask.
    pub sender_domain: Option<SenderDomain>,
    /// What the SPF check says, for sites that refuse by it.
    pub spf: Option<SpfResult>,
    /// What DMARC comes to, for sites that honour it.
    pub dmarc: Option<DmarcFact>,
    /// What the ARC chain comes to, for sites that trust sealers.
    pub arc: Option<ArcFact>,
    /// The domain in the From field; `None`: that of the reverse-path.
    pub author: Option<Domain>,
    /// What the client says in EHLO, for sites that look at it.
    pub helo: Option<String>,
    /// What DNS says of that name.
    pub helo_domain: Option<SenderDomain>,
    /// What lists say of the client; an empty list: nothing.
    pub lists: Option<Vec<Listing>>,
    /// Where the client stands with the greylist.
    pub greylist: Option<GreylistFact>,
    /// What the client did before.
    pub reputation: Option<ReputationFact>,
    /// What the forward-path is as a bounce address of forwarded mail, for sites that have such; one of [`SrsFact::WORDS`].
    pub srs: Option<String>,
}

/// Why nothing could be asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum QuestionError {
    /// No listener has this name; the names that there are.
    UnknownListener(String, Vec<String>),
    /// The client has logged in, and no listener takes logins.
    NoSubmissionListener,
    /// The site listens on nothing.
    NoListener,
}

impl std::fmt::Display for QuestionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            QuestionError::UnknownListener(name, known) if known.is_empty() => {
                write!(f, "there is no listener {name:?}: the site has none")
            }
            QuestionError::UnknownListener(name, known) => {
                write!(f, "there is no listener {name:?}: the site has {}", known.join(", "))
            }
            QuestionError::NoSubmissionListener => {
                f.write_str("no listener takes logins: declare `listen \"submissions\"`, or leave the user out")
            }
            QuestionError::NoListener => f.write_str("the site listens on nothing: declare `listen \"mx\"`"),
        }
    }
}

impl std::error::Error for QuestionError {}

impl Question {
    /// The listener that is meant: the one named; else, for a logged-in client, the first that takes logins; else the first of
    /// kind `mx`.
    pub(super) fn listener<'a>(&'a self, site: &'a Site) -> Result<&'a str, QuestionError> {
        if let Some(name) = &self.listener {
            let known = || site.listeners.iter().map(|listener| listener.name.to_string()).collect();
            let found = site.listener(name).map(|listener| &*listener.name);
            return found.ok_or_else(|| QuestionError::UnknownListener(name.clone(), known()));
        }
        let first = |wanted: &dyn Fn(ListenerKind) -> bool| site.listeners.iter().find(|listener| wanted(listener.kind));
        let found = if self.user.is_some() {
            first(&ListenerKind::requires_login).ok_or(QuestionError::NoSubmissionListener)?
        } else {
            first(&|kind| kind == ListenerKind::Mx).or_else(|| site.listeners.first()).ok_or(QuestionError::NoListener)?
        };
        Ok(&found.name)
    }
}

/// An address that is in no network of the site: a stranger.
pub fn stranger(site: &Site) -> IpAddr {
    // The three documentation networks (RFC 5737), then the whole of 198.18.0.0/15, which no site hears from (RFC 2544).
    let documentation = [[198, 51, 100, 99], [203, 0, 113, 99], [192, 0, 2, 99]].map(Ipv4Addr::from);
    let benchmark = (1..=255).map(|last| Ipv4Addr::new(198, 18, 0, last));
    let candidates = documentation.into_iter().chain(benchmark).map(IpAddr::V4);
    candidates.into_iter().find(|address| site.network(*address).is_none()).unwrap_or(IpAddr::V4(documentation[0]))
}

/// The domain in From, as far as the question says.
pub(super) fn author(question: &Question) -> Option<Domain> {
    question.author.clone().or_else(|| question.from.mailbox().and_then(Mailbox::domain).cloned())
}

/// The address in From: that of the sender, in the author's domain where the question names one.
pub(super) fn author_mailbox(question: &Question) -> Option<Mailbox> {
    let sender = question.from.mailbox()?;
    let host = question.author.clone().map_or_else(|| sender.host.clone(), HostName::Domain);
    Some(Mailbox::new(sender.local.clone(), host))
}
