//! Networks: ranges that do nothing, or not what they seem to do.

pub mod dead_family;
pub mod exempt_without_effect;
pub mod mapped;
pub mod overlap;
pub mod powerless;
