//! The way in: sockets, TLS and time limits around the pure protocol of [`crate::smtp`].
//!
//! [`Listeners`] holds the sockets of the site in force and starts one [`session`] for each connection ([`entry`]). A session feeds octets
//! to the protocol, answers its questions by [`postern_schema::decide`], and puts what was accepted into the queue.

mod acquaintances;
mod admission;
mod entry;
mod head;
mod levels;
mod listen;
mod login;
mod pace;
mod proxy;
mod received;
mod reception;
mod reserve;
mod session;
mod stream;
mod transaction;

pub use acquaintances::Acquaintances;
pub use admission::Admission;
pub use levels::{Levels, client_key};
pub use listen::{Bound, ListenError, Listeners, Place};
pub use reserve::Reserve;
pub use stream::Stream;
pub use transaction::{Peer, Spoken, Transaction, Visitor};
