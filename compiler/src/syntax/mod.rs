//! From text to [`Node`]s: parsing, hints for the traps of KDL, and the grammar, which says what a site file may hold.

mod node;

pub use node::{Node, Property, Value};
