//! What is found in the text and by the grammar: the codes of [`crate::syntax`], each with its page. One without a page of
//! its own, since no short example shows it, has the paragraph that it is declared with.

use super::{Raised, Rule};
use crate::syntax::CODES;
use std::sync::LazyLock;

/// Every code of the front end.
pub(super) static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let page = |code: &str| PAGES.iter().find(|(of, _)| *of == code).map(|(_, page)| *page);
    let rule = |code: &crate::syntax::Code| {
        let explain = page(code.code).unwrap_or(code.explain);
        Rule::new(code.code, code.name, code.severity, Raised::Reading, explain)
    };
    CODES.iter().map(rule).collect()
});

/// The pages, by code.
static PAGES: &[(&str, &str)] = &[
    ("INC001", include_str!("inc/include_missing.md")),
    ("INC002", include_str!("inc/include_circle.md")),
    ("INC003", include_str!("inc/include_outside.md")),
    ("INC004", include_str!("inc/include_unreadable.md")),
    ("INC005", include_str!("inc/include_twice.md")),
    ("INC006", include_str!("inc/include_limit.md")),
    ("JSN001", include_str!("jsn/no_json.md")),
    ("JSN002", include_str!("jsn/member_twice.md")),
    ("JSN003", include_str!("jsn/wrong_shape.md")),
    ("JSN004", include_str!("jsn/argument_left_out.md")),
    ("KDL001", include_str!("kdl/not_kdl.md")),
    ("KDL002", include_str!("kdl/too_deep.md")),
    ("KDL010", include_str!("kdl/unquoted_address.md")),
    ("KDL011", include_str!("kdl/unquoted_quantity.md")),
    ("KDL012", include_str!("kdl/unquoted_text.md")),
    ("KDL013", include_str!("kdl/bare_keyword.md")),
    ("KDL014", include_str!("kdl/unknown_keyword.md")),
    ("KDL015", include_str!("kdl/leading_zero.md")),
    ("KDL017", include_str!("kdl/foreign_quotes.md")),
    ("KDL018", include_str!("kdl/comma.md")),
    ("KDL019", include_str!("kdl/stray_semicolon.md")),
    ("KDL020", include_str!("kdl/assignment.md")),
    ("KDL021", include_str!("kdl/hash_comment.md")),
    ("KDL022", include_str!("kdl/old_raw_string.md")),
    ("KDL023", include_str!("kdl/annotation.md")),
    ("KDL024", include_str!("kdl/open_string.md")),
    ("KDL025", include_str!("kdl/open_comment.md")),
    ("KDL026", include_str!("kdl/unknown_escape.md")),
    ("KDL027", include_str!("kdl/missing_blank.md")),
    ("KDL028", include_str!("kdl/half_property.md")),
    ("KDL029", include_str!("kdl/open_block.md")),
    ("KDL030", include_str!("kdl/surplus_brace.md")),
    ("KDL031", include_str!("kdl/loose_block.md")),
    ("KDL032", include_str!("kdl/text_behind_block.md")),
    ("KDL033", include_str!("kdl/illegal_character.md")),
    ("KDL034", include_str!("kdl/value_as_name.md")),
    ("KDL035", include_str!("kdl/three_quotes.md")),
    ("KDL036", include_str!("kdl/second_block.md")),
    ("KDL037", include_str!("kdl/bracketed_host.md")),
    ("KDL038", include_str!("kdl/stray_slashdash.md")),
    ("LET001", include_str!("let/constant_twice.md")),
    ("LET002", include_str!("let/undefined_constant.md")),
    ("LET003", include_str!("let/unused_constant.md")),
    ("LET004", include_str!("let/constant_name.md")),
    ("LNG001", include_str!("lng/unknown_node.md")),
    ("LNG002", include_str!("lng/unknown_property.md")),
    ("LNG003", include_str!("lng/unknown_word.md")),
    ("LNG004", include_str!("lng/missing_argument.md")),
    ("LNG005", include_str!("lng/surplus_argument.md")),
    ("LNG006", include_str!("lng/wrong_kind.md")),
    ("LNG007", include_str!("lng/malformed_value.md")),
    ("LNG008", include_str!("lng/stands_once.md")),
    ("LNG009", include_str!("lng/property_twice.md")),
    ("LNG010", include_str!("lng/missing_node.md")),
    ("LNG011", include_str!("lng/missing_property.md")),
    ("LNG012", include_str!("lng/not_yet_served.md")),
    ("LNG013", include_str!("lng/no_block_here.md")),
    ("LNG014", include_str!("lng/main_cf_parameter.md")),
    ("LNG015", include_str!("lng/exclusive_properties.md")),
    ("LNG018", include_str!("lng/not_a_secret_name.md")),
    ("LNG019", include_str!("lng/private_key.md")),
    ("PRF001", include_str!("prf/unknown_profile.md")),
];
