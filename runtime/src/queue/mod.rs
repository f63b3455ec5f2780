//! The queue: messages that were accepted and not yet delivered to everybody.
//!
//! | module | what it holds |
//! |---|---|
//! | [`id`] | [`QueueId`]: unique, ordered by time |
//! | [`envelope`] | who a message is from, whom it is for, and how far each recipient has come |
//! | [`message`] | what may enter the queue: mail with a permit from `decide`, and notifications of our own |
//! | [`spool`] | where it is kept: durable before it is acknowledged, found again after a crash |
//! | [`schedule`] | when the next attempt is, and when to give up; pure |
//! | [`due`] | which message is to be tried next; pure |
//! | [`dsn`] | the notification of a failure; pure |
//! | [`date`] | the date of a header field; pure |
//!
//! The session appends, the deliverer records what became of each recipient, the operator's tool looks and asks for changes.
//! A change is true once it is in the log, and nobody sees it earlier.

pub mod date;
pub mod dsn;
pub mod due;
pub mod envelope;
pub mod id;
pub mod message;
pub mod schedule;
pub mod spool;

#[cfg(test)]
pub(crate) mod fixture;

pub use envelope::{
    Action, Attempt, Change, Client, Envelope, Generation, MessageState, Outcome, Progress, QueueEntry, Recipient,
    RecipientState, Unreturned,
};
pub use id::{FreshId, QueueId};
pub use message::{Accepted, AcceptedRecipient, Body, Generated, NewMessage};
pub use spool::{BodyReader, BodyWriter, CorruptReport, Counts, Recovered, Recovery, Spool, SpoolError, SpoolOptions, Standing};
