//! From text to [`Node`]s: parsing, hints for the traps of KDL, and the grammar, which says what a site file may hold.
//!
//! [`load`] reads a site and checks it; [`Document`] and [`View`] are how `lower` reads the result.

pub mod check;
pub mod grammar;
mod hints;
mod json;
mod kdl;
mod load;
mod near;
mod node;
mod parse;
pub mod read;
mod reference;
pub mod value;
mod view;

pub use json::{schema, twin};
pub use load::{LoadError, LoadOptions, Loaded, SOURCE_MAX_OCTETS, load, load_text, read_file};
pub use near::nearest;
pub use node::{Node, Property, Value};
pub use parse::{PIECES_LIMIT, Parsed, parse};
pub use reference::reference;
pub use view::{Document, View};
