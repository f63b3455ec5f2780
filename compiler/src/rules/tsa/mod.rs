//! TLSA: keys that DNSSEC vouches for.

pub mod nothing_announced;
pub mod pin_twice;

use crate::report::Severity;
use crate::rules::{Raised, Rule};

/// TSA001: nothing that a record could announce.
pub static NO_KEY_TO_PIN: Rule =
    Rule::new("TSA001", "no-key-to-announce", Severity::Error, Raised::Lowering, include_str!("no_key_to_pin.md"));

#[cfg(test)]
mod tests;
