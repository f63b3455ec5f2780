//! The host itself.

use crate::report::Severity;
use crate::rules::{Raised, Rule};

/// SIT001: nobody reads mail to postmaster.
pub static NO_POSTMASTER: Rule =
    Rule::new("SIT001", "no-postmaster", Severity::Error, Raised::Lowering, include_str!("no_postmaster.md"));
