//! Users: who can log in, and where.

pub mod no_listener;
pub mod no_users;
pub mod same_store;
pub mod send_as_elsewhere;
pub mod send_as_nobody;
pub mod user_twice;
