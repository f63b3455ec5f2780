//! The harness: what the tests of Postern stand on. Everything is in process, on loopback and on ports that the system
//! chooses, so tests run in parallel, without network, root or an installed server.
//!
//! | module | what it is |
//! |---|---|
//! | [`dns`] | a DNS server with a zone, broken names and counters |
//! | [`peer`] | an SMTP or LMTP receiver that follows a script and records what it took |
//! | [`certifier`] | an authority that makes certificates by ACME |
//! | [`client`] | an SMTP client that sends exactly what it is told |
//! | [`protocol`] | the protocol and the decisions of the daemon, without the daemon |
//! | [`tls`] | a certificate authority of its own |
//! | [`daemon`] | `postern build`, `posternd run`, and the folders around them |
//! | [`directory`] | an LDAP server that binds, and fails when told to |
//! | [`web_server`] | an HTTPS server that answers as a test tells it |
//! | [`dovecot`] | the real Dovecot as an auth service |
//! | [`dialogue`] | `.dialogue` files and what plays them |
//! | [`load`] | many sessions and messages at once, each message with a name |
//! | [`oracle`] | programs of others that our output is held against |
//! | [`publishing`] | sites that publish everything that a domain can, made up at random |
//! | [`receiver`] | real servers that take our mail |
//! | [`scene`] | the quickstart, running, with everything around it |
//! | [`signatures`] | signing keys, and what the runtime makes of signed messages |
//! | [`suite`] | test suites of other people, where they lie beside this tree |
//! | [`tidy`] | the checks of the source tree itself |
//!
//! The harness panics where a test would: a harness that cannot go on has found something out.
#![allow(clippy::unwrap_used)]

pub mod acceptor;
pub mod certifier;
pub mod client;
pub mod daemon;
pub mod dialogue;
pub mod directory;
pub mod dns;
pub mod dovecot;
pub mod load;
pub mod oracle;
pub mod peer;
pub mod protocol;
pub mod publishing;
pub mod receiver;
pub mod scene;
pub mod signatures;
pub mod suite;
pub mod tidy;
pub mod tls;
pub mod wait;
pub mod web_server;
pub mod wire;
