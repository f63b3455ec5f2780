//! The site in force: [`Generation`], one loaded snapshot with its certificates, and [`Current`], the pointer to the one that
//! new work begins on.
//!
//! A reload makes a whole generation or none: the new one is opened, verified and complete with certificates and sockets
//! before the pointer moves, and whoever holds the old one goes on with it to the end of their transaction.

mod certificate;
mod client_certificate;
mod current;

pub use certificate::{CertificateError, Served, server_config, stamps};
pub use client_certificate::{Authorities, ClientCertificate};
pub use current::{Current, Generation, LoadError};
