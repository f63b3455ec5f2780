//! What DNS says of a site today, held against what the site needs. The only place of the compiler that opens a socket, and
//! called by `postern dns verify` alone: nothing that compiles depends on it.
//!
//! [`client`] asks one resolver and tells "there is none" from "no answer"; [`spf`] judges an address as a receiver would
//! (RFC 7208); [`web`] fetches a policy file; [`verify()`] goes through the records of a site. A name server that fails proves nothing: what could not be
//! asked is [`Outcome::CannotTell`], never "missing".

pub mod client;
mod host;
pub mod spf;
mod verify;
pub mod web;

pub use verify::{Checked, Counts, Outcome, Proof, Verified, verify};
