//! Typed DNS records.
