//! The site in force: [`Generation`], one loaded snapshot with its certificates, and [`Current`], the pointer to the one that
//! new work begins on.
//!
//! A reload makes a whole generation or none: the new one is opened, verified and complete with certificates and sockets
//! before the pointer moves, and whoever holds the old one goes on with it to the end of their transaction.

mod certificate;
mod current;

pub use certificate::{CertificateError, server_config, stamps};
pub use current::{Current, Generation, LoadError};
