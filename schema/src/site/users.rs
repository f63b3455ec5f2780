//! Who may log in, and what they may send as.

use super::{Origin, Rate, SecretName};
use crate::name::Mailbox;

/// A named store of users. Without a `send_as` entry a user may send as their own mailbox only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserStore {
    /// Its name in the site, unique.
    pub name: Box<str>,
    /// Who knows the passwords.
    pub backend: UserBackend,
    /// Senders that a user may use beyond their own mailbox (`smtpd_sender_login_maps`).
    pub send_as: Vec<SendAs>,
    /// The most messages that one user may send in a time; `None`: any number.
    pub messages: Option<Rate>,
    /// Where it was said.
    pub origin: Origin,
}

/// Who knows the passwords of a store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UserBackend {
    /// The credential that holds `name:{SCHEME}hash` lines.
    Passwd(SecretName),
    /// Dovecot, at the absolute path of a Unix socket of its auth service (`smtpd_sasl_type = dovecot`).
    Dovecot(Box<str>),
    /// Nobody: certificates that this authority, in PEM, has signed stand for their holders (`smtpd_tls_CAfile`).
    Certificate(Box<str>),
}

/// Senders that one user may use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SendAs {
    /// The login name, compared exactly.
    pub user: Box<str>,
    /// Mailboxes, compared without regard to the case of the local part.
    pub mailboxes: Vec<Mailbox>,
    /// Where it was said.
    pub origin: Origin,
}
