//! Who may log in, and what they may send as.

use super::{Origin, SecretName};
use crate::name::Mailbox;

/// A named store of users. Without a `send_as` entry a user may send as their own mailbox only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserStore {
    /// Its name in the site, unique.
    pub name: Box<str>,
    /// The credential that holds `name:{SCHEME}hash` lines.
    pub passwd: SecretName,
    /// Senders that a user may use beyond their own mailbox (`smtpd_sender_login_maps`).
    pub send_as: Vec<SendAs>,
    /// Where it was said.
    pub origin: Origin,
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
