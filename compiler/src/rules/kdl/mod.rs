//! KDL itself: its traps, and what else people write instead of it. The findings are made in [`crate::syntax`]; here are their pages.

use crate::report::Severity;
use crate::rules::{Raised, Rule};

/// Every code of the family.
pub static PAGES: &[Rule] = &[
    page("KDL001", "no-kdl", include_str!("no_kdl.md")),
    page("KDL002", "beyond-limits", include_str!("beyond_limits.md")),
    page("KDL010", "unquoted-address", include_str!("unquoted_address.md")),
    page("KDL011", "unquoted-quantity", include_str!("unquoted_quantity.md")),
    page("KDL012", "unquoted-text", include_str!("unquoted_text.md")),
    page("KDL013", "bare-keyword", include_str!("bare_keyword.md")),
    page("KDL014", "unknown-keyword", include_str!("unknown_keyword.md")),
    page("KDL015", "leading-zero", include_str!("leading_zero.md")),
    page("KDL017", "foreign-quotes", include_str!("foreign_quotes.md")),
    page("KDL018", "comma", include_str!("comma.md")),
    page("KDL019", "stray-semicolon", include_str!("stray_semicolon.md")),
    page("KDL020", "assignment", include_str!("assignment.md")),
    page("KDL021", "hash-comment", include_str!("hash_comment.md")),
    page("KDL022", "old-raw-string", include_str!("old_raw_string.md")),
    page("KDL023", "annotation", include_str!("annotation.md")),
    page("KDL024", "open-string", include_str!("open_string.md")),
    page("KDL025", "open-comment", include_str!("open_comment.md")),
    page("KDL026", "unknown-escape", include_str!("unknown_escape.md")),
    page("KDL027", "missing-blank", include_str!("missing_blank.md")),
    page("KDL028", "half-property", include_str!("half_property.md")),
    page("KDL029", "open-block", include_str!("open_block.md")),
    page("KDL030", "surplus-brace", include_str!("surplus_brace.md")),
    page("KDL031", "loose-block", include_str!("loose_block.md")),
    page("KDL032", "text-behind-block", include_str!("text_behind_block.md")),
    page("KDL033", "illegal-character", include_str!("illegal_character.md")),
    page("KDL034", "value-as-name", include_str!("value_as_name.md")),
    page("KDL035", "three-quotes", include_str!("three_quotes.md")),
    page("KDL036", "second-block", include_str!("second_block.md")),
    page("KDL037", "bracketed-host", include_str!("bracketed_host.md")),
    page("KDL038", "stray-slashdash", include_str!("stray_slashdash.md")),
];

const fn page(code: &'static str, name: &'static str, explain: &'static str) -> Rule {
    Rule::new(code, name, Severity::Error, Raised::Reading, explain)
}
