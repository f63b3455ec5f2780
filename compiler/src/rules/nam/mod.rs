//! Names that are declared and referred to. The findings are made where names are resolved, in lowering.

use crate::report::Severity;
use crate::rules::{Raised, Rule};

/// NAM001: a name that nothing declares.
pub static UNKNOWN_NAME: Rule =
    Rule::new("NAM001", "unknown-name", Severity::Error, Raised::Lowering, include_str!("unknown_name.md"));

/// NAM002: a name that is declared twice.
pub static DUPLICATE_NAME: Rule =
    Rule::new("NAM002", "duplicate-name", Severity::Error, Raised::Lowering, include_str!("duplicate_name.md"));

/// NAM003: a name that nothing refers to.
pub static UNUSED_NAME: Rule =
    Rule::new("NAM003", "unused-name", Severity::Warning, Raised::Lowering, include_str!("unused_name.md"));
