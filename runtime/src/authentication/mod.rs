//! Message authentication: signatures on what leaves, and a judgement of what arrives.
//!
//! | module | what it is |
//! |---|---|
//! | [`canonical`] | the forms that are hashed (RFC 6376 3.4), for bodies that go by in pieces |
//! | [`chain`] | what those who sealed a message say of it (ARC) |
//! | [`fetch`] | the questions of pure evaluations, put to DNS |
//! | [`generated`] | signatures for what the server itself writes |
//! | [`header`] | the header of a message, and its end |
//! | [`intake`] | a message on its way into the spool |
//! | [`judge`] | everything about one message, for the decision and for its reader |
//! | [`key`] | private keys from the credentials folder |
//! | [`keys`] | the keys of the site in force |
//! | [`results`] | the Authentication-Results field (RFC 8601) |
//! | [`seal`] | ARC sets, made (RFC 8617) |
//! | [`sign`] | DKIM signatures, made |
//! | [`verify`] | DKIM and ARC signatures, verified |

pub mod canonical;
pub mod chain;
pub mod fetch;
pub mod generated;
pub mod header;
pub mod intake;
pub mod judge;
pub mod key;
pub mod keys;
pub mod results;
pub mod seal;
pub mod sign;
mod tags;
pub mod verify;
