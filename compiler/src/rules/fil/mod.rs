//! Files that a site names.

use crate::report::Severity;
use crate::rules::{Raised, Rule};

/// FIL001: a file that cannot be read.
pub static FILE_UNREADABLE: Rule =
    Rule::new("FIL001", "file-unreadable", Severity::Error, Raised::Lowering, include_str!("file_unreadable.md"));

/// FIL002: a file outside the folder of the site.
pub static FILE_OUTSIDE: Rule =
    Rule::new("FIL002", "file-outside", Severity::Error, Raised::Lowering, include_str!("file_outside.md"));
