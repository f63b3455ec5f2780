//! Networks: ranges that do nothing, or not what they seem to do.

pub mod dead_family;
pub mod mapped;
pub mod overlap;
pub mod powerless;
