//! Tables and their rows. The findings are made where rows become addresses and routes, in lowering.

use crate::report::Severity;
use crate::rules::{Raised, Rule};

/// TBL001: a file whose name does not tell its format.
pub static TABLE_FORMAT: Rule = error("TBL001", "table-format", include_str!("table_format.md"));

/// TBL002: a header that is missing or names other columns.
pub static TABLE_HEADER: Rule = error("TBL002", "table-header", include_str!("table_header.md"));

/// TBL003: a row that cannot be read.
pub static ROW_SHAPE: Rule = error("TBL003", "row-shape", include_str!("row_shape.md"));

/// TBL004: a row of a domain that has no addresses here.
pub static FOREIGN_DOMAIN: Rule = error("TBL004", "row-of-foreign-domain", include_str!("foreign_domain.md"));

/// TBL005: a row without a domain in a table for all of them.
pub static BARE_ADDRESS: Rule = error("TBL005", "row-without-domain", include_str!("bare_address.md"));

/// TBL006: an entry of Postfix's that this runtime does not serve.
pub static UNSERVED_ENTRY: Rule = error("TBL006", "entry-not-served", include_str!("unserved_entry.md"));

/// TBL008: a path of a mailbox, which is not read.
pub static UNUSED_COLUMN: Rule = note("TBL008", "mailbox-path", include_str!("mailbox_path.md"));

/// TBL009: a table without a row.
pub static EMPTY_TABLE: Rule =
    Rule::new("TBL009", "empty-table", Severity::Warning, Raised::Lowering, include_str!("empty_table.md"));

const fn error(code: &'static str, name: &'static str, explain: &'static str) -> Rule {
    Rule::new(code, name, Severity::Error, Raised::Lowering, explain)
}

const fn note(code: &'static str, name: &'static str, explain: &'static str) -> Rule {
    Rule::new(code, name, Severity::Note, Raised::Lowering, explain)
}
