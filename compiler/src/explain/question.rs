//! What `explain` and `test` blocks ask: one client, one envelope, and the facts that the daemon would have to find out.

use crate::standing::are_aligned;
use postern_schema::decide::{ArcFact, DmarcFact, GreylistFact, Listing, Lookup, ReputationFact, SenderDomain, TlsWish};
use postern_schema::name::{Domain, ForwardPath, HostName, Mailbox, ReversePath};
use postern_schema::record::DmarcPolicy;
use postern_schema::site::{Fingerprint, ListenerKind, Site};
use postern_schema::spf::SpfResult;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

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
    /// Whether a signature of the author's domain holds; with `policy`, what `dmarc` follows from.
    pub dkim: Option<bool>,
    /// What the author's domain asks for.
    pub policy: Option<AuthorPolicy>,
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
    /// How long ago it came first with this envelope, which says where it stands without `greylist`.
    pub waited: Option<Duration>,
    /// What the client did before.
    pub reputation: Option<ReputationFact>,
    /// What the forward-path is as a bounce address of forwarded mail, for sites that have such; one of [`SrsFact::WORDS`].
    pub srs: Option<String>,
}

/// What the DMARC record of an author's domain asks for where nobody vouches for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AuthorPolicy {
    /// It has none.
    NoRecord,
    /// Its policy.
    Asks(DmarcPolicy),
}

impl AuthorPolicy {
    /// Every value.
    pub const ALL: [AuthorPolicy; 4] = [
        AuthorPolicy::NoRecord,
        AuthorPolicy::Asks(DmarcPolicy::None),
        AuthorPolicy::Asks(DmarcPolicy::Quarantine),
        AuthorPolicy::Asks(DmarcPolicy::Reject),
    ];

    /// The word of test blocks and `explain`.
    pub fn as_str(self) -> &'static str {
        match self {
            AuthorPolicy::NoRecord => "no-record",
            AuthorPolicy::Asks(DmarcPolicy::None) => "none",
            AuthorPolicy::Asks(DmarcPolicy::Quarantine) => "quarantine",
            AuthorPolicy::Asks(DmarcPolicy::Reject) => "reject",
        }
    }

    /// Reads the word of test blocks and `explain`.
    pub fn parse(word: &str) -> Option<AuthorPolicy> {
        AuthorPolicy::ALL.into_iter().find(|value| value.as_str() == word)
    }
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
    /// A stranger's, over TLS, without any fact.
    pub fn new(from: ReversePath, to: ForwardPath) -> Question {
        Question {
            client: None,
            user: None,
            certificate: None,
            listener: None,
            is_tls: true,
            from,
            to,
            tls_wish: TlsWish::Default,
            sender_domain: None,
            spf: None,
            dmarc: None,
            dkim: None,
            policy: None,
            arc: None,
            author: None,
            helo: None,
            helo_domain: None,
            lists: None,
            greylist: None,
            waited: None,
            reputation: None,
            srs: None,
        }
    }

    /// The same, where whatever else may be asked speaks for the client. What it says in EHLO is a name that nobody has.
    pub fn or_good(self) -> Question {
        let follows = self.dkim.is_some() || self.policy.is_some();
        Question {
            sender_domain: self.sender_domain.or(Some(SenderDomain::Found)),
            spf: self.spf.or(Some(SpfResult::Pass)),
            dmarc: self.dmarc.or((!follows).then_some(DmarcFact::Pass)),
            arc: self.arc.or(Some(ArcFact::Unvouched)),
            helo: self.helo.or_else(|| Some("mx.example.net".to_owned())),
            helo_domain: self.helo_domain.or(Some(SenderDomain::Found)),
            lists: self.lists.or_else(|| Some(Vec::new())),
            greylist: self.greylist.or(self.waited.is_none().then_some(GreylistFact::Passed)),
            reputation: self.reputation.or(Some(ReputationFact::Good)),
            srs: self.srs.or_else(|| Some("good".to_owned())),
            ..self
        }
    }

    /// The same with what follows from its facts: where the client stands with the greylist from how long it has waited, and what DMARC
    /// comes to from DKIM, SPF and the policy of the author's domain.
    pub(super) fn settled(&self, lookup: &dyn Lookup) -> Question {
        let by_the_clock = || Some(GreylistFact::after(self.waited?, lookup.site().screen.greylist.as_ref()?));
        let (greylist, dmarc) = (self.greylist.or_else(by_the_clock), self.dmarc.or_else(|| self.judged(lookup)));
        Question { greylist, dmarc, ..self.clone() }
    }

    /// RFC 9989 5.3: one of the two that vouches for the author's domain is enough. `None` as long as something is not said.
    fn judged(&self, lookup: &dyn Lookup) -> Option<DmarcFact> {
        let is_signed = self.dkim?;
        let Some(author) = author(self) else { return Some(DmarcFact::None) };
        let is_vouched = is_signed
            || match self.from.mailbox().and_then(Mailbox::domain) {
                Some(sender) => self.spf? == SpfResult::Pass && are_aligned(sender, &author, lookup).ok()?,
                None => false,
            };
        match self.policy? {
            AuthorPolicy::NoRecord => Some(DmarcFact::None),
            AuthorPolicy::Asks(_) if is_vouched => Some(DmarcFact::Pass),
            AuthorPolicy::Asks(policy) => Some(DmarcFact::Fail(policy)),
        }
    }

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
