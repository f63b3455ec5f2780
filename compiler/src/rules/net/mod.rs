//! Networks: ranges that do nothing, or not what they seem to do.

pub mod dead_family;
pub mod exempt_without_effect;
pub mod mapped;
pub mod overlap;
pub mod powerless;

use crate::report::Severity;
use crate::rules::{Raised, Rule};

/// NET005: a network that nobody is in.
pub static NETWORK_OF_NOBODY: Rule =
    Rule::new("NET005", "network-of-nobody", Severity::Error, Raised::Lowering, include_str!("nobody.md"));
