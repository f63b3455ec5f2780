//! `posternd`, the runtime: an MTA that serves one compiled snapshot at a time.
//!
//! | module | what it does |
//! |---|---|
//! | [`smtp`] | the protocol, pure: octets in, actions out |
//! | [`net`] | the way in: sockets, sessions, transactions |
//! | [`submission`] | what becomes of a message's header on its way in |
//! | [`queue`] | what was accepted and is not delivered yet; durable |
//! | [`deliver`] | the way out |
//! | [`screen`] | what the checks of a stranger need to know of it |
//! | [`site`] | the snapshot in force, and its successor |
//! | [`acme`], [`https`] | certificates from an authority, and how it is asked |
//! | [`web`] | policies and settings over HTTPS |
//! | [`report`] | what others are told of their mail |
//! | [`auth`], [`dns`] | who somebody is, and what names mean |
//! | [`https`] | what is asked of the web |
//! | [`sendmail`] | the way in for programs of this host |
//! | [`fault`] | the moments at which tests kill the daemon |
//! | [`daemon`], [`control`], [`cli`] | all of it together, and the operator's view of it |

pub mod acme;
pub mod auth;
pub mod authentication;
pub mod cli;
pub mod control;
pub mod daemon;
pub mod deliver;
pub mod dns;
pub mod fault;
pub mod https;
pub mod logging;
pub mod metrics;
pub mod net;
pub mod queue;
mod rehearsal;
pub mod report;
pub mod screen;
pub mod sendmail;
pub mod site;
pub mod smtp;
pub mod state;
pub mod submission;
pub mod web;
