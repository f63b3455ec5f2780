//! KDL itself. The findings are made in [`crate::syntax`]; here are their pages.

use crate::report::Severity;
use crate::rules::{Raised, Rule};

/// Every code of the family.
pub static PAGES: &[Rule] = &[Rule::new("KDL001", "no-kdl", Severity::Error, Raised::Reading, include_str!("no_kdl.md"))];
