//! The way out: every queued recipient is brought to its next hop, or back to its sender.
//!
//! [`Dispatcher`] decides what is tried when: it asks [`postern_schema::decide::route`] for each recipient that is due, and
//! puts what goes the same way into one lane. A lane has workers, who take one job after the other and keep their
//! connection for the next: there is no task per message. How many connections a peer gets, and how often it is given a message,
//! is for [`peers`] to say. [`settle`] notes what became of each recipient, in the log and in the queue, and sends the bounces that
//! [`notice`] writes.

mod dispatcher;
mod fair;
mod lane;
mod local;
pub mod maildir;
pub mod notice;
mod onward;
pub mod peers;
mod program;
mod remote;
mod session;
mod settle;
pub mod target;
pub mod throttle;
pub mod tls;

pub use dispatcher::Dispatcher;
pub use lane::Job;
