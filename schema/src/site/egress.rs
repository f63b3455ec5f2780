//! How mail goes on: transports for our own domains, relays and routes for everything else.

use super::{Origin, SecretName};
use crate::name::{Domain, HostName};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// A named way to hand mail over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transport {
    /// Its name in the site, unique.
    pub name: Box<str>,
    /// What it does.
    pub kind: TransportKind,
    /// Where it was said; [`Origin::DEFAULT`] for the built-in `store`.
    pub origin: Origin,
}

/// What a transport does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TransportKind {
    /// A Maildir for each mailbox (`virtual_mailbox_base`, `home_mailbox = Maildir/`).
    Maildir {
        /// A path with `{domain}` and `{user}`; one that does not begin with `/` lies in the state folder.
        path: Box<str>,
    },
    /// An LMTP server (RFC 2033), which answers for each recipient (`lmtp:unix:path`, `lmtp:inet:host:port`).
    Lmtp {
        /// Where it listens.
        server: Endpoint,
    },
    /// A host further inside (`relay:[host]:port`).
    Smtp {
        /// The host.
        host: HostName,
        /// TCP port.
        port: u16,
        /// Whether the host's MX is looked up, rather than its addresses.
        mx: bool,
        /// The least protection that a session must have.
        tls: TlsLevel,
    },
    /// A program that reads the message, one recipient at a time (`pipe(8)`).
    Pipe {
        /// Its path; there is no shell.
        program: Box<str>,
        /// The system user that it runs as.
        user: Box<str>,
    },
    /// Nowhere: the message counts as delivered (`discard(8)`).
    Discard {
        /// Why, for the log.
        reason: Box<str>,
    },
    /// Back to its sender (`error(8)`).
    Fail {
        /// Why, for the sender.
        reason: Box<str>,
    },
}

impl TransportKind {
    /// How a worker goes about it.
    pub fn means(&self) -> Means {
        match self {
            TransportKind::Maildir { .. } => Means::Maildir,
            TransportKind::Lmtp { .. } => Means::Lmtp,
            TransportKind::Smtp { tls, .. } => Means::Smtp(*tls),
            TransportKind::Pipe { .. } => Means::Pipe,
            TransportKind::Discard { .. } => Means::Discard,
            TransportKind::Fail { .. } => Means::Fail,
        }
    }
}

/// Where a local service listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Endpoint {
    /// A socket in the file system, by its absolute path.
    Unix(Box<str>),
    /// A TCP port.
    Inet {
        /// The host.
        host: HostName,
        /// The port, not 0.
        port: u16,
    },
}

impl fmt::Display for Endpoint {
    /// As the site language has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Unix(path) => write!(f, "unix:{path}"),
            Endpoint::Inet { host, port } => write!(f, "inet:{host}:{port}"),
        }
    }
}

/// So many in a time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Rate {
    /// How many; at least 1.
    pub count: u64,
    /// In which time; never zero.
    pub per: Duration,
}

impl fmt::Display for Rate {
    /// As the site language has it, in seconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}s", self.count, self.per.as_secs())
    }
}

/// A host that carries mail onward (`relayhost`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Relay {
    /// Its name in the site, unique.
    pub name: Box<str>,
    /// The host; its addresses are looked up, never its MX (`[host]` in Postfix).
    pub host: HostName,
    /// TCP port.
    pub port: u16,
    /// The least protection that a session must have.
    pub tls: TlsLevel,
    /// How we log in there.
    pub login: Option<Login>,
    /// The most messages that it is given in a time.
    pub rate: Option<Rate>,
    /// The relay, by name, that takes the mail when this one cannot be reached (`smtp_fallback_relay`).
    pub backup: Option<Box<str>>,
    /// The SPF records that name its addresses.
    pub spf_includes: Vec<Domain>,
    /// Whether it signs with DKIM itself.
    pub signs_dkim: bool,
    /// Where it was said.
    pub origin: Origin,
}

/// How gently one receiver is treated (`default_destination_concurrency_limit` and its like).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receiver {
    /// The domain of the recipients.
    pub domain: Domain,
    /// The most connections at once.
    pub concurrency: Option<u32>,
    /// The most messages in a time.
    pub rate: Option<Rate>,
    /// How long it is left alone after it said not now.
    pub pause_after_defer: Option<Duration>,
    /// Where it was said.
    pub origin: Origin,
}

/// Credentials towards a relay (`smtp_sasl_password_maps`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Login {
    /// The user name, not secret.
    pub user: Box<str>,
    /// The credential that holds the password: its first line, without the line end.
    pub secret: SecretName,
    /// The credential is an access token (RFC 6750), said by XOAUTH2 or OAUTHBEARER.
    pub bearer: bool,
}

