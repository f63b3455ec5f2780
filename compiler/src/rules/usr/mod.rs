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
