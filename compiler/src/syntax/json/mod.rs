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
//! names is not kept; no part of the language depends on it. `$schema` and `$defaults` at the top are ignored.
//!
//! A twin that was made from other files ([`twin`], which `postern show --json` prints) says so, and compiles to the same
//! snapshot as they do, to the last octet: `$sources` lists the files with their digests, `$at` in a node says where it stood
//! (`"site.kdl:12"`), and `$values-at` where those of its values stood that have another line. Whoever changes such a twin takes
//! `$sources` out: then it speaks for itself, and `$at` is ignored.

mod node;
mod origin;
mod schema;
mod text;
mod write;

pub use schema::schema;
pub use write::twin;

use super::parse::Parsed;
use crate::source::{SourceId, TwinOf};
use crate::syntax::check::Extent;

/// What a twin was made from.
const SOURCES: &str = "$sources";
/// Where a node stood.
const AT: &str = "$at";
/// Where those of its values stood that have another line.
const VALUES_AT: &str = "$values-at";
/// Values in force that nobody said, for people and programs.
const DEFAULTS: &str = "$defaults";

/// Reads the nodes of a JSON text, and what it says of the files that it was made from.
pub(super) fn parse(source: SourceId, text: &str) -> (Parsed, Option<TwinOf>) {
    match text::parse(source, text) {
        Ok(value) => node::document(&value),
        Err(finding) => (Parsed { nodes: Vec::new(), diagnostics: vec![*finding], extent: Extent::Part }, None),
    }
}

#[cfg(test)]
mod tests;
