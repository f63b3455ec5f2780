//! Limits and times that contradict each other, or what other hosts rely on.

pub mod bounce_lifetime;
pub mod few_hops;
pub mod few_recipients;
