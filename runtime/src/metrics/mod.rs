//! Numbers for Prometheus: what happened, counted from the events that the log is made of, and what is, asked when somebody asks.
//! No label holds what a client can choose, so there are never more than some hundred numbers.

mod classes;
mod counters;
mod histogram;
mod rates;
mod serve;

pub use classes::Classes;
pub use counters::Counters;
pub use histogram::Histogram;
pub use rates::Rates;
pub use serve::{Endpoint, Unavailable};
