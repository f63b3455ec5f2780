//! Draft of what a site has several of by name: listeners, networks, users, transports, relays, routes, certificates.

use super::Setting;
use crate::certificate::Certificate;
use crate::source::{Span, Spanned};
use ipnet::IpNet;
use postern_schema::name::{Domain, HostName, Mailbox};
use postern_schema::site::{
    Chain, Check, Fingerprint, ListenerKind, Rate, RoutePattern, SecretName, TlsLevel, TlsVersion, TransportKind, UserBackend,
    Via, WebUrl,
};
use std::net::IpAddr;
use std::time::Duration;

/// `listen`.
#[derive(Clone, Debug)]
pub struct ListenerDraft {
    /// The node.
    pub span: Span,
    /// Its name, unique.
    pub name: Spanned<Box<str>>,
    /// From `kind=`, or from the name.
    pub kind: Spanned<ListenerKind>,
    /// Addresses to bind; none where there is a socket.
    pub addresses: Vec<Setting<IpAddr>>,
    /// TCP port; 0 where there is a socket.
    pub port: Setting<u16>,
    /// The socket in the file system instead, by its path.
    pub socket: Option<Spanned<Box<str>>>,
    /// The only clients of a listener for peers; `None`: this host.
    pub peers: Option<Spanned<IpNet>>,
    /// Who sends PROXY headers.
    pub proxy_from: Option<Spanned<IpNet>>,
    /// Whose XCLIENT is believed.
    pub xclient_from: Option<Spanned<IpNet>>,
}

/// `listen` of kind `web`.
#[derive(Clone, Debug)]
pub struct WebDraft {
    /// The node.
    pub span: Span,
    /// Its name, unique among listeners.
    pub name: Spanned<Box<str>>,
    /// Addresses to bind; never empty.
    pub addresses: Vec<Setting<IpAddr>>,
    /// TCP port.
    pub port: Setting<u16>,
}

/// `network`.
#[derive(Clone, Debug)]
pub struct NetworkDraft {
    /// The node.
    pub span: Span,
    /// Its name, unique.
    pub name: Spanned<Box<str>>,
    /// Ranges with their host bits cleared.
    pub ranges: Vec<Spanned<IpNet>>,
    /// Fingerprints of members' certificates.
    pub certificates: Vec<Spanned<Fingerprint>>,
    /// Whether members may relay.
    pub relay: Setting<bool>,
    /// `exempt`: the checks that members are spared.
    pub exempt: Vec<Spanned<Check>>,
    /// Whether stray CR and LF of members are mended.
    pub mends_line_ends: Setting<bool>,
    /// Why it is trusted; may be empty.
    pub reason: Setting<Box<str>>,
}

/// `users`.
#[derive(Clone, Debug)]
pub struct UsersDraft {
    /// The node.
    pub span: Span,
    /// Its name, unique.
    pub name: Spanned<Box<str>>,
    /// Who knows the passwords.
    pub backend: Spanned<UserBackend>,
    /// `may-send-as`.
    pub send_as: Vec<SendAsDraft>,
    /// The most messages of one user in a time.
    pub messages: Option<Spanned<Rate>>,
    /// The most new recipients of one user in a time.
    pub new_recipients: Option<Spanned<Rate>>,
}

/// `may-send-as`.
#[derive(Clone, Debug)]
pub struct SendAsDraft {
    /// The node.
    pub span: Span,
    /// The login name.
    pub user: Spanned<Box<str>>,
    /// What the user may send as beyond the own mailbox.
    pub mailboxes: Vec<Spanned<Mailbox>>,
}

/// `transport`, or the built-in `store`.
#[derive(Clone, Debug)]
pub struct TransportDraft {
    /// The node; `None`: built in.
    pub span: Option<Span>,
    /// Its name, unique.
    pub name: Setting<Box<str>>,
    /// What it does.
    pub kind: TransportKind,
}

/// `relay`.
#[derive(Clone, Debug)]
pub struct RelayDraft {
    /// The node.
    pub span: Span,
    /// Its name, unique.
    pub name: Spanned<Box<str>>,
    /// The host.
    pub host: Spanned<HostName>,
    /// TCP port.
    pub port: Setting<u16>,
    /// The least protection.
    pub tls: Setting<TlsLevel>,
    /// How we log in there.
    pub login: Option<LoginDraft>,
    /// The most messages in a time.
    pub rate: Option<Spanned<Rate>>,
    /// The relay that takes over.
    pub backup: Option<Spanned<Box<str>>>,
    /// `spf-include`.
    pub spf_includes: Vec<Spanned<Domain>>,
    /// `signs-dkim`, where it is on.
    pub signs_dkim: Option<Span>,
}

/// `login` of a relay.
#[derive(Clone, Debug)]
pub struct LoginDraft {
    /// The node.
    pub span: Span,
    /// The user name.
    pub user: Spanned<Box<str>>,
    /// The credential that holds the password.
    pub secret: Spanned<SecretName>,
    /// It is an access token.
    pub bearer: bool,
}

/// `route`.
#[derive(Clone, Debug)]
pub struct RouteDraft {
    /// The node.
    pub span: Span,
    /// Which recipients.
    pub to: Setting<RoutePattern>,
    /// Which senders.
    pub from: Setting<RoutePattern>,
    /// Where the mail goes.
    pub via: Spanned<Via>,
    /// The least protection.
    pub tls: Option<Spanned<TlsLevel>>,
    /// The local addresses that connections leave from.
    pub from_address: Vec<Spanned<IpAddr>>,
}

/// `destination`.
#[derive(Clone, Debug)]
pub struct ReceiverDraft {
    /// The node.
    pub span: Span,
    /// The domain of the recipients.
    pub domain: Spanned<Domain>,
    /// The most connections at once.
    pub concurrency: Option<Spanned<u32>>,
    /// The most messages in a time.
    pub rate: Option<Spanned<Rate>>,
    /// How long it is left alone after it said not now.
    pub pause_after_defer: Option<Spanned<Duration>>,
}

/// `tls`.
#[derive(Clone, Debug, Default)]
pub struct TlsDraft {
    /// The node.
    pub span: Option<Span>,
    /// Certificates, the default one first.
    pub certificates: Vec<CertificateDraft>,
    /// `self-signed`.
    pub self_signed: Option<Span>,
    /// `acme`.
    pub acme: Option<AcmeDraft>,
    /// `minimum`.
    pub minimum: TlsVersion,
}

/// `certificate`.
#[derive(Clone, Debug)]
pub struct CertificateDraft {
    /// The node.
    pub span: Span,
    /// The host name that it is for.
    pub name: Spanned<Domain>,
    /// The chain; its place is that of the file name or credential name.
    pub chain: Spanned<Chain>,
    /// What stands in the chain, leaf first; empty where it is a credential.
    pub parsed: Vec<Certificate>,
    /// The credential that holds the key.
    pub key: Spanned<SecretName>,
}

/// `acme`.
#[derive(Clone, Debug)]
pub struct AcmeDraft {
    /// The node.
    pub span: Span,
    /// The authority's directory.
    pub directory: WebUrl,
    /// Who hears from the authority.
    pub contact: Option<Spanned<Mailbox>>,
    /// Where `http-01` is answered, if that is the challenge; its name is `acme`.
    pub http: Option<WebDraft>,
}

impl TlsDraft {
    /// Whether listeners have a certificate to show.
    pub fn has_certificate(&self) -> bool {
        !self.certificates.is_empty() || self.self_signed.is_some() || self.acme.is_some()
    }
}
