//! The JSON twin of a site file. The findings are made in [`crate::syntax`]; here are their pages.

use crate::report::Severity;
use crate::rules::{Raised, Rule};

/// Every code of the family.
pub static PAGES: &[Rule] = &[
    page("JSN001", "no-json", include_str!("no_json.md")),
    page("JSN002", "member-twice", include_str!("member_twice.md")),
    page("JSN003", "wrong-shape", include_str!("wrong_shape.md")),
    page("JSN004", "argument-left-out", include_str!("argument_left_out.md")),
];

const fn page(code: &'static str, name: &'static str, explain: &'static str) -> Rule {
    Rule::new(code, name, Severity::Error, Raised::Reading, explain)
}
