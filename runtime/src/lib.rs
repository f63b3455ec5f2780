//! `posternd`: the daemon's library.

pub mod queue;
