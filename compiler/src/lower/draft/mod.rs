//! The site as its author wrote it: every value typed, every name resolved, every default filled in, and every piece with its
//! place. This is what the rules read; [`crate::model::Model`] is what remains when the places are dropped.
//!
//! A draft is made even from a site with errors, so that one run shows everything. Where a value was wrong or missing, a
//! stand-in takes its place and [`Gaps`] says which part of the site is not to be trusted.

mod arc;
mod domain;
mod gaps;
mod model;
mod planned;
mod publication;
mod report;
mod rewriting;
mod screen;
mod service;

pub use arc::ArcDraft;
pub use domain::{DomainDraft, PatternDraft, SignerDraft, SigningDates};
pub use gaps::{Gaps, Part};
pub use planned::{FilterDraft, FilterProtocol, Flow, PlannedDraft, PolicyDraft};
pub use publication::PublicationDraft;
pub use report::ReportsDraft;
pub use rewriting::{ArchiveDraft, MasqueradeDraft, RewriteDraft, RewritingDraft, SrsDraft};
pub use screen::{GreylistDraft, LimitDraft, ListDraft, ReputationDraft, ScreenDraft};
pub use service::{
    AcmeDraft, CertificateDraft, ListenerDraft, LoginDraft, NetworkDraft, ReceiverDraft, RelayDraft, RouteDraft, SendAsDraft,
    TlsDraft, TransportDraft, UsersDraft, WebDraft,
};

use crate::addresses::AddressBook;
use crate::rules::chk::Checker;
use crate::sitetest::TestDraft;
use crate::source::{SourceId, Span, Spanned};
use postern_schema::name::{Domain, Mailbox};
use postern_schema::site::{HeaderChange, Language, LogFormat, NoticeClass, Service};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// A value that has a default.
#[derive(Clone, PartialEq, Debug)]
pub struct Setting<T> {
    /// The value in force.
    pub value: T,
    /// Where it was said; `None`: it is the default.
    pub span: Option<Span>,
}

impl<T> Setting<T> {
    /// A value that nobody said.
    pub fn default_of(value: T) -> Setting<T> {
        Setting { value, span: None }
    }

    /// What was said, or else the default.
    pub fn new(said: Option<Spanned<T>>, default: T) -> Setting<T> {
        match said {
            Some(said) => Setting { value: said.value, span: Some(said.span) },
            None => Setting::default_of(default),
        }
    }

    /// The value with its place, if somebody said it.
    pub fn said(&self) -> Option<Spanned<&T>> {
        self.span.map(|span| Spanned::new(&self.value, span))
    }
}

/// A site with places.
#[derive(Clone, Debug)]
pub struct SiteDraft {
    /// The host itself.
    pub host: HostDraft,
    /// `tls`.
    pub tls: TlsDraft,
    /// `listen`, in source order.
    pub listeners: Vec<ListenerDraft>,
    /// `listen` of kind `web`, in source order; a rule refuses the second.
    pub web: Vec<WebDraft>,
    /// `network`, in source order.
    pub networks: Vec<NetworkDraft>,
    /// `users`, in source order.
    pub users: Vec<UsersDraft>,
    /// `transport`, in source order; a built-in one has no place.
    pub transports: Vec<TransportDraft>,
    /// `relay`, in source order.
    pub relays: Vec<RelayDraft>,
    /// `route`, in order of precedence.
    pub routes: Vec<RouteDraft>,
    /// `destination`, in source order.
    pub receivers: Vec<ReceiverDraft>,
    /// `domain` and `parked`: one entry for each name, in source order.
    pub domains: Vec<DomainDraft>,
    /// The addresses of every domain: `mailbox`, `alias`, and the rows of tables.
    pub addresses: Arc<AddressBook>,
    /// The tables that rows came from, in source order.
    pub tables: Vec<TableDraft>,
    /// The first source that is a table; those before it are site files.
    pub first_table: SourceId,
    /// `screen`.
    pub screen: ScreenDraft,
    /// `arc`.
    pub arc: ArcDraft,
    /// `queue`.
    pub queue: QueueDraft,
    /// `limits`.
    pub limits: LimitsDraft,
    /// `headers`, one for each change.
    pub headers: Vec<HeaderDraft>,
    /// `rewrite`, `masquerade`, `archive`, `srs`.
    pub rewriting: RewritingDraft,
    /// `log`.
    pub log_format: Setting<LogFormat>,
    /// `metrics`.
    pub metrics: Option<Spanned<SocketAddr>>,
    /// `reports`.
    pub reports: ReportsDraft,
    /// What the runtime does not serve yet.
    pub planned: PlannedDraft,
    /// `test`, in source order.
    pub tests: Vec<TestDraft>,
    /// What is not to be trusted, since it holds an error.
    pub gaps: Gaps,
}

