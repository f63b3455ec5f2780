//! The way out: every queued recipient is brought to its next hop, or back to its sender.
//!
//! [`Dispatcher`] decides what is tried when: it asks [`postern_schema::decide::route`] for each recipient that is due, and
//! puts what goes the same way into one lane. A lane has workers, who take one job after the other and keep their
//! connection for the next: there is no task per message. How many connections a peer gets, and how often it is given a message,
//! is for [`peers`] to say; on which terms it is met, for [`terms`] and [`sts`], and [`connect`] meets it so. [`settle`] notes what became of each recipient, in the log and in the queue, and sends the bounces that
//! [`notice`] writes. What the postmaster hears of all this is in [`postmaster`].

pub mod backscatter;
mod connect;
mod dane;
mod dial;
mod dispatcher;
mod fair;
mod flush;
mod lane;
mod local;
pub mod maildir;
pub mod notice;
mod onward;
pub mod peers;
pub mod postmaster;
mod program;
pub mod quota;
mod remote;
mod session;
mod settle;
pub mod sts;
pub mod target;
mod terms;
pub mod throttle;
pub mod tls;
pub(crate) mod verifier;

pub use dispatcher::{Dispatcher, next_hop};
pub use lane::Job;

#[cfg(test)]
mod simulation;
