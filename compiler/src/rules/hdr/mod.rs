//! Headers: what a site may change in them.

use crate::report::Severity;
use crate::rules::{Raised, Rule};

/// HDR001: a field that is none, or that is not the site's to change.
pub static HEADER_FIELD: Rule =
    Rule::new("HDR001", "header-field", Severity::Error, Raised::Lowering, include_str!("header_field.md"));