/// A change of headers.
#[derive(Clone, Debug)]
pub struct HeaderDraft {
    /// What is done.
    pub change: Spanned<HeaderChange>,
    /// To which mail.
    pub at: Service,
}

/// `site`.
#[derive(Clone, Debug)]
pub struct HostDraft {
    /// The node; the start of the file where there is none.
    pub span: Span,
    /// `myhostname`.
    pub hostname: Setting<Domain>,
    /// `myorigin`.
    pub origin_domain: Setting<Domain>,
    /// Who reads mail to postmaster.
    pub postmaster: Setting<Mailbox>,
    /// What the postmaster is told of.
    pub notices: Setting<Vec<NoticeClass>>,
    /// Public addresses.
    pub addresses: Vec<Spanned<IpAddr>>,
    /// The DNS server that is asked.
    pub resolver: Option<Spanned<SocketAddr>>,
    /// Whose rules the site keeps besides our own.
    pub checkers: Vec<Spanned<Checker>>,
}

/// One table file: `mailboxes`, `aliases` or `routes` with its `file=`.
#[derive(Clone, Debug)]
pub struct TableDraft {
    /// Where the file is named.
    pub file: Span,
    /// The name of the node.
    pub node: &'static str,
    /// The file.
    pub source: SourceId,
    /// How many of its rows were taken.
    pub rows: usize,
}

/// `queue`.
#[derive(Clone, Debug)]
pub struct QueueDraft {
    /// The node.
    pub span: Option<Span>,
    /// The pause after the first failure.
    pub retry: Setting<Duration>,
    /// What each further pause is longer by, in hundredths.
    pub factor_percent: Setting<u32>,
    /// The longest pause.
    pub retry_cap: Setting<Duration>,
    /// How long a message may stay.
    pub lifetime: Setting<Duration>,
    /// How long a bounce may stay.
    pub bounce_lifetime: Setting<Duration>,
    /// When the sender is told that a message still waits.
    pub warn_after: Setting<Duration>,
    /// The language of notices.
    pub language: Setting<Language>,
}

/// `limits`.
#[derive(Clone, Debug)]
pub struct LimitsDraft {
    /// The node.
    pub span: Option<Span>,
    /// The largest message.
    pub message_octets: Setting<u64>,
    /// The most recipients of one transaction.
    pub recipients: Setting<u32>,
    /// The most Received fields.
    pub hops: Setting<u32>,
    /// What a mailbox holds that has no quota of its own.
    pub mailbox_octets: Option<Spanned<u64>>,
    /// Sessions at once.
    pub sessions: Setting<u32>,
    /// Whether VRFY is answered.
    pub vrfy: Setting<bool>,
}

impl SiteDraft {
    /// Whether the domain of that name has an address.
    pub fn has_addresses(&self, name: &Domain) -> bool {
        self.addresses.known_host(name.as_str()).is_some_and(|host| self.addresses.count_in(host) > 0)
    }

    /// The local or other domain of that name.
    pub fn domain(&self, name: &Domain) -> Option<&DomainDraft> {
        self.domains.iter().find(|domain| domain.name.value == *name)
    }

    /// The first domain of each `domain` and `parked` node: what a node says, it says of all of its names.
    pub fn domain_nodes(&self) -> impl Iterator<Item = &DomainDraft> {
        let mut last = None;
        self.domains.iter().filter(move |domain| last.replace(domain.span) != Some(domain.span))
    }

    /// The relay of that name.
    pub fn relay(&self, name: &str) -> Option<&RelayDraft> {
        self.relays.iter().find(|relay| &*relay.name.value == name)
    }

    /// The listeners that take mail from logged-in users only.
    pub fn submission_listeners(&self) -> impl Iterator<Item = &ListenerDraft> {
        self.listeners.iter().filter(|listener| listener.kind.value.requires_login())
    }
}