/// How much protection a session towards a peer must have (`smtp_tls_security_level`), weakest first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum TlsLevel {
    /// Never.
    None,
    /// If the peer offers it; plaintext otherwise (RFC 7435).
    May,
    /// As the receiver asks for: DANE (RFC 7672), else MTA-STS (RFC 8461), else as [`TlsLevel::May`].
    Published,
    /// Always, with whatever certificate.
    Encrypt,
    /// Always, with a certificate that a public authority signed for the name that we connect to.
    Verify,
    /// As [`TlsLevel::Dane`] where the peer has it, as [`TlsLevel::Verify`] elsewhere.
    DaneOrVerify,
    /// Always, with a certificate that DNSSEC vouches for (RFC 7672).
    Dane,
}

impl TlsLevel {
    /// Every level, weakest first.
    pub const ALL: [TlsLevel; 7] = [
        TlsLevel::None,
        TlsLevel::May,
        TlsLevel::Published,
        TlsLevel::Encrypt,
        TlsLevel::Verify,
        TlsLevel::DaneOrVerify,
        TlsLevel::Dane,
    ];

    /// The word of the site language, which is Postfix's where that has one.
    pub fn as_str(self) -> &'static str {
        match self {
            TlsLevel::None => "none",
            TlsLevel::May => "may",
            TlsLevel::Published => "published",
            TlsLevel::Encrypt => "encrypt",
            TlsLevel::Verify => "verify",
            TlsLevel::DaneOrVerify => "dane-or-verify",
            TlsLevel::Dane => "dane",
        }
    }

    /// Whether a session that went unprotected is all right.
    pub fn allows_plaintext(self) -> bool {
        self < TlsLevel::Encrypt
    }

    /// This level of a destination, held against what its transport or relay has: the stronger of the two. Where the sender does
    /// without what receivers publish ([`Destination::overlook_published`]), so does the transport.
    pub fn against(self, configured: TlsLevel) -> TlsLevel {
        match (self, configured) {
            (TlsLevel::May, TlsLevel::Published) => TlsLevel::May,
            _ => self.max(configured),
        }
    }

    /// Reads the word of the site language.
    pub fn parse(word: &str) -> Option<TlsLevel> {
        TlsLevel::ALL.into_iter().find(|level| level.as_str() == word)
    }
}

impl fmt::Display for TlsLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One line of the routing table for mail that is not ours (`transport_maps`, `sender_dependent_relayhost_maps`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    /// Which recipients it is for.
    pub to: RoutePattern,
    /// Which senders it is for.
    pub from: RoutePattern,
    /// Where the mail goes.
    pub via: Via,
    /// The least protection; `None`: the relay's own level, or `published` for direct delivery.
    pub tls: Option<TlsLevel>,
    /// The local addresses that connections leave from (`smtp_bind_address`, `smtp_bind_address6`).
    pub from_address: FromAddress,
    /// Where it was said.
    pub origin: Origin,
}

/// The local addresses that connections leave from, at most one of each family; with none, the system chooses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct FromAddress {
    pub(crate) v4: Option<IpAddr>,
    pub(crate) v6: Option<IpAddr>,
}

impl FromAddress {
    /// The system chooses.
    pub const NONE: FromAddress = FromAddress { v4: None, v6: None };

    /// Leaves from the first address of each family.
    pub fn of(addresses: impl IntoIterator<Item = IpAddr>) -> FromAddress {
        let mut from = FromAddress::NONE;
        for address in addresses {
            let place = if address.is_ipv4() { &mut from.v4 } else { &mut from.v6 };
            place.get_or_insert(address);
        }
        from
    }

    /// Whether the system chooses.
    pub fn is_none(self) -> bool {
        self == FromAddress::NONE
    }

    /// Whether a connection to this address may be made: from a family that the site has not named, mail would leave from an address
    /// that nobody has chosen.
    pub fn reaches(self, peer: IpAddr) -> bool {
        self.is_none() || self.towards(peer).is_some()
    }

    /// The address that a connection to this one leaves from; `None`: the system chooses.
    pub fn towards(self, peer: IpAddr) -> Option<IpAddr> {
        if peer.is_ipv4() { self.v4 } else { self.v6 }
    }

    /// The addresses.
    pub fn iter(self) -> impl Iterator<Item = IpAddr> {
        [self.v4, self.v6].into_iter().flatten()
    }
}

