//! Numbers for Prometheus: what happened, counted from the events that the log is made of, and what is, asked when somebody asks.
//! No label holds what a client can choose, so there are never more than some hundred numbers.

mod counters;
mod serve;

pub use counters::Counters;
pub use serve::{Endpoint, Unavailable};
