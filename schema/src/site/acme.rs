//! Certificates that the daemon gets and renews by itself (RFC 8555).

use super::{Origin, WebListener, WebUrl};
use crate::name::{Domain, Mailbox};

/// `acme`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Acme {
    /// The authority's directory.
    pub directory: WebUrl,
    /// Who hears from the authority.
    pub contact: Option<Mailbox>,
    /// The names of each certificate, those of the host first. A domain whose names do not point here costs the others nothing.
    pub certificates: Vec<Vec<Domain>>,
    /// Where http-01 is answered (RFC 8555 8.3); `None`: it is tls-alpn-01, at the listener for web pages (RFC 8737).
    pub http: Option<WebListener>,
    /// Where it was said.
    pub origin: Origin,
}
