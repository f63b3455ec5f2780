//! Networks: ranges that do nothing, or not what they seem to do.

pub mod mapped;
pub mod overlap;
pub mod powerless;
