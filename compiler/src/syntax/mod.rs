//! From text to [`Node`]s: parsing, hints for the traps of KDL, and the grammar, which says what a site file may hold.
//!
//! [`load`] reads a site and checks it; [`Document`] and [`View`] are how `lower` reads the result.

pub mod check;
pub mod grammar;
mod hints;
mod json;
mod kdl;
mod load;
mod names;
mod near;
mod node;
mod parse;
pub mod read;
mod reference;
mod sketch;
pub mod value;
mod view;

pub use hints::quoted;
pub use json::{schema, twin};
pub use load::{
    LoadError, LoadOptions, Loaded, SOURCE_MAX_OCTETS, Sketched, is_constant_name, load, load_text, read_file, sketch_site,
};
pub use names::{Mention, Role, mentions};
pub use near::nearest;
pub use node::{Node, Property, Value};
pub use parse::{PIECES_LIMIT, Parsed, parse};
pub use reference::{reference, type_of};
pub use sketch::sketch;
pub use view::{Document, View};
