//! Profiles. The findings are made in [`crate::syntax`]; here are their pages.

use crate::report::Severity;
use crate::rules::{Raised, Rule};

/// Every code of the family.
pub static PAGES: &[Rule] = &[page("PRF001", "unknown-profile", include_str!("unknown_profile.md"))];

const fn page(code: &'static str, name: &'static str, explain: &'static str) -> Rule {
    Rule::new(code, name, Severity::Error, Raised::Reading, explain)
}
