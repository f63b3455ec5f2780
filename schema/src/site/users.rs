//! Who may log in, and what they may send as.

use super::{Origin, Rate, SecretName, WebUrl};
use crate::name::{HostName, Mailbox};

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
    /// The most recipients in a time that one user never wrote to before; `None`: any number.
    pub new_recipients: Option<Rate>,
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
    /// A directory, to which the daemon binds as the user.
    Directory(Directory),
    /// Nobody: whoever brings a token of this issuer is whom it was issued for.
    Tokens(TokenIssuer),
}

/// A directory that a user can be bound to (RFC 4511 4.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Directory {
    /// The server; its certificate must be for this name.
    pub host: HostName,
    /// Its TCP port.
    pub port: u16,
    /// What is around the password on its way.
    pub security: DirectorySecurity,
    /// The name of a user, in which `{user}` stands for the login name.
    pub dn: Box<str>,
}

impl Directory {
    /// What stands for the login name in a `dn`.
    pub const USER: &str = "{user}";
}

/// What is around a password on its way to a directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DirectorySecurity {
    /// TLS from the first octet: `ldaps`.
    Tls,
    /// TLS by StartTLS (RFC 4511 4.14).
    StartTls,
    /// Nothing; the server is on this host.
    None,
}

/// Whose tokens are logins (RFC 6750).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenIssuer {
    /// What the `iss` of a token must be.
    pub issuer: Box<str>,
    /// What must be in its `aud`: a token for somebody else is none for us.
    pub audience: Box<str>,
    /// The claim that names the user.
    pub claim: Box<str>,
    /// How a token is known to be genuine.
    pub proof: TokenProof,
}

/// How a token is known to be genuine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TokenProof {
    /// One of these keys has signed it (RFC 7519).
    Keys(Vec<TokenKey>),
    /// The issuer says so when it is asked (RFC 7662).
    Introspection {
        /// Where it is asked.
        url: WebUrl,
        /// Who we are to it.
        client: Box<str>,
        /// The credential that shows it.
        secret: SecretName,
    },
}

/// A key that tokens are signed with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenKey {
    /// Its `kid`.
    pub id: Option<Box<str>>,
    /// Its public half.
    pub public: TokenPublicKey,
}

/// The public half of a key, and so the one algorithm that it is used with (RFC 7518 3, RFC 8037 3.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TokenPublicKey {
    /// RS256: both numbers, big-endian.
    Rsa {
        /// `n`.
        modulus: Vec<u8>,
        /// `e`.
        exponent: Vec<u8>,
    },
    /// ES256: an uncompressed point.
    P256(Vec<u8>),
    /// EdDSA over Ed25519.
    Ed25519([u8; 32]),
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
