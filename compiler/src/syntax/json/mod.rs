//! The JSON twin of a site file: the same tree, for those who write sites by program, from Nix above all.
//!
//! An object holds the pieces of a node by the names that the grammar gives them: arguments, properties and children alike.
//!
//! | in KDL | in JSON |
//! |---|---|
//! | `listen "mx" port=25` | `"listen": {"name": "mx", "port": 25}` |
//! | `mailbox "alice"` | `"mailbox": "alice"`: a node that is no more than its first argument is that value |
//! | `address "a" "b"` | `"address": ["a", "b"]`: so is one of repeating arguments, where the node stands once |
//! | two `relay` nodes | `"relay": [{…}, {…}]`: nodes of one name are an array, in order |
//! | `self-signed` | `"self-signed": {}`, or `true` |
//!
//! A member that is `null` counts as absent, so that an option may be left at its default. The order of nodes of different
//! names is not kept; no part of the language depends on it. `$schema` at the top is ignored.

mod node;
mod schema;
mod text;
mod write;

pub use schema::schema;
pub use write::to_json;

use super::parse::Parsed;
use crate::source::SourceId;
use crate::syntax::check::Extent;

/// Reads the nodes of a JSON text.
pub(super) fn parse(source: SourceId, text: &str) -> Parsed {
    match text::parse(source, text) {
        Ok(value) => node::document(&value),
        Err(finding) => Parsed { nodes: Vec::new(), diagnostics: vec![*finding], extent: Extent::Part },
    }
}

#[cfg(test)]
mod tests;
