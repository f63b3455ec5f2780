//! What is found in the text and by the grammar: the codes of [`crate::syntax`], each with its page. The findings are made
//! there; none of them needs more of a site than the place that it is at.

use super::{Raised, Rule};
use crate::report::Severity;

/// Every code of the front end, in order.
pub(super) static RULES: &[Rule] = &[
    page("INC001", "include-missing", include_str!("inc/include_missing.md")),
    page("INC002", "include-circle", include_str!("inc/include_circle.md")),
    page("INC003", "include-outside", include_str!("inc/include_outside.md")),
    page("INC004", "include-unreadable", include_str!("inc/include_unreadable.md")),
    page("INC005", "include-twice", include_str!("inc/include_twice.md")),
    page("INC006", "include-limit", include_str!("inc/include_limit.md")),
    page("JSN001", "not-json", include_str!("jsn/no_json.md")),
    page("JSN002", "member-twice", include_str!("jsn/member_twice.md")),
    page("JSN003", "wrong-shape", include_str!("jsn/wrong_shape.md")),
    page("JSN004", "argument-left-out", include_str!("jsn/argument_left_out.md")),
    page("JSN005", "changed-twin", include_str!("jsn/changed_twin.md")),
    page("KDL001", "not-kdl", include_str!("kdl/not_kdl.md")),
    page("KDL002", "too-deep", include_str!("kdl/too_deep.md")),
    page("KDL010", "unquoted-address", include_str!("kdl/unquoted_address.md")),
    page("KDL011", "unquoted-quantity", include_str!("kdl/unquoted_quantity.md")),
    page("KDL012", "unquoted-text", include_str!("kdl/unquoted_text.md")),
    page("KDL013", "bare-keyword", include_str!("kdl/bare_keyword.md")),
    page("KDL014", "unknown-keyword", include_str!("kdl/unknown_keyword.md")),
    page("KDL015", "leading-zero", include_str!("kdl/leading_zero.md")),
    page("KDL017", "foreign-quotes", include_str!("kdl/foreign_quotes.md")),
    page("KDL018", "comma", include_str!("kdl/comma.md")),
    page("KDL019", "stray-semicolon", include_str!("kdl/stray_semicolon.md")),
    page("KDL020", "assignment", include_str!("kdl/assignment.md")),
    page("KDL021", "hash-comment", include_str!("kdl/hash_comment.md")),
    page("KDL022", "old-raw-string", include_str!("kdl/old_raw_string.md")),
    page("KDL023", "annotation", include_str!("kdl/annotation.md")),
    page("KDL024", "open-string", include_str!("kdl/open_string.md")),
    page("KDL025", "open-comment", include_str!("kdl/open_comment.md")),
    page("KDL026", "unknown-escape", include_str!("kdl/unknown_escape.md")),
    page("KDL027", "missing-blank", include_str!("kdl/missing_blank.md")),
    page("KDL028", "half-property", include_str!("kdl/half_property.md")),
    page("KDL029", "open-block", include_str!("kdl/open_block.md")),
    page("KDL030", "surplus-brace", include_str!("kdl/surplus_brace.md")),
    page("KDL031", "loose-block", include_str!("kdl/loose_block.md")),
    page("KDL032", "text-behind-block", include_str!("kdl/text_behind_block.md")),
    page("KDL033", "illegal-character", include_str!("kdl/illegal_character.md")),
    page("KDL034", "value-as-name", include_str!("kdl/value_as_name.md")),
    page("KDL035", "three-quotes", include_str!("kdl/three_quotes.md")),
    page("KDL036", "second-block", include_str!("kdl/second_block.md")),
    page("KDL037", "bracketed-host", include_str!("kdl/bracketed_host.md")),
    page("KDL038", "stray-slashdash", include_str!("kdl/stray_slashdash.md")),
    page("LET001", "constant-twice", include_str!("let/constant_twice.md")),
    page("LET002", "undefined-constant", include_str!("let/undefined_constant.md")),
    warns("LET003", "unused-constant", include_str!("let/unused_constant.md")),
    page("LET004", "constant-name", include_str!("let/constant_name.md")),
    page("LNG001", "unknown-node", include_str!("lng/unknown_node.md")),
    page("LNG002", "unknown-property", include_str!("lng/unknown_property.md")),
    page("LNG003", "unknown-word", include_str!("lng/unknown_word.md")),
    page("LNG004", "missing-argument", include_str!("lng/missing_argument.md")),
    page("LNG005", "surplus-argument", include_str!("lng/surplus_argument.md")),
    page("LNG006", "wrong-kind", include_str!("lng/wrong_kind.md")),
    page("LNG007", "malformed-value", include_str!("lng/malformed_value.md")),
    page("LNG008", "stands-once", include_str!("lng/stands_once.md")),
    page("LNG009", "property-twice", include_str!("lng/property_twice.md")),
    page("LNG010", "missing-node", include_str!("lng/missing_node.md")),
    page("LNG011", "missing-property", include_str!("lng/missing_property.md")),
    page("LNG012", "not-yet-served", include_str!("lng/not_yet_served.md")),
    page("LNG013", "no-block-here", include_str!("lng/no_block_here.md")),
    page("LNG014", "main-cf-parameter", include_str!("lng/main_cf_parameter.md")),
    page("LNG015", "exclusive-properties", include_str!("lng/exclusive_properties.md")),
    page("LNG018", "not-a-secret-name", include_str!("lng/not_a_secret_name.md")),
    page("LNG019", "private-key", include_str!("lng/private_key.md")),
    page("PRF001", "unknown-profile", include_str!("prf/unknown_profile.md")),
    page("PRF002", "checker-as-profile", include_str!("prf/checker_as_profile.md")),
];

const fn page(code: &'static str, name: &'static str, explain: &'static str) -> Rule {
    Rule::new(code, name, Severity::Error, Raised::Reading, explain)
}

const fn warns(code: &'static str, name: &'static str, explain: &'static str) -> Rule {
    Rule::new(code, name, Severity::Warning, Raised::Reading, explain)
}
