//! The grammar of the site language. The findings are made in [`crate::syntax`]; here are their pages.

use crate::report::Severity;
use crate::rules::{Raised, Rule};

/// Every code of the family.
pub static PAGES: &[Rule] = &[
    page("LNG001", "unknown-node", include_str!("unknown_node.md")),
    page("LNG002", "unknown-property", include_str!("unknown_property.md")),
    page("LNG003", "unknown-word", include_str!("unknown_word.md")),
    page("LNG004", "missing-argument", include_str!("missing_argument.md")),
    page("LNG005", "surplus-argument", include_str!("surplus_argument.md")),
    page("LNG006", "wrong-kind", include_str!("wrong_kind.md")),
    page("LNG007", "wrong-form", include_str!("wrong_form.md")),
    page("LNG008", "node-twice", include_str!("node_twice.md")),
    page("LNG009", "property-twice", include_str!("property_twice.md")),
    page("LNG010", "missing-node", include_str!("missing_node.md")),
    page("LNG011", "missing-property", include_str!("missing_property.md")),
    page("LNG012", "not-served", include_str!("not_served.md")),
    page("LNG013", "no-block", include_str!("no_block.md")),
    page("LNG014", "postfix-parameter", include_str!("postfix_parameter.md")),
    page("LNG015", "exclusive-properties", include_str!("exclusive_properties.md")),
    page("LNG018", "no-secret-name", include_str!("no_secret_name.md")),
    page("LNG019", "private-key-in-site", include_str!("private_key_in_site.md")),
];

const fn page(code: &'static str, name: &'static str, explain: &'static str) -> Rule {
    Rule::new(code, name, Severity::Error, Raised::Reading, explain)
}
