//! The site's own tests.

pub mod test_twice;

use crate::report::Severity;
use crate::rules::{Raised, Rule};

/// TST001: a promise that does not hold.
pub static TEST_FAILED: Rule =
    Rule::new("TST001", "test-failed", Severity::Error, Raised::SiteTest, include_str!("test_failed.md"));
