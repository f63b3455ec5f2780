//! What stands in the files of certificates.

use crate::report::Severity;
use crate::rules::{Raised, Rule};

/// CRT001: a private key where everybody reads it.
pub static CHAIN_HOLDS_KEY: Rule =
    Rule::new("CRT001", "chain-holds-key", Severity::Error, Raised::Lowering, include_str!("chain_holds_key.md"));

/// CRT002: a file without a certificate in it.
pub static NO_CERTIFICATE: Rule =
    Rule::new("CRT002", "no-certificate", Severity::Error, Raised::Lowering, include_str!("no_certificate.md"));
