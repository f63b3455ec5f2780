//! `posternd`, the runtime: an MTA that serves one compiled snapshot at a time.

pub mod queue;
