//! Addresses that are rewritten, and copies for archives: what does nothing, what hides something, what tells others too much.

pub mod archive_elsewhere;
pub mod foreign_author;
pub mod hides_mailbox;
pub mod no_effect;
pub mod shadowed;

use crate::report::Severity;
use crate::rules::{Raised, Rule};

/// RWR001: a value of `rewrite` or `archive` that is none.
pub static REWRITE_FORM: Rule =
    Rule::new("RWR001", "rewrite-form", Severity::Error, Raised::Lowering, include_str!("rewrite_form.md"));
