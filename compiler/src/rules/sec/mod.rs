//! Credentials, by name: none of them is ever read here.

pub mod two_purposes;
