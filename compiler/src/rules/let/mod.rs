//! Constants. The findings are made in [`crate::syntax`]; here are their pages.

use crate::report::Severity;
use crate::rules::{Raised, Rule};

/// Every code of the family.
pub static PAGES: &[Rule] = &[
    page("LET001", "constant-twice", include_str!("constant_twice.md")),
    page("LET002", "undefined-constant", include_str!("undefined_constant.md")),
    Rule::new("LET003", "unused-constant", Severity::Warning, Raised::Reading, include_str!("unused_constant.md")),
    page("LET004", "constant-name", include_str!("constant_name.md")),
];

const fn page(code: &'static str, name: &'static str, explain: &'static str) -> Rule {
    Rule::new(code, name, Severity::Error, Raised::Reading, explain)
}
