//! TLSA: keys that DNSSEC vouches for.

use crate::report::Severity;
use crate::rules::{Raised, Rule};

/// TSA001: nothing that a record could announce.
pub static NO_KEY_TO_PIN: Rule =
    Rule::new("TSA001", "no-key-to-announce", Severity::Error, Raised::Lowering, include_str!("no_key_to_pin.md"));

/// TSA002: a key that is announced twice.
pub static PIN_TWICE: Rule =
    Rule::new("TSA002", "key-announced-twice", Severity::Warning, Raised::Lowering, include_str!("pin_twice.md"));