impl fmt::Display for FromAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, address) in self.iter().enumerate() {
            write!(f, "{}{address}", if place == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// A set of addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RoutePattern {
    /// `*`: every address, the null path too.
    Any,
    /// `example.com` or `@example.com`: that domain.
    Domain(Domain),
    /// `.example.com`: what lies below the domain, not the domain itself.
    Below(Domain),
}

impl fmt::Display for RoutePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RoutePattern::Any => f.write_str("*"),
            RoutePattern::Domain(domain) => domain.fmt(f),
            RoutePattern::Below(domain) => write!(f, ".{domain}"),
        }
    }
}

/// Where a route leads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Via {
    /// To the MX hosts of the recipient's domain (RFC 5321 5.1).
    Direct,
    /// To a relay of the site, by name.
    Relay(Box<str>),
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Via::Direct => f.write_str("direct"),
            Via::Relay(name) => f.write_str(name),
        }
    }
}

/// How a transport's worker goes about it: [`TransportKind`] without its particulars.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Means {
    /// Files in a folder.
    Maildir,
    /// LMTP.
    Lmtp,
    /// SMTP, with at least this protection.
    Smtp(TlsLevel),
    /// A program.
    Pipe,
    /// Nothing is done.
    Discard,
    /// It is refused.
    Fail,
}

impl Means {
    /// The word of the site language.
    pub fn as_str(self) -> &'static str {
        match self {
            Means::Maildir => "maildir",
            Means::Lmtp => "lmtp",
            Means::Smtp(_) => "smtp",
            Means::Pipe => "pipe",
            Means::Discard => "discard",
            Means::Fail => "fail",
        }
    }
}

/// Where one recipient's mail goes next: what [`crate::decide::route`] answers. Mail with equal destinations may share a
/// connection.
#[derive(Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Destination {
    /// Through a transport of the site.
    Transport {
        /// The transport.
        name: Box<str>,
        /// What it does.
        means: Means,
    },
    /// To the MX hosts of a domain.
    Mx {
        /// The recipient's domain.
        domain: Domain,
        /// The least protection.
        tls: TlsLevel,
        /// The local addresses that connections leave from.
        from_address: FromAddress,
    },
    /// To an address literal, `user@[192.0.2.1]`.
    Literal {
        /// The host as it was written.
        host: HostName,
        /// The least protection.
        tls: TlsLevel,
        /// The local addresses that connections leave from.
        from_address: FromAddress,
    },
    /// To a relay of the site.
    Relay {
        /// The relay's name.
        name: Box<str>,
        /// The least protection.
        tls: TlsLevel,
        /// The local addresses that connections leave from.
        from_address: FromAddress,
    },
}

impl Destination {
    /// The least protection on the way; `None` where the mail does not leave the host as SMTP.
    pub fn tls(&self) -> Option<TlsLevel> {
        match self {
            Destination::Transport { means: Means::Smtp(tls), .. }
            | Destination::Mx { tls, .. }
            | Destination::Literal { tls, .. }
            | Destination::Relay { tls, .. } => Some(*tls),
            Destination::Transport { .. } => None,
        }
    }

    /// Raises the protection on the way to at least this, where the mail leaves the host as SMTP.
    pub fn demand(&mut self, least: TlsLevel) {
        match self {
            Destination::Transport { means: Means::Smtp(tls), .. }
            | Destination::Mx { tls, .. }
            | Destination::Literal { tls, .. }
            | Destination::Relay { tls, .. } => *tls = least.max(*tls),
            Destination::Transport { .. } => {}
        }
    }

    /// Asks for TLS as the peer offers it where the receiver's own word would have counted. What the site demands is left alone.
    pub fn overlook_published(&mut self) {
        match self {
            Destination::Transport { means: Means::Smtp(tls), .. }
            | Destination::Mx { tls, .. }
            | Destination::Literal { tls, .. }
            | Destination::Relay { tls, .. }
                if *tls == TlsLevel::Published =>
            {
                *tls = TlsLevel::May;
            }
            _ => {}
        }
    }

    /// The local addresses that connections leave from.
    pub fn from_address(&self) -> FromAddress {
        match self {
            Destination::Mx { from_address, .. }
            | Destination::Literal { from_address, .. }
            | Destination::Relay { from_address, .. } => *from_address,
            Destination::Transport { .. } => FromAddress::NONE,
        }
    }
}

impl fmt::Display for Destination {
    /// As it stands in logs and in `posternd queue list`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Destination::Transport { name, means } => write!(f, "{}:{name}", means.as_str()),
            Destination::Mx { domain, .. } => write!(f, "mx:{domain}"),
            Destination::Literal { host, .. } => write!(f, "host:{host}"),
            Destination::Relay { name, .. } => write!(f, "relay:{name}"),
        }
    }
}
