//! `include`: the files of a site. The findings are made in [`crate::syntax`]; here are their pages.

use crate::report::Severity;
use crate::rules::{Raised, Rule};

/// Every code of the family.
pub static PAGES: &[Rule] = &[
    page("INC001", "include-missing", include_str!("include_missing.md")),
    page("INC002", "include-circle", include_str!("include_circle.md")),
    page("INC003", "include-outside", include_str!("include_outside.md")),
    page("INC004", "include-unreadable", include_str!("include_unreadable.md")),
    page("INC005", "include-twice", include_str!("include_twice.md")),
    page("INC006", "include-limit", include_str!("include_limit.md")),
];

const fn page(code: &'static str, name: &'static str, explain: &'static str) -> Rule {
    Rule::new(code, name, Severity::Error, Raised::Reading, explain)
}
