//! `postern-schema`: the contract between the compiler and the runtime.
//!
//! It says what a mail site *is* ([`site`]), how it is stored ([`snapshot`]), and what it *decides* ([`decide`]), in the
//! names of the field ([`name`], [`reply`], [`record`]). It knows no configuration language, no sockets, no clock and no
//! randomness; the compiler, the daemon and `postern explain` all call the same functions in here.

pub mod autoconfig;
pub mod decide;
pub mod dmarc;
pub mod dns;
pub mod name;
pub mod record;
pub mod reply;
pub mod site;
pub mod snapshot;
pub mod spf;
pub mod srs;
