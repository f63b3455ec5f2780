//! Users: who can log in, and where.

pub mod no_listener;
pub mod no_users;
pub mod same_store;
pub mod send_as_elsewhere;
pub mod send_as_nobody;
pub mod user_twice;

use crate::report::Severity;
use crate::rules::{Raised, Rule};

/// USR007: users without passwords, or with two places for them.
pub static BACKEND_OF_USERS: Rule =
    Rule::new("USR007", "users-of-no-backend", Severity::Error, Raised::Lowering, include_str!("backend.md"));

/// USR008: passwords that go to a directory in the clear.
pub static DIRECTORY_IN_THE_CLEAR: Rule =
    Rule::new("USR008", "directory-in-the-clear", Severity::Error, Raised::Lowering, include_str!("directory_in_the_clear.md"));

/// USR009: a name in a directory that is not one user's.
pub static DN_WITHOUT_USER: Rule =
    Rule::new("USR009", "dn-without-user", Severity::Error, Raised::Lowering, include_str!("dn_without_user.md"));

/// USR010: a file without keys that tokens can be checked by.
pub static NO_TOKEN_KEYS: Rule =
    Rule::new("USR010", "no-token-keys", Severity::Error, Raised::Lowering, include_str!("no_token_keys.md"));

/// USR011: tokens that anybody can make.
pub static WEAK_TOKEN_KEY: Rule =
    Rule::new("USR011", "weak-token-key", Severity::Error, Raised::Lowering, include_str!("weak_token_key.md"));

/// USR012: an issuer of tokens that cannot be asked.
pub static UNASKABLE_ISSUER: Rule =
    Rule::new("USR012", "unaskable-issuer", Severity::Error, Raised::Lowering, include_str!("unaskable_issuer.md"));
