//! A service that is listened on.

use super::Origin;
use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;

/// One listening service (`inet_interfaces` and a `smtpd` line of `master.cf`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listener {
    /// Its name in the site, unique.
    pub name: Box<str>,
    /// What it is for.
    pub kind: ListenerKind,
    /// Local addresses to bind (`0.0.0.0` and `::` mean every one); none only where there is a `socket`.
    pub addresses: Vec<IpAddr>,
    /// TCP port; 0 lets the system choose, for tests.
    pub port: u16,
    /// The socket in the file system that is listened on instead, by its absolute path.
    pub socket: Option<Box<str>>,
    /// Where its peers are, if it takes mail from peers alone; `None`: on this host.
    pub peers: Option<IpNet>,
    /// Load balancers: a connection from there begins with a PROXY header, which names its client.
    pub proxy_from: Option<IpNet>,
    /// Filters and gateways whose XCLIENT and XFORWARD are believed (`smtpd_authorized_xclient_hosts`).
    pub xclient_from: Option<IpNet>,
    /// Where it was said.
    pub origin: Origin,
}

/// Where the files of `/.well-known/` are served over HTTPS: MTA-STS policies and settings for mail programs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WebListener {
    /// Its name in the site, unique among listeners.
    pub name: Box<str>,
    /// Local addresses to bind; never empty (`0.0.0.0` and `::` mean every one).
    pub addresses: Vec<IpAddr>,
    /// TCP port; 0 lets the system choose, for tests.
    pub port: u16,
    /// Where it was said.
    pub origin: Origin,
}

/// What a listener is for: this decides TLS, AUTH and who may send what.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum ListenerKind {
    /// Mail from other hosts (port 25). TLS is offered, AUTH is not.
    Mx,
    /// Mail from users (port 587, RFC 6409): STARTTLS, then AUTH, then mail.
    Submission,
    /// Mail from users (port 465, RFC 8314 3.3): TLS from the first byte, AUTH required.
    Submissions,
    /// Mail that comes back from a content filter, over SMTP (`content_filter`): from its peers alone.
    Reinject,
    /// The same over LMTP, from a filter or another MTA (RFC 2033).
    Lmtp,
}

impl ListenerKind {
    /// Every kind.
    pub const ALL: [ListenerKind; 5] =
        [ListenerKind::Mx, ListenerKind::Submission, ListenerKind::Submissions, ListenerKind::Reinject, ListenerKind::Lmtp];

    /// The word of the site language.
    pub fn as_str(self) -> &'static str {
        match self {
            ListenerKind::Mx => "mx",
            ListenerKind::Submission => "submission",
            ListenerKind::Submissions => "submissions",
            ListenerKind::Reinject => "reinject",
            ListenerKind::Lmtp => "lmtp",
        }
    }

    /// Reads the word of the site language.
    pub fn parse(word: &str) -> Option<ListenerKind> {
        ListenerKind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The port that clients expect.
    pub fn default_port(self) -> u16 {
        match self {
            ListenerKind::Mx => 25,
            ListenerKind::Submission => 587,
            ListenerKind::Submissions => 465,
            // Where Postfix's own examples have a filter give mail back.
            ListenerKind::Reinject => 10_025,
            // What Dovecot's examples have: RFC 2033 5 names none, and forbids 25.
            ListenerKind::Lmtp => 24,
        }
    }

    /// Whether mail is taken from logged-in users only.
    pub fn requires_login(self) -> bool {
        matches!(self, ListenerKind::Submission | ListenerKind::Submissions)
    }

    /// Whether mail is taken from listed peers only, who are believed.
    pub fn is_for_peers(self) -> bool {
        matches!(self, ListenerKind::Reinject | ListenerKind::Lmtp)
    }

    /// Whether TLS begins with the first byte.
    pub fn is_implicit_tls(self) -> bool {
        self == ListenerKind::Submissions
    }
}

impl Listener {
    /// Whether a client may use it: of a listener for peers, one of them. Whoever may open a socket in the file system is one.
    pub fn admits(&self, client: IpAddr) -> bool {
        match self.peers {
            _ if !self.kind.is_for_peers() || self.socket.is_some() => true,
            Some(peers) => peers.contains(&client.to_canonical()),
            None => client.to_canonical().is_loopback(),
        }
    }
}

impl fmt::Display for ListenerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
