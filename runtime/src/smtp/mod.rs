//! SMTP and LMTP as protocols (RFC 5321, RFC 2033): octets in, things to do out.
//!
//! There is no socket, clock, TLS or randomness in here, and no opinion about mail. Whoever does I/O (`net` for sessions that
//! come in, `deliver` for those that go out) carries octets between a connection and a state machine, and does what it asks for.
//! So every dialogue can be replayed in a test, split at every octet.
//!
//! | module | concern |
//! |---|---|
//! | [`server`] | the session of a client that sends mail to us |
//! | [`client`] | our session with a host that we send mail to |
//! | [`command`] | one command line: verb, path, parameters |
//! | [`wire`] | where a command line ends |
//! | [`data`] | where message content ends, and what may not be in it |
//! | [`sasl`] | responses of AUTH |
//!
//! Two things are held everywhere. Only CRLF ends a line and only CRLF `.` CRLF ends a message, whatever else looks like it, in
//! what is read as in what is written. And memory is bounded by limits that stand next to what they limit.

pub mod client;
pub mod command;
pub mod data;
pub mod sasl;
pub mod server;
pub mod wire;

#[cfg(test)]
mod tests;
