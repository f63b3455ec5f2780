//! Users: who can log in, and where.

pub mod no_listener;
pub mod no_users;
