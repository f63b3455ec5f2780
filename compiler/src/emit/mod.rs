//! What a compiled site turns into: the snapshot that the runtime serves, and the DNS records that the site needs.
//!
//! [`snapshot`] is the only LMDB writer there is; [`publish`] puts its file where a runtime finds it, so that whoever looks
//! sees the old snapshot or the new one and never half of either.

pub mod dns;
pub mod publish;
pub mod snapshot;

#[cfg(test)]
pub(crate) mod fixture;
